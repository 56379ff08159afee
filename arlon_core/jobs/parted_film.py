"""One film on its way through several calls: what is left, what has been told, and the joins between them."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arlon_core.generation.events import (
    AnimaticReady,
    Event,
    FilmReady,
    Joining,
    PartReady,
    SegmentReady,
    WarningRaised,
    event_record,
)
from arlon_core.generation.film_edit import check_film_edit, film_edit, remember_segments
from arlon_core.generation.plan import chunk_length, chunk_passes, make_plan
from arlon_core.jobs.gpu_calls import Work
from arlon_core.jobs.records import JobRequest
from arlon_core.media.film_settings import CUTS, Edit
from arlon_core.store import Journal

if TYPE_CHECKING:
    from arlon_core.media.film import FilmInfo
    from arlon_core.pipeline import ArlonPipeline


class PartedFilm:
    """The state of one job between its calls. Every call replays the film from its beginning."""

    def __init__(self, pipe: ArlonPipeline, request: JobRequest) -> None:
        """Reads the model's configuration alone, no weights. Raises ArlonError."""
        config = pipe.config
        seconds = [segment.seconds for segment in request.story.segments]
        chunk = chunk_length(request.chunk, config.max_new)
        plan = make_plan(seconds, config.fps, max_new=chunk, overlap=config.overlap)
        steps = config.num_inference_steps if request.steps is None else request.steps
        guidance = config.guidance_scale if request.guidance is None else request.guidance
        self.request = request
        self.work = Work(plan, passes=chunk_passes(steps, guidance))
        self._film = request.kind == "render"
        self._with_animatic = not self._film or pipe.preview_decoder is not None
        if self._film:
            check_film_edit(request.project, request.story, plan)
        self.left = self.work.all(film=self._film, with_animatic=self._with_animatic)
        self._told: set[tuple[Any, ...]] = set()
        self._sketches: dict[int, Path] = {}
        self._clips: dict[int, Path] = {}
        self._parts: list[PartReady] = []

    @property
    def sketched(self) -> bool:
        """Whether all tokens and small pictures stand."""
        return not self.left.blocks and not self.left.previews

    @property
    def rendered(self) -> bool:
        """Whether all clips stand and have been told, or none are asked for."""
        return not self._film or len(self._clips) == len(self.work.plan.segments)

    def is_news(self, event: Event) -> bool:
        """Whether an event has not been told yet."""
        mark = (
            type(event),
            *(getattr(event, name, None) for name in ("segment", "chunk", "step", "done", "message")),
        )
        if mark in self._told:
            return False
        self._told.add(mark)
        if isinstance(event, AnimaticReady) and event.segment is not None and event.path is not None:
            self._sketches[event.segment] = event.path
        if isinstance(event, SegmentReady):
            self._clips[event.segment] = event.path
        return True

    def note(self, part: PartReady) -> None:
        """A call has ended."""
        self.left = part
        self._parts.append(part)

    def join_animatic(self, cancel: threading.Event) -> Iterator[Event]:
        """The animatic as one file, where there is one; for a job that asked for nothing else, its end."""
        if not self._with_animatic or not self.sketched:
            return
        path = self.request.project / "animatic.mp4"
        _, report = yield from self._join(self._sketches, path, cancel, CUTS, animatic=True)
        ready = AnimaticReady(None, path=path)
        Journal(self.request.project / "journal.jsonl").append("event", event=event_record(ready))
        yield ready
        if not self._film:
            yield FilmReady(path, report)

    def join(self, cancel: threading.Event) -> Iterator[Event]:
        """The film as one file, as the project's film.json says."""
        if not self._film or not self.rendered:
            return
        project, story = self.request.project, self.request.story
        path = project / "film.mp4"
        edit = film_edit(project, story)
        film, report = yield from self._join(self._clips, path, cancel, edit)
        remember_segments(project, story)
        yield from map(WarningRaised, film.notes)
        ready = FilmReady(path, report | {"edited": not edit.plain}, film.subtitles)
        Journal(project / "journal.jsonl").append("event", event=event_record(ready))
        yield ready

    def _join(
        self,
        clips: dict[int, Path],
        path: Path,
        cancel: threading.Event,
        edit: Edit,
        *,
        animatic: bool = False,
    ) -> Generator[Joining, None, tuple[FilmInfo, dict[str, Any]]]:
        """The film that was written, and the report of all its parts."""
        from arlon_core.generation.joining import Progress, join_film, joining
        from arlon_core.generation.report import joined_reports

        started = time.perf_counter()
        fps, story, settings = self.work.plan.fps, self.request.story, self._parts[-1].settings
        files = [clips[index] for index in sorted(clips)]

        def write(progress: Progress) -> FilmInfo:
            return join_film(files, path, fps, story, settings, progress, edit)

        film = yield from joining(write, cancel.is_set, fps, animatic=animatic)
        seconds = time.perf_counter() - started
        return film, joined_reports([part.report for part in self._parts], seconds, film.frames)
