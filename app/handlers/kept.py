"""What a project keeps of before this server was started, as jobs: the queue knows only its own."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from functools import lru_cache, reduce
from pathlib import Path

from app import words
from app.handlers.progress import JobView, fold
from arlon_core.errors import ArlonError
from arlon_core.generation.events import AnimaticReady, Event, Failed, FilmReady, Planned, SegmentReady
from arlon_core.generation.plan import Plan
from arlon_core.generation.rendered import RenderedFilm, last_rendered
from arlon_core.generation.runs import Run, gathered, last_whole, read_runs, unfinished
from arlon_core.jobs import JobRequest, JobState, JobStatus

KEPT = "kept"  # the id of all such jobs
KeptJob = tuple[JobStatus, JobView]


def rendered(folder: Path) -> RenderedFilm | None:
    """What is rendered in a project; None while nothing is."""
    mark = _mark(folder)
    return None if mark is None else _read_rendered(folder, *mark)


def kept_jobs(folder: Path, before: float) -> list[KeptJob]:
    """The last render that was broken off, the last whole film and the last animatic, newest first.

    Each is there as far as its files are. All have ended. before: leaves out what began since then, in
    seconds since the epoch: the queue's own jobs tell of it.
    """
    mark = _mark(folder)
    runs = () if mark is None else _read_runs(folder, *mark)
    runs = tuple(run for run in runs if run.at < math.floor(before * 1000) / 1000)  # the journal's precision
    begun, whole = unfinished(runs), last_whole(runs)
    drawn = next((run for run in reversed(runs) if run.animatic is not None), None)
    renders = {run.number: gathered(run, runs) for run in (whole, begun) if run is not None}
    jobs = {number: _render(run, folder) for number, run in renders.items()}
    if drawn is not None and drawn.number not in jobs:
        jobs[drawn.number] = _animatic(drawn, folder)
    return [job for _, job in sorted(jobs.items(), reverse=True) if job is not None]


def _render(run: Run, folder: Path) -> KeptJob | None:
    """A render that came to its end, or that is to go on: the film, or how far it is."""
    plan = run.plan()
    if plan is None:
        return None
    events = _there(run.events, plan)
    if not any(isinstance(event, FilmReady) for event in events):
        events.append(Failed(""))
    view = _folded(run, plan, events)
    if view.stage == "done":
        return _status(run, "render", folder, JobState.DONE), view
    message = words.unfinished(round(view.percent("render"), 1))
    return _status(run, "render", folder, JobState.CANCELLED, message), view


def _animatic(run: Run, folder: Path) -> KeptJob | None:
    """The small pictures that a run of either kind drew, as the job of an animatic."""
    plan = run.plan()
    if plan is None or run.animatic is None or not run.animatic.is_file():
        return None
    small = [event for event in run.events if isinstance(event, AnimaticReady)]
    view = _folded(run, plan, [*_there(small, plan), FilmReady(run.animatic)])
    return _status(run, "animatic", folder, JobState.DONE), view


def _folded(run: Run, plan: Plan, events: list[Event]) -> JobView:
    begun = Planned(plan, passes=run.passes)
    return reduce(lambda view, event: fold(view, event, 0.0), [begun, *events], JobView())


def _there(events: Iterable[Event], plan: Plan) -> list[Event]:
    """Those events that fit the plan and whose files are there; a film's captions may be gone."""
    kept: list[Event] = []
    for event in events:
        if not _fits(event, plan):
            continue
        if isinstance(event, (AnimaticReady, SegmentReady, FilmReady)) and not _stands(event.path):
            continue
        if isinstance(event, FilmReady) and not _stands(event.subtitles):
            event = FilmReady(event.path, event.report)
        kept.append(event)
    return kept


def _fits(event: Event, plan: Plan) -> bool:
    segment, chunk = getattr(event, "segment", None), getattr(event, "chunk", None)
    if segment is None:
        return True
    if not 0 <= segment < len(plan.segments):
        return False
    return chunk is None or 0 <= chunk < len(plan.segments[segment].chunks)


def _stands(path: Path | None) -> bool:
    return path is not None and path.is_file()


def _status(run: Run, kind: str, folder: Path, state: JobState, message: str = "") -> JobStatus:
    request = JobRequest(kind, run.story, folder)
    return JobStatus(KEPT, request, state, 0, message, submitted=0.0, started=None, ended=None)


def _mark(folder: Path) -> tuple[int, int] | None:
    """What changes with a project's journal; None where there is none."""
    try:
        now = os.stat(folder / "journal.jsonl")
    except OSError:
        return None
    return now.st_mtime_ns, now.st_size


@lru_cache(maxsize=64)
def _read_rendered(folder: Path, changed: int, size: int) -> RenderedFilm | None:
    """Every page asks every second; the journal is read again only when it has changed."""
    try:
        return last_rendered(folder)
    except ArlonError:
        return None


@lru_cache(maxsize=64)
def _read_runs(folder: Path, changed: int, size: int) -> tuple[Run, ...]:
    try:
        return read_runs(folder)
    except ArlonError:
        return ()
