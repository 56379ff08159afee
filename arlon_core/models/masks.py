"""Which latent frames are given and which are generated: the mask strategies of Open-Sora v1.2.

A mask has one number for each latent frame: 1 generate, 0 keep, between: edit from that noise level on.
"""

from __future__ import annotations

from collections.abc import Sequence
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
