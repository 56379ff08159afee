"""What a project has rendered: the clips of its last whole render, as the journal tells. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from arlon_core.errors import ArlonError, ProjectError
from arlon_core.generation.events import FilmReady
from arlon_core.media.edit_plan import EditPlan, plan_edit
from arlon_core.media.film_settings import FilmSettings
from arlon_core.store.journal import Journal
from arlon_core.story import Story, parse_story


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
    runs = _runs(Journal(project / "journal.jsonl").read())
    # Journals of before FilmReady was noted in them: their film is the one that lies there.
    unnoted = None if any(run.ready for run in runs) else FilmReady(project / "film.mp4")
    for run in reversed(runs):
        if run.clips and not run.missing:
            return run.film(project, run.ready or unnoted)
    begun = next((run for run in reversed(runs) if run.clips), None)
    if begun is None:
        raise ProjectError(f"{project} holds no rendered segments; render the story first.")
    number, count = begun.missing[0] + 1, len(begun.borders)
    raise ProjectError(
        f"segment {number} of {count} is not rendered in {project}; render the story to its end first."
    )


@dataclass
class _Run:
    """One start of the engine, as its journal's records tell."""

    story: Story
    settings: Mapping[str, Any]
    fps: int = 0
    borders: list[list[int]] = field(default_factory=list)
    clips: dict[int, RenderedClip] = field(default_factory=dict)
    ready: FilmReady | None = None

    @property
    def missing(self) -> list[int]:
        return [index for index in range(len(self.borders)) if index not in self.clips]

    def film(self, project: Path, ready: FilmReady | None) -> RenderedFilm:
        clips = tuple(_found(self.clips[index], project) for index in range(len(self.borders)))
        film = RenderedFilm(project, self.story, self.fps, clips, self.settings)
        if ready is None:
            return film
        path, subtitles = (_in_project(project, each) for each in (ready.path, ready.subtitles))
        return replace(film, path=path, subtitles=subtitles, report=ready.report)


def _runs(records: list[dict[str, Any]]) -> list[_Run]:
    """The runs of a journal, oldest first; records that no run of ours writes are passed over."""
    runs: list[_Run] = []
    for record in records:
        try:
            if record["record"] == "story":
                runs.append(_Run(parse_story(record["text"]), dict(record.get("settings") or {})))
            elif record["record"] == "plan" and runs:
                runs[-1].fps, runs[-1].borders = int(record["fps"]), list(record["segments"])
            elif record["record"] == "event" and runs:
                _note(runs[-1], record["event"])
        except (ArlonError, KeyError, TypeError, ValueError):
            continue
    return runs


def _note(run: _Run, event: Mapping[str, Any]) -> None:
    if event["event"] == "SegmentReady":
        clip = RenderedClip(Path(event["path"]), int(event["frames"]), str(event.get("frame_hash", "")))
        run.clips[int(event["segment"])] = clip
    elif event["event"] == "FilmReady":
        subtitles = event.get("subtitles")
        report = dict(event.get("report") or {})
        run.ready = FilmReady(Path(event["path"]), report, None if subtitles is None else Path(subtitles))


def _found(clip: RenderedClip, project: Path) -> RenderedClip:
    """The clip where it lies now: the journal's path is wrong once the project was moved or copied."""
    kept = project / "artefacts" / "clip" / clip.path.stem[:2] / clip.path.name
    return replace(clip, path=kept) if kept.is_file() else clip


def _in_project(project: Path, path: Path | None) -> Path | None:
    """A file as it lies in the project now; None for one that was never written there, or is gone."""
    kept = None if path is None else project / path.name
    return kept if kept is not None and kept.is_file() else None
