"""The animatic: the whole story as small pictures, from the tokens alone, before anything expensive runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from arlon_core.generation.clips import find_clip
from arlon_core.generation.coarse import preview_pictures
from arlon_core.generation.events import AnimaticReady, Event, TokensReady
from arlon_core.generation.plan import SegmentPlan
from arlon_core.generation.request import preview_name
from arlon_core.generation.segment_clips import ReadyClip, SegmentClips
from arlon_core.generation.session import Paused, Session
from arlon_core.generation.tokens import FilmTokens

_SHOWN = 4  # pictures of a segment that its event carries

# Pictures of the segments that were drawn now, for their events.
Shown = dict[int, np.ndarray]


def animatic_events(session: Session, tokens: FilmTokens, blocks: tuple[str, ...]) -> Iterator[Event]:
    """The tokens of all segments, and small clips of each as soon as its own stand.

    blocks: keys of the film's token blocks. Clips are encoded while the next segment's tokens are sampled, so
    the first ones can be watched long before the last; their paths are then in `session.previews`.
    """
    plan = session.request.plan
    shown: Shown = {}
    last, paused = 0, None
    with SegmentClips(session.store, "preview", plan.fps, session.report) as clips:
        try:
            for event in tokens.events():
                yield event
                if not isinstance(event, TokensReady):
                    continue
                segment = plan.segments[event.segment]
                last += len(segment.blocks)
                _sketch(
                    session,
                    tokens,
                    segment,
                    preview_name(session.pipe, segment, blocks[last - 1]),
                    clips,
                    shown,
                )
                yield from _told(session, clips.ready(), shown)
        except Paused as reason:
            paused = reason
        yield from _told(session, clips.rest(), shown)
    if paused is not None:
        raise paused


def _sketch(
    session: Session, tokens: FilmTokens, segment: SegmentPlan, key: str, clips: SegmentClips, shown: Shown
) -> None:
    """Draw a segment's small pictures, unless they lie in the store."""
    session.check_cancelled()
    clip = find_clip(session.store, "preview", key)
    session.report.count("preview", cached=clip is not None)
    if clip is not None:
        clips.found(segment.index, clip)
        return
    session.check_paused()
    clips.begin(key)
    chosen: list[np.ndarray] = []
    stride, done = max(1, segment.frames // _SHOWN), 0
    pictures = preview_pictures(session.pipe, tokens.codes, segment, session.text(segment.index))
    while (frames := _next(session, pictures)) is not None:
        clips.write(frames)
        chosen += [frame for i, frame in enumerate(frames, start=done) if i % stride == 0]
        done += len(frames)
    clips.finish(segment.index)
    shown[segment.index] = np.stack(chosen[:_SHOWN])


def _next(session: Session, pictures: Iterator[np.ndarray]) -> np.ndarray | None:
    session.check_cancelled()
    with session.report.timed("decode"):
        return next(pictures, None)


def _told(session: Session, ready: Iterator[ReadyClip], shown: Shown) -> Iterator[AnimaticReady]:
    for each in ready:
        session.previews.append(each.clip.path)
        yield AnimaticReady(each.segment, shown.pop(each.segment, None), each.clip.path, cached=each.cached)


def animatic_film(session: Session, path: Path) -> Iterator[Event]:
    """Join the small clips into one film of full length at `path`. Raises OutputError."""
    yield from session.write_film(session.previews, path, animatic=True)
    yield AnimaticReady(None, path=path)
