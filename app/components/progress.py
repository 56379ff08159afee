"""The progress display."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from app import words
from app.components.part import page_part


def progress_display(value: Mapping[str, Any]) -> gr.HTML:
    """What runs, how far it is, and when it will be done."""
    return page_part("progress-display", "progress.js", value, words.PROGRESS)
