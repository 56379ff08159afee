"""Which latent frames are given and which are generated: mask strategies at inference, random masks in
training.

A mask has one number for each latent frame: 1 generate, 0 keep, between: edit from that noise level on.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class MaskGroup(NamedTuple):
    """Copy frames of a reference into the latents. Latent frames; negative starts count from the end."""

    loop: int = 0
    reference: int = 0
    reference_start: int = 0
    target_start: int = 0
    length: int = 1
    edit_ratio: float = 0.0


def parse_mask_strategy(strategy: str | None) -> list[MaskGroup]:
    """Groups split by `;`, each up to six comma-separated fields of `MaskGroup` ("0;0,1,0,-1,1").

    Raises ValueError naming the group that cannot be read.
    """
    return [_parse_group(group) for group in (strategy or "").split(";") if group.strip()]


def _parse_group(group: str) -> MaskGroup:
    fields = group.split(",")
    if len(fields) > len(MaskGroup._fields):
        raise ValueError(
            f"Mask group {group!r} has {len(fields)} fields; at most {len(MaskGroup._fields)} are allowed."
        )
    try:
        whole = [int(field) for field in fields[:5]]
        ratio = [float(field) for field in fields[5:]]
    except ValueError as error:
        raise ValueError(
            f"Mask group {group!r} must hold whole numbers and, sixth, an edit ratio."
        ) from error
    if ratio and not 0.0 <= ratio[0] <= 1.0:
        raise ValueError(f"Mask group {group!r} has an edit ratio outside 0..1.")
    return MaskGroup(*whole, *ratio)


def snap_to_grid(value: int, step: int, length: int) -> int:
    """The multiple of `step` below value, or the one above where that is nearer and starts a whole group."""
    slot = value // step
    if value % step > step / 2 and slot < length // step - 1:
        slot += 1
    return slot * step


def apply_mask_strategy(
    latents: Tensor,
    references: Sequence[Sequence[Tensor]],
    strategies: Sequence[str | None],
    loop: int = 0,
    align: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Lay references into latents: (new latents [B, C, T, H, W], mask [B, T] float32); the arguments are
    unchanged.

    references: for each sample its clips [C, T', H, W]; strategies: for each sample its mask strategy. Groups
    of other loops are skipped. align: snap starts to this many latent frames (5 for Open-Sora's 17-frame
    groups; the reference snaps without changing the length, so use multiples of it).
    Raises ValueError where a group names a reference that is not there.
    """
    latents = latents.clone()
    total = latents.shape[2]
    mask = torch.ones(latents.shape[0], total, dtype=torch.float32, device=latents.device)
    for sample, strategy in enumerate(strategies):
        for group in parse_mask_strategy(strategy):
            if group.loop != loop:
                continue
            if not -len(references[sample]) <= group.reference < len(references[sample]):
                raise ValueError(
                    f"Mask strategy {strategy!r} names reference {group.reference}, which is not there."
                )
            reference = references[sample][group.reference]
            source = _start(group.reference_start, reference.shape[1], align)
            target = _start(group.target_start, total, align)
            length = max(0, min(group.length, total - target, reference.shape[1] - source))
            latents[sample, :, target : target + length] = reference[:, source : source + length].to(latents)
            mask[sample, target : target + length] = group.edit_ratio
    return latents, mask


def _start(start: int, length: int, align: int | None) -> int:
    start = start + length if start < 0 else start
    start = max(start, 0)
    return start if align is None else snap_to_grid(start, align, length)


def append_generated(
    strategy: str | None, references: int, loop: int, length: int, edit_ratio: float = 0.0
) -> str:
    """Mask strategy that lets loop `loop` go on from the last `length` latents of the clip before it.

    references: number of references so far; the clip before is expected to be appended behind them.
    """
    group = f"{loop},{references},-{length},0,{length},{edit_ratio}"
    return f"{strategy};{group}" if strategy else group


# --- training ---

# Shares of mask types in training (our choice: the story loop needs heads, all else keeps the model general).
STORY_MASKS: Mapping[str, float] = {"overlap": 0.6, "image_head": 0.05, "random": 0.02, "quarter_tail": 0.01}

MASK_TYPES = (
    "overlap",
    "random",
    "interpolate",
    "quarter_random",
    "quarter_head",
    "quarter_tail",
    "quarter_head_tail",
    "image_random",
    "image_head",
    "image_tail",
    "image_head_tail",
)


def check_mask_shares(shares: Mapping[str, float]) -> None:
    """Raise ValueError for an unknown mask type, a negative share, or shares above 1 in all."""
    unknown = sorted(set(shares) - set(MASK_TYPES))
    if unknown:
        raise ValueError(f"Unknown mask type {unknown[0]!r}; the types are {', '.join(MASK_TYPES)}.")
    if min(shares.values(), default=0.0) < 0 or sum(shares.values()) > 1 + 1e-9:
        raise ValueError("Shares of mask types must not be negative, nor above 1 in all.")


def training_mask(frames: int, kind: str | None, overlap: int, rng: random.Random) -> list[bool]:
    """One clip's mask: True where a frame is noised and learned, False where it is given.

    "overlap": the first `overlap` frames are given. The others as in Open-Sora v1.2: "quarter_*" give 1..T//4
    frames in a row, "image_*" a single one, "interpolate" every other, "random" each with a probability from
    0.1..0.9.
    At least one frame is always left to learn, so a single frame is never masked (in the reference, quarter
    masks of 2 or 3 frames fail).
    """
    mask = [True] * frames
    if kind is None or frames == 1:
        return mask
    if kind == "overlap":
        given = set(range(min(overlap, frames - 1)))
    elif kind == "random":
        probability = rng.uniform(0.1, 0.9)
        given = {i for i in range(frames) if rng.random() < probability}
    elif kind == "interpolate":
        given = set(range(rng.randint(0, 1), frames, 2))
    elif kind in MASK_TYPES:
        family, place = kind.split("_", 1)
        length = 1 if family == "image" else rng.randint(1, max(1, frames // 4))
        given = _given_run(frames, length, place, rng)
    else:
        raise ValueError(f"Unknown mask type {kind!r}; the types are {', '.join(MASK_TYPES)}.")
    if len(given) == frames:
        given.remove(rng.choice(sorted(given)))
    return [i not in given for i in range(frames)]


def _given_run(frames: int, length: int, place: str, rng: random.Random) -> set[int]:
    head, tail = set(range(length)), set(range(frames - length, frames))
    if place == "head":
        return head
    if place == "tail":
        return tail
    if place == "head_tail":
        return head | tail
    start = rng.randint(0, frames - length)
    return set(range(start, start + length))


def sample_mask_kind(shares: Mapping[str, float], rng: random.Random) -> str | None:
    """A mask type with its share's probability, or None (no mask) with what is left."""
    point = rng.random()
    for kind, share in shares.items():
        point -= share
        if point < 0:
            return kind
    return None


def training_masks(
    batch: int, frames: int, overlap: int, rng: random.Random, shares: Mapping[str, float] = STORY_MASKS
) -> Tensor:
    """[batch, frames] bool masks, one type for each sample; True where a frame is noised and learned."""
    check_mask_shares(shares)
    rows = [training_mask(frames, sample_mask_kind(shares, rng), overlap, rng) for _ in range(batch)]
    return torch.tensor(rows, dtype=torch.bool)


class ChunkShape(NamedTuple):
    """Latent frames of one training chunk."""

    overlap: int  # given at its head
    new: int  # to generate


def sample_chunk_shape(
    rng: random.Random,
    max_new: int = 12,
    overlap: int = 4,
    short_share: float = 0.25,
    first_share: float = 0.15,
) -> ChunkShape:
    """A chunk as the story loop makes them (our choice of shares).

    Most have the full `max_new` frames; the last chunk of a segment may have any number down to 1. Most begin
    with the full overlap; a film's first chunk has none, and right after a very short first one there is less
    of it.
    """
    new = rng.randint(1, max_new) if rng.random() < short_share else max_new
    point = rng.random()
    if point < first_share:
        return ChunkShape(0, new)
    if point < first_share + 0.05 and overlap > 1:
        return ChunkShape(rng.randint(1, overlap - 1), new)
    return ChunkShape(overlap, new)
