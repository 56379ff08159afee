"""The edit of a film in integers: where each segment stands, and how long the film is. No torch, no moviepy.

Laws (tests hold them): joined by cuts, a film has the frames of all its segments; a crossfade of n frames
shortens it by n; a fade through black shortens nothing; every frame of the film shows one or two segments;
each segment keeps at least one frame that no join touches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from arlon_core.errors import FilmError
from arlon_core.media.film_settings import Join

_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True)
class PlacedSegment:
    """A segment in the film: frames [start, stop) show it.

    join: the kind of join into it, join_frames: what that takes. The first overlap_in and last overlap_out
    frames are shared with its neighbours; the first fade_in frames come from black, the last fade_out to it.
    """

    index: int
    start: int
    stop: int
    join: str = "cut"
    join_frames: int = 0
    overlap_in: int = 0
    overlap_out: int = 0
    fade_in: int = 0
    fade_out: int = 0

    @property
    def frames(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True)
class EditPlan:
    """A film of `frames` frames at `fps`."""

    fps: int
    segments: tuple[PlacedSegment, ...]

    @property
    def frames(self) -> int:
        return self.segments[-1].stop

    @property
    def seconds(self) -> float:
        return self.frames / self.fps

    @property
    def shortened(self) -> int:
        """By how many frames crossfades shorten the film."""
        return sum(each.overlap_in for each in self.segments)

    def caption_frames(self) -> list[tuple[int, int]]:
        """The frames [start, stop) of each segment's caption: they change in the middle of a crossfade."""
        borders = [each.start + each.overlap_in // 2 for each in self.segments] + [self.frames]
        return list(pairwise(borders))


def plan_edit(frames: Sequence[int], joins: Sequence[Join], fps: int) -> EditPlan:
    """Plan a film from the frames of its segments.

    joins: one into each segment, that of the first without effect; empty joins all by cuts.
    Raises FilmError naming the segment that is too short for its joins, and the longest that fit.
    """
    joins = [Join(), *joins[1:]] if joins else [Join()] * len(frames)
    if not frames or len(joins) != len(frames):
        raise ValueError(f"Got {len(frames)} segments and {len(joins)} joins; give one join a segment.")
    _check_room(frames, joins, fps)
    taken = [join.frames(fps) for join in joins]
    segments: list[PlacedSegment] = []
    start = 0
    for index, (own, join) in enumerate(zip(frames, joins, strict=True)):
        after, out = (joins[index + 1], taken[index + 1]) if index + 1 < len(joins) else (Join(), 0)
        overlap_in = taken[index] if join.kind == "crossfade" else 0
        start -= overlap_in
        segments.append(
            PlacedSegment(
                index,
                start,
                start + own,
                join=join.kind,
                join_frames=taken[index],
                overlap_in=overlap_in,
                overlap_out=out if after.kind == "crossfade" else 0,
                fade_in=_taken(join, taken[index], into=True) if join.kind == "fade" else 0,
                fade_out=_taken(after, out, into=False) if after.kind == "fade" else 0,
            )
        )
        start += own
    return EditPlan(fps, tuple(segments))


def describe_edit(plan: EditPlan) -> str:
    """Length and joins in words: "28.5 s, 342 frames: two crossfades of 0.5 s shorten it by 1 s"."""
    length = (
        f"{show_seconds(plan.frames, plan.fps)}, {plan.frames} {'frame' if plan.frames == 1 else 'frames'}"
    )
    parts = []
    if crossfades := [each.join_frames for each in plan.segments if each.join == "crossfade"]:
        verb = "shortens" if len(crossfades) == 1 else "shorten"
        by = show_seconds(plan.shortened, plan.fps)
        parts.append(f"{_counted(crossfades, 'crossfade', 'crossfades', plan.fps)} {verb} it by {by}")
    if fades := [each.join_frames for each in plan.segments if each.join == "fade"]:
        verb = "leaves" if len(fades) == 1 else "leave"
        words = _counted(fades, "fade through black", "fades through black", plan.fps)
        parts.append(f"{words} {verb} its length")
    return f"{length}: {'; '.join(parts)}" if parts else length


def show_seconds(frames: int, fps: int) -> str:
    """Frames as seconds, to the millisecond: "28.5 s"."""
    return f"{frames / fps:.3f}".rstrip("0").rstrip(".") + " s"


def _counted(frames: Sequence[int], one: str, many: str, fps: int) -> str:
    """ "two crossfades of 0.5 s"; the length only where all have the same."""
    count = _COUNTS[len(frames)] if len(frames) < len(_COUNTS) else str(len(frames))
    length = f" of {show_seconds(frames[0], fps)}" if len(set(frames)) == 1 else ""
    return f"{count} {one if len(frames) == 1 else many}{length}"


def _taken(join: Join, frames: int, *, into: bool) -> int:
    """What a join of `frames` frames takes from the segment after it (into), or before it."""
    if join.kind == "fade":
        return frames - frames // 2 if into else frames // 2
    return frames if join.kind == "crossfade" else 0


def _check_room(frames: Sequence[int], joins: Sequence[Join], fps: int) -> None:
    """Raise FilmError about the segment with the least room for its joins, if any has too little."""
    tight = []
    for index, own in enumerate(frames):
        after = joins[index + 1] if index + 1 < len(joins) else Join()
        asked = max(joins[index].frames(fps), after.frames(fps))
        fits = _longest(own, joins[index], after, fps)
        if fits < asked:
            tight.append((fits, index))
    if not tight:
        return
    fits, index = min(tight)
    shown = int(1000 * fits / fps) / 1000  # rounded down, so that it fits when it is given back
    mend = f"give its joins at most {shown:g} s" if fits else "make its joins cuts"
    raise FilmError(
        f"segment {index + 1} ({show_seconds(frames[index], fps)}) is too short for its joins, since a frame "
        f"of its own must stay; {mend}, or make the segment longer."
    )


def _longest(own: int, before: Join, after: Join, fps: int) -> int:
    """The most frames that the two joins of a segment of `own` frames may take each, as far as they ask."""
    asked = before.frames(fps), after.frames(fps)

    def room(most: int) -> int:
        into = _taken(before, min(asked[0], most), into=True)
        return own - into - _taken(after, min(asked[1], most), into=False)

    most = max(asked)
    while most and room(most) < 1:
        most -= 1
    return most
