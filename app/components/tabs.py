"""The tabs of the stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from app import words
from app.components.part import page_part


def stage_tabs(value: Mapping[str, Any]) -> gr.HTML:
    """Shows film or animatic. value: {"show": "film" or "animatic", "turn": another number to show it}."""
    return page_part("stage-tabs", "tabs.js", value, {"film": words.FILM, "animatic": words.ANIMATIC})
