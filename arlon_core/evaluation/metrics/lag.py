"""How soon a change of the prompt is seen: frames from the border until a judge reads the new value."""

from __future__ import annotations

from collections.abc import Sequence

from arlon_core.models.judge import SPAN

LAG_STEP = 4  # frames from one window to the next: a latent frame, since borders lie at those
KEPT = 3  # windows in a row that count as seen: 25 frames, two seconds (both our choice)


def lag_starts(frames: int) -> range:
    """First frames of the windows that are read after a border, in a segment of so many frames.

    All of them lie within the segment, so nothing is seen sooner than SPAN frames after the border.
    """
    return range(0, frames - SPAN + 1, LAG_STEP)


def lag(read: Sequence[int], label: int) -> int | None:
    """Frames of a segment that were shown when a change to `label` was seen; None when it never was.

    read: the class read in each window from `lag_starts`. Seen is what KEPT windows in a row read; counted is
    up to the end of the first of them.
    """
    for number in range(len(read) - KEPT + 1):
        if all(each == label for each in read[number : number + KEPT]):
            return number * LAG_STEP + SPAN
    return None
