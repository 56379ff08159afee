"""Seams: whether a film jumps where one chunk ends and the next begins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from arlon_core.generation.plan import SegmentPlan, frames_of_latents

_AROUND = 6  # frames on each side that a border's step is compared with (our choice)


def chunk_borders(segment: SegmentPlan) -> list[int]:
    """First frames, counted in the segment, of its chunks after the first.

    The segment's own border is left out: there the story changes.
    """
    return [frames_of_latents(chunk.start) - segment.first_frame for chunk in segment.chunks[1:]]


def seam_ratios(steps: np.ndarray, borders: Sequence[int]) -> list[float]:
    """The step into each border divided by the median of the steps around it; 1 when nothing is to be seen.

    steps: (F - 1,) of a segment, steps[i] from frame i to i + 1. borders: frames 1 .. F - 1.
    """
    ratios = []
    for border in borders:
        place = border - 1
        around = np.r_[steps[max(0, place - _AROUND) : place], steps[place + 1 : place + 1 + _AROUND]]
        if len(around):
            ratios.append(float((steps[place] + 0.01) / (np.median(around) + 0.01)))
    return ratios
