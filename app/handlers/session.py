"""One person's page: which story is in the editor, and what their browser remembers. Plain functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app import words
from app.handlers import library
from app.handlers.desk import Desk
from app.handlers.editing import Value, editor_value, import_story, settle
from arlon_core.errors import ProjectError, StoryError


@dataclass(frozen=True)
class Session:
    """editor: the story editor's value. project: its project id. shelf: the stories the browser keeps."""

    editor: Value
    project: str
    shelf: library.Shelf

    @property
    def settings(self) -> dict[str, str]:
        """What this story is rendered with, as typed; "" is the model's own."""
        return {name: self.shelf[self.project][name] for name in ("steps", "guidance")}


def open_page(desk: Desk, project: Any, shelf: Any) -> Session:
    """The story that was in this browser last, half-typed or not; for a stranger, the first example."""
    kept = library.shelf_of(shelf)
    if project in kept:
        return _show(desk, kept[project]["text"], project, kept, None)
    return open_text(desk, desk.examples[0].text if desk.examples else words.NEW_STORY, kept, None)


def edit(
    desk: Desk, value: Any, project: Any, shelf: Any, steps: Any = None, guidance: Any = None
) -> Session:
    """After an edit: text and cards agree, and the browser remembers what was typed, the settings too."""
    settled = settle(value, desk.grid, desk.known_words)
    try:
        library.project_folder(desk.projects, project)
    except ProjectError:
        project = library.new_project_id(library.title_of(settled["text"]))
    kept = library.shelf_of(shelf)
    kept = library.remember(kept, project, settled["text"], desk.now(), steps, guidance)
    return Session({**settled, **_choices(desk, kept, project)}, project, kept)


def open_story(desk: Desk, choice: Any, value: Any, shelf: Any) -> Session:
    """Open "mine:<project id>", "example:<id>" or "new". Raises StoryError when it is gone."""
    kept = library.shelf_of(shelf)
    kind, _, name = str(choice).partition(":")
    if kind == "mine" and name in kept:
        return _show(desk, kept[name]["text"], name, kept, value)
    if kind == "new":
        return open_text(desk, words.NEW_STORY, kept, value)
    for example in desk.examples:
        if kind == "example" and example.id == name:
            return open_text(desk, example.text, kept, value)
    raise StoryError(words.GONE)


def open_file(desk: Desk, name: Any, data: Any, value: Any, shelf: Any) -> Session:
    """Open a story file that the browser sent. Raises StoryError; the story on the page stays then."""
    text = import_story(str(name), str(data))
    return open_text(desk, text, library.shelf_of(shelf), value)


def open_text(desk: Desk, text: str, shelf: library.Shelf, before: Any) -> Session:
    """Open a text in a project of its own; one that the browser holds already is opened again."""
    project = library.find_text(shelf, text) or library.new_project_id(library.title_of(text))
    return _show(desk, text, project, library.remember(shelf, project, text, desk.now()), before)


def _show(desk: Desk, text: str, project: str, shelf: library.Shelf, before: Any) -> Session:
    before = before if isinstance(before, Mapping) else None
    value = editor_value(text, desk.grid, before, desk.known_words)
    return Session({**value, **_choices(desk, shelf, project)}, project, shelf)


def _choices(desk: Desk, shelf: library.Shelf, project: str) -> Value:
    """What the editor's list of stories shows. chosen: the entry that is open."""
    listed = library.choices(shelf, desk.examples)
    text = shelf[project]["text"]
    example = next((each.id for each in desk.examples if each.text == text), None)
    return {"choices": listed, "chosen": f"mine:{project}" if example is None else f"example:{example}"}
