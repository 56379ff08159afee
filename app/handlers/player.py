"""The value of a film player (components.player).

It is the whole truth about the film so far, so that any value can follow any other, also after a
reload; start, duration and total are in seconds:

    {"segments": [{"index": 0, "url": "/gradio_api/...", "start": 0.0, "duration": 4.0, "version": "9f3a"},
                  ...], "total": 30.0, "done": false, "film": null, "edited": false}

Two clips of one segment differ in their version when their pixels do; a segment whose version changes is
replaced alone. done: nothing will follow. film: URL of the finished film. edited: joins, captions or a sound
make it more than its clips one after another; then it is played itself, and total is its length. The files
must lie below a folder that ``launch(allowed_paths=...)`` names.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.handlers.urls import file_url
from arlon_core.generation.events import SegmentReady
from arlon_core.generation.plan import Plan


def player_value(
    plan: Plan | None,
    segments: Mapping[int, SegmentReady],
    film: Path | None = None,
    *,
    done: bool | None = None,
    seconds: float | None = None,
    edited: bool = False,
) -> dict[str, Any]:
    """The value of a film player.

    plan: None before there is one. segments: what is rendered, by index; a clip that does not fit the plan,
    as an edit of the story leaves it, is passed over, so those of an earlier render may stay until each is
    replaced. film: the finished film. done: nothing will follow; by default, when there is a film.
    seconds: the true length of the finished film, by default the plan's; crossfades shorten it. edited: it
    has joins, captions or a sound that its clips have not; one of another length has in any case.
    """
    if plan is None:
        return {"segments": [], "total": 0.0, "done": False, "film": None, "edited": False}
    length = plan.seconds if film is None or seconds is None else seconds
    ready = [(planned, segments[planned.index]) for planned in plan.segments if planned.index in segments]
    return {
        "segments": [
            {
                "index": planned.index,
                "url": file_url(clip.path),
                "start": planned.start_seconds,
                "duration": planned.frames / plan.fps,
                "version": clip.frame_hash or clip.path.stem,
            }
            for planned, clip in ready
            if clip.frames == planned.frames
        ],
        "total": length,
        "done": film is not None if done is None else done,
        "film": None if film is None else file_url(film),
        "edited": film is not None and (edited or round(length * plan.fps) != plan.frames),
    }
