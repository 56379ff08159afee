"""The last step of every render: clips that stand become one file, which says how it was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arlon_core.generation.chunks import CancelCheck, stop_if_cancelled
from arlon_core.media.film_settings import CUTS, Edit
from arlon_core.story import Story, format_story

if TYPE_CHECKING:
    from arlon_core.media.film import FilmInfo


def join_film(
    clips: Sequence[Path],
    path: Path,
    fps: int,
    story: Story,
    settings: Mapping[str, Any],
    cancel: CancelCheck,
    edit: Edit = CUTS,
) -> FilmInfo:
    """Join clips into one file that carries story and settings. Raises OutputError, FilmError, Cancelled."""
    from arlon_core.media.film import write_film

    def progress(done: int, total: int) -> None:
        stop_if_cancelled(cancel)

    comment = {"story": format_story(story), **settings}
    return write_film(clips, path, fps, story.title, comment, progress, edit)
