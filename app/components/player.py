"""The film player: a gr.HTML that shows a film while it is rendered.

Its value is the whole truth about the film so far, so that any value can follow any other, also after a
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
from urllib.parse import quote

import gradio as gr

from app.assets import ASSETS, css
from arlon_core.generation.events import SegmentReady
from arlon_core.generation.plan import Plan

TEMPLATE = """\
<div class="film-player">
  <video controls playsinline preload="auto"></video>
  <p class="film-status" role="status"></p>
  <p class="film-message" role="alert" hidden></p>
</div>"""


def film_player(
    value: Mapping[str, Any] | None = None, *, words: Mapping[str, str], **options: Any
) -> gr.HTML:
    """Plays the film described by its value and says how much of it is rendered.

    Events that write into it need ``show_progress="hidden"``, or gradio dims the film at every update. words:
    as in ``words.PLAYER``. options: what gr.HTML takes.
    A function, not a subclass: for every subclass gradio writes a stub file beside its source.
    """
    return gr.HTML(
        value=dict(value) if value else None,
        html_template=TEMPLATE,
        css_template=css("player.css"),
        js_on_load=_script("player_source.js") + _script("player.js"),
        apply_default_css=False,
        words=dict(words),
        **options,
    )


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


def file_url(path: Path) -> str:
    """Where gradio serves a file, from the server's root; a file written again gets another URL."""
    path = path.absolute()
    version = f"?v={path.stat().st_mtime_ns:x}" if path.exists() else ""
    return f"/gradio_api/file={quote(str(path))}{version}"


def _script(name: str) -> str:
    return (ASSETS / "js" / name).read_text(encoding="utf-8")
