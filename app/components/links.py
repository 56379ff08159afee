"""Links to files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from app.components.part import page_part


def film_links(value: list[Mapping[str, Any]], elem_id: str = "film-links") -> gr.HTML:
    """Links to what can be downloaded."""
    return page_part("film-links", "links.js", value, {}, elem_id=elem_id)
