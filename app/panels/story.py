"""The story panel: the story as cards and as plain text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from app.components.story import story_editor
from app.handlers.desk import Desk
from app.handlers.editing import current_text, export_story
from app.handlers.library import file_name, title_of
from app.handlers.session import read_file, removal_problem
from arlon_core.errors import StoryError


def story_panel(value: Mapping[str, Any], desk: Desk) -> dict[str, gr.Component]:
    """The panel's components by name. value: the story that is there from the first moment."""
    listed = [{"id": each.id, "title": each.title} for each in desk.examples]

    def removable(asked: Any) -> dict[str, str]:
        return removal_problem(desk, asked)

    return {"editor": story_editor(value, listed, [exported, read_file, removable])}


def exported(asked: Any) -> dict[str, str]:
    """What the editor saves: {"content", "name"}, or {"problem"}. asked: {"value", "form"}."""
    asked = asked if isinstance(asked, Mapping) else {}
    form = "json" if asked.get("form") == "json" else "txt"
    try:
        content = export_story(asked.get("value"), form)
    except StoryError as error:
        return {"problem": str(error)}
    return {"content": content, "name": file_name(title_of(current_text(asked.get("value"))), form)}
