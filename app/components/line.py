"""A line of text."""

from __future__ import annotations

from collections.abc import Mapping

import gradio as gr

from app.components.part import page_part


def text_line(name: str, value: Mapping[str, str] | None = None, role: str = "status") -> gr.HTML:
    """One line {"state", "line"}, read out by screen readers when it changes."""
    return page_part(name, "line.js", value, {}, frame=f'<p role="{role}"></p>')
