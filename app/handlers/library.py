"""The stories a browser remembers, and the project folder of each.

What a browser keeps is a dict ``{project id: {"text", "title", "at", "steps", "guidance"}}`` of plain JSON
values; the server keeps none of it. steps and guidance are as typed, since all that is rendered depends on
them. A project id is the slug of a title and sixteen random letters: it also keeps one person's films from
others, who would have to guess it.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app import words
from arlon_core.errors import ProjectError, StoryError
from arlon_core.story import parse_story

MAX_STORIES = 40  # what a browser keeps; the oldest goes first (our choice)
_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*-[0-9a-f]{16}")
_MAX_SLUG = 40

Shelf = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Example:
    """A story that comes with the studio. id: its file's name without the suffix."""

    id: str
    title: str
    text: str


def read_examples(folder: Path) -> tuple[Example, ...]:
    """The good stories of a folder, by name; the first one is what a stranger finds on the page."""
    examples = []
    for path in sorted(folder.glob("*.txt")):
        try:
            text = path.read_text(encoding="utf-8")
            title = parse_story(text, path.name).title
        except (OSError, ValueError, StoryError):
            continue
        examples.append(Example(path.stem, title or path.stem, text))
    return tuple(examples)


def new_project_id(title: str) -> str:
    """``the-balloon-at-the-sea-1f0c93ab5d2e8c74``: readable in a folder listing, and not to be guessed."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    slug = "-".join(re.findall(r"[a-z0-9]+", plain.lower()))[:_MAX_SLUG].strip("-")
    return f"{slug or 'story'}-{secrets.token_hex(8)}"


def is_project_id(value: Any) -> bool:
    """Whether this is the form of a project id."""
    return isinstance(value, str) and len(value) <= 100 and _ID.fullmatch(value) is not None


def project_folder(projects: Path, project: Any) -> Path:
    """The folder of a project id. Raises ProjectError for what is none: ids come from browsers."""
    if not is_project_id(project):
        raise ProjectError(words.NOT_A_PROJECT)
    return projects.absolute() / project


def shelf_of(value: Any) -> Shelf:
    """What a browser kept, without what cannot be right."""
    value = value if isinstance(value, Mapping) else {}
    return {
        key: {
            "text": entry["text"],
            "at": _number(entry.get("at")),
            **{name: str(entry.get(name) or "") for name in ("title", "steps", "guidance")},
        }
        for key, entry in value.items()
        if is_project_id(key) and isinstance(entry, Mapping) and isinstance(entry.get("text"), str)
    }


def remember(
    shelf: Shelf, project: str, text: str, now: float, steps: Any = None, guidance: Any = None
) -> Shelf:
    """The shelf with this story on it, half-typed or not. now: seconds since the epoch.

    steps, guidance: as typed, "" for the model's own; None leaves what was kept.
    """
    before = shelf.get(project, {})
    entry = {"text": text, "title": title_of(text) or before.get("title", ""), "at": now}
    for name, typed in (("steps", steps), ("guidance", guidance)):
        entry[name] = before.get(name, "") if typed is None else str(typed)
    kept = {**shelf, project: entry}
    newest = sorted(kept, key=lambda key: kept[key]["at"], reverse=True)[:MAX_STORIES]
    return {key: kept[key] for key in newest}


def find_text(shelf: Shelf, text: str) -> str | None:
    """The project that already holds this very text: opening an example twice finds its film again."""
    return next((key for key, entry in shelf.items() if entry["text"] == text), None)


def title_of(text: str) -> str:
    """A name for a story: its title, else its first prompt; "" while it cannot be read."""
    try:
        story = parse_story(text)
    except StoryError:
        return ""
    return story.title or story.segments[0].prompt[:60]


def file_name(title: str, suffix: str) -> str:
    """A file name for a title, in letters that every file system takes."""
    slug = re.sub(r"[^\w]+", "-", title).strip("-").lower()[:60]
    return f"{slug or 'story'}.{suffix}"


def choices(shelf: Shelf, examples: tuple[Example, ...]) -> dict[str, list[dict[str, str]]]:
    """What can be opened: a person's own stories, newest first, and the examples."""
    own = {
        key: entry for key, entry in shelf.items() if entry["text"] not in {each.text for each in examples}
    }
    newest = sorted(own, key=lambda key: own[key]["at"], reverse=True)
    return {
        "mine": [{"id": key, "title": own[key]["title"] or words.UNTITLED} for key in newest],
        "examples": [{"id": each.id, "title": each.title} for each in examples],
    }


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0
