"""The timeline under the film."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from app import words
from app.components.part import page_part


def film_timeline(value: Mapping[str, Any]) -> gr.HTML:
    """The segments as blocks of their true lengths."""
    return page_part("film-timeline", "timeline.js", value, words.TIMELINE)
