"""What a project has rendered: the clips of its last whole render, as the journal tells. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from arlon_core.errors import ProjectError
from arlon_core.generation.runs import Run, last_whole, read_runs
from arlon_core.media.edit_plan import EditPlan, plan_edit
from arlon_core.media.film_settings import FilmSettings
from arlon_core.story import Story


@dataclass(frozen=True)
class RenderedClip:
    """A segment's clip. frames: as many as it holds. frame_hash: as in SegmentReady."""

    path: Path
    frames: int
    frame_hash: str = ""


@dataclass(frozen=True)
class RenderedFilm:
    """A story and the clips of all its segments, in order. settings: what they were rendered with.

    path, subtitles, report: as in FilmReady; without a path when the render ended before they were joined.
    """

    project: Path
    story: Story
    fps: int
    clips: tuple[RenderedClip, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    path: Path | None = None
    subtitles: Path | None = None
    report: Mapping[str, Any] = field(default_factory=dict)

    @property
    def prompts(self) -> list[str]:
        return [segment.prompt for segment in self.story.segments]

    def plan(self, settings: FilmSettings) -> EditPlan:
        """The film that these settings make of it, to the frame. Raises FilmError when joins do not fit."""
        joins = settings.edit(self.prompts, self.project).joins
        return plan_edit([clip.frames for clip in self.clips], joins, self.fps)


def last_rendered(project: str | Path) -> RenderedFilm:
    """The film of a project's last render that came to its end; later ones that did not are passed over.

    Raises ProjectError when there is no project, or no render in it that has all its segments.
    """
    project = Path(project)
    if not project.is_dir():
        raise ProjectError(f"{project} is no project; give a folder that `render --project` has filled.")
    runs = read_runs(project)
    run = last_whole(runs)
    if run is not None:
        return _film(run, project)
    begun = next((run for run in reversed(runs) if run.clips), None)
    if begun is None:
        raise ProjectError(f"{project} holds no rendered segments; render the story first.")
    number, count = begun.missing[0] + 1, len(begun.borders)
    raise ProjectError(
        f"segment {number} of {count} is not rendered in {project}; render the story to its end first."
    )


def _film(run: Run, project: Path) -> RenderedFilm:
    clips = [run.clips[index] for index in range(len(run.borders))]
    found = tuple(RenderedClip(clip.path, clip.frames, clip.frame_hash) for clip in clips)
    film = RenderedFilm(project, run.story, run.fps, found, run.settings)
    ready = run.ready
    if ready is None:
        return film
    path, subtitles = (_there(each) for each in (ready.path, ready.subtitles))
    return replace(film, path=path, subtitles=subtitles, report=ready.report)


def _there(path: Path | None) -> Path | None:
    """A file, None for one that is gone."""
    return path if path is not None and path.is_file() else None
