"""The film panel: how the rendered segments become a film, how long it is, and its export."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from app import words
from app.components.line import text_line
from app.components.links import film_links
from app.handlers.filming import FORMATS
from arlon_core.media.film_settings import CAPTIONS, JOINS, MAX_JOIN_SECONDS

CONTROLS = ("join", "join_seconds", "captions", "sound", "remove_sound", "volume")
MAX_SHOWN_VOLUME = 2


def film_panel(values: Mapping[str, Any], controls: Mapping[str, Any]) -> dict[str, gr.Component]:
    """The panel's components by name. values: handlers.page; controls: handlers.filming.film_controls."""
    parts: dict[str, Any] = {}
    with gr.Accordion(words.THE_FILM, open=False, elem_id="film-panel"):
        with gr.Row():
            parts["join"] = _choice("join", words.JOIN, words.JOINS, JOINS, controls["join"])
            parts["join_seconds"] = gr.Number(
                controls["join_seconds"],
                label=words.JOIN_SECONDS,
                minimum=0,
                maximum=MAX_JOIN_SECONDS,
                step=0.1,
                min_width=110,
                elem_id="join-seconds",
                interactive=True,
            )
        with gr.Row():
            parts["captions"] = _choice(
                "captions", words.CAPTION, words.CAPTIONS, CAPTIONS, controls["captions"]
            )
            parts["format"] = _choice("format", words.FORMAT, words.FORMATS, FORMATS, FORMATS[0])
        with gr.Row(elem_id="sound-row"):
            sound = controls["sound"]
            parts["sound"] = gr.UploadButton(
                sound["label"], file_types=["audio", "video"], elem_id="sound", min_width=120
            )
            parts["remove_sound"] = gr.Button(
                words.REMOVE_SOUND, visible=sound["there"], elem_id="remove-sound", min_width=80
            )
            parts["volume"] = gr.Slider(
                0,
                MAX_SHOWN_VOLUME,
                sound["volume"],
                step=0.05,
                label=words.VOLUME,
                buttons=[],
                visible=sound["there"],
                min_width=140,
                elem_id="volume",
                interactive=True,
            )
        parts["length"] = text_line("length", values["length"])
        parts["film_notice"] = text_line("film-notice", role="alert")
        with gr.Row():
            parts["export"] = gr.Button(words.EXPORT, elem_id="export", min_width=80)
            parts["cancel_export"] = gr.Button(
                words.CANCEL, elem_id="cancel-export", interactive=values["cancel_export"], min_width=80
            )
        parts["exported"] = text_line("exported", values["exported"])
        parts["export_links"] = film_links(values["export_links"], elem_id="export-links")
    return parts


def _choice(
    name: str, label: str, wording: Mapping[str, str], choices: tuple[str, ...], value: str
) -> gr.Dropdown:
    named = [(wording[choice], choice) for choice in choices]
    return gr.Dropdown(named, value=value, label=label, elem_id=name, min_width=140, interactive=True)


def control_updates(controls: Mapping[str, Any]) -> dict[str, Any]:
    """Updates of the parts CONTROLS, for another project or another sound."""
    sound = controls["sound"]
    return {
        **{name: gr.update(value=controls[name]) for name in ("join", "join_seconds", "captions")},
        "sound": gr.update(value=None, label=sound["label"]),
        "remove_sound": gr.update(visible=sound["there"]),
        "volume": gr.update(value=sound["volume"], visible=sound["there"]),
    }
