"""The page's own components: each a gr.HTML with a fixed frame, drawn by its script from a plain JSON value.

The frame never changes, so gradio leaves the inside alone; and no text of a person is ever put into a
template, only into nodes. Functions rather than subclasses: for every class made, gradio writes a stub file
beside its source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from app import words
from app.assets import script


def story_editor(
    value: Mapping[str, Any],
    examples: list[dict[str, str]],
    server_functions: list[Callable[[Any], dict[str, str]]],
) -> gr.HTML:
    """Cards and plain text of one story, and the browser's shelf of stories. examples: id and title of each.

    Events: "typed"; with the story that is asked for (handlers.session) "started" and "opened".
    """
    options: dict[str, Any] = {"examples": examples, "server_functions": server_functions}
    return _part("story-editor", "story.js", value, words.EDITOR, helpers=("shelf.js",), **options)


def progress_display(value: Mapping[str, Any]) -> gr.HTML:
    """What runs, how far it is, and when it will be done."""
    return _part("progress-display", "progress.js", value, words.PROGRESS)


def stage_tabs(value: Mapping[str, Any]) -> gr.HTML:
    """Shows film or animatic. value: {"show": "film" or "animatic", "turn": another number to show it}."""
    return _part("stage-tabs", "tabs.js", value, {"film": words.FILM, "animatic": words.ANIMATIC})


def film_timeline(value: Mapping[str, Any]) -> gr.HTML:
    """The segments as blocks of their true lengths."""
    return _part("film-timeline", "timeline.js", value, words.TIMELINE)


def film_links(value: list[Mapping[str, Any]], elem_id: str = "film-links") -> gr.HTML:
    """Links to what can be downloaded."""
    return _part("film-links", "links.js", value, {}, elem_id=elem_id)


def text_line(name: str, value: Mapping[str, str] | None = None, role: str = "status") -> gr.HTML:
    """One line {"state", "line"}, read out by screen readers when it changes."""
    return _part(name, "line.js", value, {}, frame=f'<p role="{role}"></p>')


def _part(
    name: str,
    file: str,
    value: Any,
    wording: Mapping[str, str],
    *,
    frame: str = "",
    helpers: tuple[str, ...] = (),
    elem_id: str | None = None,
    **options: Any,
) -> gr.HTML:
    return gr.HTML(
        value=value,
        html_template=f'<div class="{name}">{frame}</div>',
        js_on_load=script(*helpers, file),
        apply_default_css=False,
        elem_id=elem_id or name,
        words=dict(wording),
        **options,
    )
