"""The story editor's value: text and cards of one story, made to agree after every edit.

The value is a dict of plain JSON values::

    rev      counts the edits; the page drops an answer that is older than what was typed since, and takes no
             edit at 0, before the browser has said which story it had
    heard    the rev that the server has answered: the page hears of no answer that brings nothing new
    from     who changed it last: "text", "cards", or "studio" for a story that was opened
    text     the story as text, half-typed lines and all
    sheet    the cards of the last good story (handlers.sheet), or the cards as they are being typed
    problem  None, or {"message", "line", "card"}: one sentence; line from 1, card from 0, either None
    plan     of the last good story (handlers.planning)
    shows    what the film will show in each segment, or ""; None while the text is no story
    hints    what to know of the words of each prompt, or ""; None likewise

Only the text is the story: what is rendered is read from it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app import words
from app.handlers.planning import UNKNOWN, Grid, Reader, story_hints, story_plan, story_shows
from app.handlers.sheet import card_lines, read_sheet, sheet_from_json, sheet_to_json, write_sheet
from arlon_core.errors import StoryError
from arlon_core.story import Story, format_story, parse_story, read_story, story_to_json

Value = dict[str, Any]

_LINE = re.compile(r", line ([0-9]+): ")
_SEGMENT = re.compile(r"segment ([0-9]+) ")


def editor_value(
    text: str,
    grid: Grid | None,
    before: Mapping[str, Any] | None = None,
    reader: Reader = UNKNOWN,
) -> Value:
    """A story that was opened, shown instead of `before`, with its problem if it has one."""
    rev = _count((before or {}).get("rev")) + 1
    return settle({"rev": rev, "from": "studio", "text": text}, grid, reader)


def settle(value: Any, grid: Grid | None, reader: Reader = UNKNOWN) -> Value:
    """Text, cards and all the rest agree after an edit. Never raises: what is wrong is the problem."""
    value = value if isinstance(value, Mapping) else {}
    by_cards = value.get("from") == "cards"
    sheet = sheet_from_json(value.get("sheet"))
    text = current_text(value)
    settled = {
        "rev": _count(value.get("rev")),
        "heard": _count(value.get("rev")),
        "from": value.get("from"),
        "text": text,
        "sheet": sheet_to_json(sheet),
        "problem": None,
        "plan": value.get("plan"),
        "hints": None,
        "shows": None,
    }
    try:
        story = parse_story(text, words.THE_STORY)
        settled["sheet"] = sheet_to_json(read_sheet(text))
        settled["hints"] = story_hints(story, reader)
        settled["shows"] = story_shows(story, reader)
        settled["plan"] = story_plan(story, grid)
    except StoryError as error:
        settled["problem"] = _problem(str(error), card_lines(sheet) if by_cards else [])
    return settled


def current_text(value: Any) -> str:
    """The story's text as it stands on the page, also in the moment before the text follows the cards."""
    value = value if isinstance(value, Mapping) else {}
    if value.get("from") == "cards":
        return write_sheet(sheet_from_json(value.get("sheet")))
    text = value.get("text")
    return text if isinstance(text, str) else ""


def project_of(value: Any) -> Any:
    """The project id of the story on the page, as the page says."""
    return value.get("project") if isinstance(value, Mapping) else None


def current_story(value: Any, grid: Grid | None) -> Story:
    """The story to render. Raises StoryError: nothing is rendered that the page does not show."""
    story = parse_story(current_text(value), words.THE_STORY)
    story_plan(story, grid)
    return story


def export_story(value: Any, form: str) -> str:
    """The story as a file's content, form "txt" (as it stands) or "json". Raises StoryError for json."""
    text = current_text(value)
    if form != "json":
        return text
    story = parse_story(text, words.THE_STORY)
    return json.dumps(story_to_json(story), ensure_ascii=False, indent=2) + "\n"


def import_story(name: str, data: str) -> str:
    """The text of a story file that a browser sent. data: its bytes in base64.

    Raises StoryError naming the file, where possible the line, and the mend.
    """
    try:
        content = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise StoryError(words.file_not_received(name)) from None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / _file_name(name)
        path.write_bytes(content)
        story = read_story(path)
    try:
        text = content.decode("utf-8-sig")
        if parse_story(text) == story:
            return text  # with its comments
    except StoryError:
        pass  # JSON, which as text is no story
    return format_story(story)


def _file_name(name: str) -> str:
    """A name that any file system takes, with the suffix that says how to read it."""
    return "".join(each for each in Path(name).name if each.isprintable())[-60:].lstrip(".") or "story"


def _problem(message: str, lines: list[int]) -> dict[str, Any]:
    """lines: where the cards stand in the text, when the cards were edited last."""
    at_line, at_segment = _LINE.search(message), _SEGMENT.search(message)
    line = int(at_line.group(1)) if at_line else None
    card = lines.index(line) if line in lines else None
    if line is None and at_segment:
        card = int(at_segment.group(1)) - 1
    return {"message": message, "line": line, "card": card}


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
