"""The plan of a film: integers only, from seconds to frames, latent frames, chunks and token blocks.

The causal VAE makes 1 video frame of the first latent frame and 4 of each later one, so n latent frames are
4n-3 video frames: latent 0 is frame 0, and latent i >= 1 is frames 4i-3 .. 4i.

With f_k = round(fps * seconds up to border k), border k lies at latent frame ceil((f_k + 3) / 4), and border
0 at 0. Both come from the exact running total (seconds are taken as the decimal numbers they print as), so
nothing accumulates and appending a segment moves no earlier border. Only the tail of the film is trimmed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from arlon_core.errors import ArlonError, StoryError

FRAMES_PER_LATENT = 4
MAX_BLOCK = 16  # latent frames generated after one prefill of the token transformer


@dataclass(frozen=True)
class ChunkPlan:
    """One call of the diffusion transformer: latent frames [start, stop) of the film, all in one segment.

    index: counted inside the segment. overlap: how many clean latent frames before ``start`` it sees;
    they may belong to the segment before.
    """

    segment: int
    index: int
    start: int
    stop: int
    overlap: int

    @property
    def latents(self) -> int:
        """New latent frames, without the overlap."""
        return self.stop - self.start


@dataclass(frozen=True)
class TokenBlock:
    """Latent frames [start, stop) whose tokens follow one prefill; index is counted inside the segment."""

    segment: int
    index: int
    start: int
    stop: int

    @property
    def latents(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True)
class SegmentPlan:
    """One segment: latent frames [start, stop), video frames [first_frame, stop_frame) of the film.

    start_seconds, stop_seconds: its true borders in the film, which may differ by up to a few frames
    from those asked for.
    """

    index: int
    start: int
    stop: int
    first_frame: int
    stop_frame: int
    start_seconds: float
    stop_seconds: float
    chunks: tuple[ChunkPlan, ...]
    blocks: tuple[TokenBlock, ...]

    @property
    def latents(self) -> int:
        return self.stop - self.start

    @property
    def frames(self) -> int:
        return self.stop_frame - self.first_frame


@dataclass(frozen=True)
class Plan:
    """A film of ``frames`` video frames at ``fps``, made from ``latents`` latent frames.

    4 * latents - 3 frames are decoded; those from ``frames`` on are trimmed off the tail.
    """

    fps: int
    frames: int
    latents: int
    segments: tuple[SegmentPlan, ...]

    @property
    def seconds(self) -> float:
        return self.frames / self.fps

    @property
    def chunks(self) -> tuple[ChunkPlan, ...]:
        """All chunks of the film, in order."""
        return tuple(chunk for segment in self.segments for chunk in segment.chunks)

    @property
    def blocks(self) -> tuple[TokenBlock, ...]:
        """All token blocks of the film, in order."""
        return tuple(block for segment in self.segments for block in segment.blocks)


def make_plan(
    seconds: Sequence[float], fps: int, max_new: int = 12, overlap: int = 4, max_block: int = MAX_BLOCK
) -> Plan:
    """Plan a film whose segments take ``seconds``.

    max_new: new latent frames a chunk at most; chunks are filled greedily and a segment's last one may be
    short, down to one. overlap: clean latent frames before each chunk, fewer at the film's start.
    max_block: latent frames a token block at most.
    Raises StoryError when a segment is too short to hold a latent frame or the film has no frame;
    ValueError when fps, max_new, overlap or max_block make no sense.
    """
    if fps < 1 or max_new < 1 or overlap < 0 or max_block < 1:
        raise ValueError(
            f"Got {fps=}, {max_new=}, {overlap=}, {max_block=}; overlap may be 0, others are 1 or more."
        )
    if not seconds:
        raise StoryError("the film has no segments; give at least one.")
    frame_borders = _frame_borders(seconds, fps)
    borders = [0] + [latent_border(frame) for frame in frame_borders]
    total = frame_borders[-1]
    _check_borders(seconds, borders, total, fps)
    segments = []
    for index, (start, stop) in enumerate(pairwise(borders)):
        first_frame, stop_frame = frames_of_latents(start), min(frames_of_latents(stop), total)
        segments.append(
            SegmentPlan(
                index=index,
                start=start,
                stop=stop,
                first_frame=first_frame,
                stop_frame=stop_frame,
                start_seconds=first_frame / fps,
                stop_seconds=stop_frame / fps,
                chunks=tuple(
                    ChunkPlan(index, number, a, b, min(overlap, a))
                    for number, (a, b) in enumerate(split_range(start, stop, max_new))
                ),
                blocks=tuple(
                    TokenBlock(index, number, a, b)
                    for number, (a, b) in enumerate(split_range(start, stop, max_block))
                ),
            )
        )
    return Plan(fps=fps, frames=total, latents=borders[-1], segments=tuple(segments))


def chunk_length(asked: int | None, most: int) -> int:
    """New latent frames a chunk: those asked for, else `most`, which a model makes. Raises ArlonError."""
    if asked is None:
        return most
    if not 1 <= asked <= most:
        raise ArlonError(f"this model makes no chunks of {asked} latent frames; give 1 to {most}.")
    return asked


def chunk_passes(steps: int, guidance: float) -> int:
    """How often the diffusion transformer sees a chunk: once a step, twice where guidance compares."""
    return steps * (1 if guidance == 1 else 2)


def latent_border(frame: int) -> int:
    """The latent frame at which a border after ``frame`` video frames lies: ceil((frame + 3) / 4)."""
    return -(-(frame + FRAMES_PER_LATENT - 1) // FRAMES_PER_LATENT)


def frames_of_latents(latents: int) -> int:
    """Video frames that the first ``latents`` latent frames decode to: 4n-3, and 0 for none."""
    return max(0, FRAMES_PER_LATENT * latents - (FRAMES_PER_LATENT - 1))


def split_range(start: int, stop: int, size: int) -> list[tuple[int, int]]:
    """[start, stop) cut into runs of ``size``; the last one may be shorter."""
    return [(a, min(a + size, stop)) for a in range(start, stop, size)]


def _frame_borders(seconds: Sequence[float], fps: int) -> list[int]:
    """f_1 .. f_K, from exact fractions. ``repr`` of a float is the decimal number that the user wrote."""
    total = Fraction(0)
    borders = []
    for number, length in enumerate(seconds, start=1):
        if isinstance(length, bool) or not math.isfinite(length) or length <= 0:
            raise StoryError(f"segment {number} asks for {length!r} seconds; give a positive number.")
        total += Fraction(repr(float(length)))
        borders.append(round(fps * total))
    return borders


def _check_borders(seconds: Sequence[float], borders: Sequence[int], frames: int, fps: int) -> None:
    # A segment of at least 4 frames always moves the border by one latent frame.
    enough = math.ceil(100 * FRAMES_PER_LATENT / fps) / 100
    for number, (start, stop) in enumerate(pairwise(borders), start=1):
        if stop == start:
            raise StoryError(
                f"segment {number} ({seconds[number - 1]:g} s) is too short to hold a picture at {fps} "
                f"frames a second; give at least {enough:g} seconds."
            )
    if frames == 0:
        raise StoryError(
            f"the film is shorter than one frame at {fps} frames a second; give {enough:g} seconds."
        )
