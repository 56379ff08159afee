"""Editing the clips of a project again, without any model: another film from the same segments."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from arlon_core.errors import ProjectError
from arlon_core.generation.rendered import RenderedFilm, last_rendered
from arlon_core.media.film_settings import FilmSettings, read_film_settings
from arlon_core.story import format_story

if TYPE_CHECKING:
    from arlon_core.media.film import FilmInfo


def export_film(
    project: str | Path,
    path: str | Path,
    settings: FilmSettings | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> FilmInfo:
    """Write the film of a project's last whole render to `path` (.mp4, .webm or .gif).

    settings: instead of the project's film.json; without either, cuts. progress: called with (frames written,
    frames in all); it may raise to cancel. How long the film will be is told before by
    `last_rendered(project).plan(settings)`.
    Raises ProjectError when not all segments are rendered, FilmError when the settings do not fit them,
    OutputError when the film cannot be written; what was there stays.
    """
    film = last_rendered(project)
    if settings is None:
        settings = read_film_settings(film.project) or FilmSettings()
    return export_rendered(film, path, settings, progress)


def export_rendered(
    film: RenderedFilm,
    path: str | Path,
    settings: FilmSettings,
    progress: Callable[[int, int], None] | None = None,
) -> FilmInfo:
    """As `export_film`, of a render that was looked up before."""
    from arlon_core.media.clips import count_frames
    from arlon_core.media.film import write_film

    film.plan(settings)
    for number, clip in enumerate(film.clips, start=1):
        if not clip.path.is_file() or count_frames(clip.path) != clip.frames:
            raise ProjectError(f"the clip of segment {number} ({clip.path}) is not whole; render it again.")
    return write_film(
        [clip.path for clip in film.clips],
        path,
        film.fps,
        title=film.story.title,
        comment={"story": format_story(film.story), **film.settings},
        progress=progress,
        edit=settings.edit(film.prompts, film.project),
    )
