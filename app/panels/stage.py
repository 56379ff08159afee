"""The stage: film and animatic in their players, the timeline, the buttons, and how far the work is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from app import words
from app.components.line import text_line
from app.components.links import film_links
from app.components.player import film_player
from app.components.progress import progress_display
from app.components.tabs import stage_tabs
from app.components.timeline import film_timeline
from app.handlers.settings import SETTINGS


def stage_panel(values: Mapping[str, Any]) -> dict[str, gr.Component]:
    """The panel's components by name. values: what each shows at first (handlers.page)."""
    parts: dict[str, Any] = {}
    parts["tabs"] = stage_tabs({"show": "film", "turn": 0})
    for name in ("film", "animatic"):
        parts[name] = film_player(
            values[name], elem_id=name, elem_classes=player_classes(values[name]), words=words.PLAYER[name]
        )
    parts["timeline"] = film_timeline(values["timeline"])
    with gr.Row(elem_id="actions"):
        early: dict[str, Any] = {"interactive": False}  # until the browser's own story is there
        narrow: dict[str, Any] = {**early, "min_width": 80}
        parts["make_animatic"] = gr.Button(words.ANIMATIC, elem_id="make-animatic", **narrow)
        parts["render"] = gr.Button(words.RENDER, elem_id="render", variant="primary", **narrow)
        parts["cancel"] = gr.Button(words.CANCEL, elem_id="cancel", **narrow)
    parts["notice"] = text_line("notice", role="alert")
    parts["progress"] = progress_display(values["progress"])
    parts["links"] = film_links(values["links"])
    with gr.Accordion(words.SETTINGS, open=False, elem_id="settings"), gr.Row():
        # No gr.Number: an empty one turns to 0 as soon as it is visited.
        for name in SETTINGS:
            parts[name] = gr.Textbox(
                label=words.SETTING[name], placeholder=words.BY_MODEL, max_lines=1, **early
            )
    return parts


def player_classes(value: Mapping[str, Any]) -> list[str]:
    """A player that has nothing to show yet is a picture instead."""
    return [] if value["segments"] or value["film"] else ["empty"]
