"""Seams: whether a film jumps where one chunk ends and the next begins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from arlon_core.generation.plan import SegmentPlan, frames_of_latents

# Frames from a border to the steps that it is compared with (our choice): whole seconds. A clip has a key
# frame a second and a latent frame every four frames, and at both a picture changes a little more than
# elsewhere, in true films too; so what is compared lies at the same place in them.
_SECOND = 12
_AROUND = (-2 * _SECOND, -_SECOND, _SECOND, 2 * _SECOND)


def chunk_borders(segment: SegmentPlan) -> list[int]:
    """First frames, counted in the segment, of its chunks after the first.

    The segment's own border is left out: there the story changes.
    """
    return [frames_of_latents(chunk.start) - segment.first_frame for chunk in segment.chunks[1:]]


def seam_ratios(steps: np.ndarray, borders: Sequence[int]) -> list[float]:
    """The step into each border divided by the mean of those one and two seconds before and after it.

    1 when nothing is to be seen. steps: (F - 1,) of a segment, steps[i] from frame i to i + 1. borders:
    frames 1 .. F - 1; those without a step to compare with are left out.
    """
    ratios = []
    for border in borders:
        place = border - 1
        around = [steps[place + way] for way in _AROUND if 0 <= place + way < len(steps)]
        if around:
            ratios.append(float((steps[place] + 0.01) / (np.mean(around) + 0.01)))
    return ratios
