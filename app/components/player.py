"""The film player: a gr.HTML that shows a film while it is rendered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from app.assets import ASSETS, css

TEMPLATE = """\
<div class="film-player">
  <video controls playsinline preload="auto"></video>
  <p class="film-status" role="status"></p>
  <p class="film-message" role="alert" hidden></p>
</div>"""


def film_player(
    value: Mapping[str, Any] | None = None, *, words: Mapping[str, str], **options: Any
) -> gr.HTML:
    """Plays the film described by its value (handlers.player) and says how much of it is rendered.

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


def _script(name: str) -> str:
    return (ASSETS / "js" / name).read_text(encoding="utf-8")
