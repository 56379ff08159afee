"""The stories that come with the studio, the names of stories, and the project folder of each.

A project id is the slug of a title and sixteen random letters: it also keeps one person's films from others,
who would have to guess it.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app import words
from arlon_core.errors import ProjectError, StoryError
from arlon_core.story import parse_story

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*-[0-9a-f]{16}")
_MAX_SLUG = 40


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
