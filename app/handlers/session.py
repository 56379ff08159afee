"""One person's page: the story in the editor, whole with its project and its settings. Plain functions.

Stories are kept by the browser and not by the server: a page sends the one that it asks about, and keeps the
one that comes back. What a browser keeps of a story stands beside what handlers.editing puts into the
editor's value::

    project          its project id; it travels with the text, so that an answer that comes late never puts
                     one story's text into another's project
    at               when it was edited last, by the browser's clock: of two tabs' edits the newer one stays
    text
    title            its name in the list of stories; "" while it cannot be read
    chosen           its entry there: "mine:<project>", or while it is untouched "example:<id>" or "new"
    and SETTINGS     what it is rendered with, as typed; "" is the model's own

and, in a story that was just opened, `left`: the one that was on the page before, as it was left.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app import words
from app.handlers import library
from app.handlers.desk import Desk, at_work
from app.handlers.editing import Value, editor_value, import_story, settle
from app.handlers.settings import SETTINGS, chunked
from arlon_core.errors import StoryError

KEPT = ("project", "at", "text", "title", "chosen", *SETTINGS)


def open_page(desk: Desk, kept: Any) -> Value:
    """The story that was in this browser last, half-typed or not; for a stranger, the first example."""
    kept = kept if isinstance(kept, Mapping) else {}
    if isinstance(kept.get("text"), str):
        return open_story(desk, {**kept, "chosen": None}, None)
    return open_story(desk, {"chosen": next(iter(_untouched(desk)))}, None)


def edit(desk: Desk, value: Any, *settings: Any) -> Value:
    """After an edit: text and cards agree. settings: SETTINGS as typed; without them what was kept stays."""
    value = {**(value if isinstance(value, Mapping) else {}), **dict(zip(SETTINGS, settings, strict=False))}
    settled = settle(value, chunked(desk.grid, value.get("chunk")), desk.reader)
    return {**settled, **_kept(desk, value, settled["text"])}


def open_story(desk: Desk, asked: Any, before: Any) -> Value:
    """Open another story than `before`. Raises StoryError when it is gone.

    asked: a story as the browser kept it; where it did not, the `chosen` of an untouched one, or the `text`
    of a file. Those get a project of their own.
    """
    asked = asked if isinstance(asked, Mapping) else {}
    text = _untouched(desk).get(str(asked.get("chosen")), asked.get("text"))
    if not isinstance(text, str):
        raise StoryError(words.GONE)
    before = before if isinstance(before, Mapping) else {}
    left = {name: before[name] for name in KEPT} if before else None
    # An example that another release of the studio told otherwise is another story.
    same = asked if asked.get("text") == text else {}
    value = editor_value(text, chunked(desk.grid, same.get("chunk")), before, desk.reader)
    return {**value, **_kept(desk, same, text), "left": left}


def answer(asked: Any, story: Value) -> Value:
    """A story with the number, `asked`, of the question that it answers: pages ask until they see it."""
    return {**story, "asked": asked.get("asked") if isinstance(asked, Mapping) else None}


def read_file(asked: Any) -> dict[str, str]:
    """A story file's {"text"}, or the {"problem"} with it. asked: its name and content, {"file", "data"}."""
    asked = asked if isinstance(asked, Mapping) else {}
    try:
        return {"text": import_story(str(asked.get("file")), str(asked.get("data")))}
    except StoryError as error:
        return {"problem": str(error)}


def removal_problem(desk: Desk, asked: Any) -> dict[str, str]:
    """The {"problem"} of taking a story off the browser's shelf, if any. asked: its {"project"}."""
    project = asked.get("project") if isinstance(asked, Mapping) else None
    return {"problem": words.AT_WORK} if at_work(desk, project) else {}


def _untouched(desk: Desk) -> dict[str, str]:
    """The texts of the stories that are nobody's yet, by `chosen`; the first one is what a stranger finds."""
    return {**{f"example:{each.id}": each.text for each in desk.examples}, "new": words.NEW_STORY}


def _kept(desk: Desk, value: Mapping[str, Any], text: str) -> Value:
    """What a browser keeps of a story. value: what it kept before, if anything."""
    title, project, at = library.title_of(text), value.get("project"), value.get("at")
    if not library.is_project_id(project):
        project = library.new_project_id(title)
    untouched = {told: chosen for chosen, told in _untouched(desk).items()}
    return {
        "project": project,
        "at": at if isinstance(at, (int, float)) else 0,
        "text": text,
        "title": title,
        "chosen": untouched.get(text, f"mine:{project}"),
        **{name: str(value.get(name) or "") for name in SETTINGS},
    }
