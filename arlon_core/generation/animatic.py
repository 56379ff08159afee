"""The animatic: the whole story as small pictures, from the tokens alone, before anything expensive runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from arlon_core.generation.clips import Clip, ClipWriter, find_clip
from arlon_core.generation.coarse import preview_pictures
from arlon_core.generation.events import AnimaticReady, Event
from arlon_core.generation.plan import SegmentPlan
from arlon_core.generation.request import preview_name
from arlon_core.generation.session import Session

if TYPE_CHECKING:
    from torch import Tensor

_SHOWN = 4  # pictures of a segment that its event carries


def animatic_events(session: Session, tokens: Tensor, blocks: tuple[str, ...]) -> Iterator[Event]:
    """Small clips of all segments, an event each, kept in the store.

    tokens: (latent frames, S) of the whole film; blocks: keys of its token blocks.
    """
    last = 0
    for segment in session.request.plan.segments:
        session.check_cancelled()
        last += len(segment.blocks)
        key = preview_name(session.pipe, segment, blocks[last - 1])
        clip = find_clip(session.store, "preview", key)
        session.report.count("preview", cached=clip is not None)
        shown = None
        if clip is None:
            session.check_paused()
            clip, shown = _write_clip(session, tokens, segment, key)
        session.previews.append(clip.path)
        yield AnimaticReady(segment.index, shown, clip.path, cached=shown is None)


def _write_clip(session: Session, tokens: Tensor, segment: SegmentPlan, key: str) -> tuple[Clip, np.ndarray]:
    shown: list[np.ndarray] = []
    stride = max(1, segment.frames // _SHOWN)
    done = 0
    pictures = preview_pictures(session.pipe, tokens, segment, session.text(segment.index))
    with ClipWriter(session.store, "preview", key, session.request.plan.fps) as writer:
        while True:
            with session.report.timed("decode"):
                frames = next(pictures, None)
            if frames is None:
                break
            with session.report.timed("encode"):
                writer.write(frames)
            shown += [frame for i, frame in enumerate(frames, start=done) if i % stride == 0]
            done += len(frames)
        with session.report.timed("encode"):
            clip = writer.finish()
    return clip, np.stack(shown[:_SHOWN])


def animatic_film(session: Session, path: Path) -> AnimaticReady:
    """Join the small clips into one film of full length at `path`. Raises OutputError."""
    session.write_film(session.previews, path)
    return AnimaticReady(None, path=path)
