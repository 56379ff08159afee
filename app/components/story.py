"""The story editor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from app import words
from app.components.part import page_part


def story_editor(
    value: Mapping[str, Any],
    examples: list[dict[str, str]],
    server_functions: list[Callable[[Any], dict[str, str]]],
) -> gr.HTML:
    """Cards and plain text of one story, and the browser's shelf of stories. examples: id and title of each.

    Events: "typed"; with the story that is asked for (handlers.session) "started" and "opened".
    """
    options: dict[str, Any] = {"examples": examples, "server_functions": server_functions}
    helpers = ("shelf.js", "removal.js", "cards.js")
    return page_part("story-editor", "story.js", value, words.EDITOR, helpers=helpers, **options)
