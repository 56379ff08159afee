"""The composition: segment clips placed by the edit plan, with moviepy's crossfades and fades.

The film is a row of stretches, each either a part of one segment or the overlap of two, made when it is
reached. A CompositeVideoClip of all segments would open all their files at once, since moviepy looks at the
first frame of every part that it cuts off a clip, and would go through all of them for every frame.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from moviepy import CompositeVideoClip, VideoClip, vfx

from arlon_core.media.clips import SegmentClip
from arlon_core.media.edit_plan import EditPlan, PlacedSegment


@dataclass(frozen=True)
class _Stretch:
    """From frame `start` of the film on: a segment alone, or crossfading from the one before it."""

    start: int
    segment: PlacedSegment
    crossfade: bool


class EditedFilm(VideoClip):
    """The film of clips, one for each segment of the plan and of its length. Read in order, two files at most
    are open. Frames [H, W, 3] of fades are floats, 0 to 255; all others are uint8."""

    def __init__(self, clips: Sequence[SegmentClip], plan: EditPlan) -> None:
        super().__init__(duration=plan.seconds)
        self.size, self.fps = clips[0].size, plan.fps
        self.frame_function = self._frame_at
        self._clips = clips
        self._stretches = list(_stretches(plan))
        self._starts = [stretch.start for stretch in self._stretches]
        self._place, self._shown = -1, VideoClip()

    def _frame_at(self, seconds: float) -> np.ndarray:
        place = bisect_right(self._starts, int(seconds * self.fps + 1e-6)) - 1
        if place != self._place:
            self._place, self._shown = place, self._made(self._stretches[place])
        return self._shown.get_frame(seconds - self._starts[place] / self.fps)

    def _made(self, stretch: _Stretch) -> VideoClip:
        segment, clip = stretch.segment, self._clips[stretch.segment.index]
        if stretch.crossfade:
            return _crossfade(self._clips[segment.index - 1], clip, segment.overlap_in)
        return _own_part(clip, segment)


def _stretches(plan: EditPlan) -> Iterator[_Stretch]:
    for segment in plan.segments:
        if segment.overlap_in:
            yield _Stretch(segment.start, segment, crossfade=True)
        yield _Stretch(segment.start + segment.overlap_in, segment, crossfade=False)


def _crossfade(before: SegmentClip, after: SegmentClip, frames: int) -> VideoClip:
    """The last frames of one clip and the first of the next, one over the other."""
    below = _part(before, before.frames - frames, before.frames)
    above = _part(after, 0, frames).with_effects([vfx.CrossFadeIn(frames / after.fps)])
    return CompositeVideoClip([below, above], use_bgclip=True)


def _own_part(clip: SegmentClip, segment: PlacedSegment) -> VideoClip:
    """What a segment shows alone, fading from and to black where the plan says so."""
    part = _part(clip, segment.overlap_in, segment.frames - segment.overlap_out)
    effects = []
    if segment.fade_in:
        effects.append(vfx.FadeIn(segment.fade_in / clip.fps))
    if segment.fade_out:
        effects.append(vfx.FadeOut(segment.fade_out / clip.fps))
    return part.with_effects(effects) if effects else part


def _part(clip: SegmentClip, start: int, stop: int) -> VideoClip:
    """Frames [start, stop) of a clip; parts of one clip share its reader."""
    if (start, stop) == (0, clip.frames):
        return clip
    return clip.subclipped(start / clip.fps, stop / clip.fps)
