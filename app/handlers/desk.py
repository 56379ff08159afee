"""Starting, cancelling and finding jobs, for one story's project."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from app import words
from app.assets import ASSETS
from app.handlers.editing import current_story
from app.handlers.exporting import Exports
from app.handlers.kept import KEPT, kept_jobs
from app.handlers.library import Example, project_folder, read_examples
from app.handlers.planning import Grid, Reader, read_grid, read_reader, read_refusals
from app.handlers.progress import JobView
from app.handlers.settings import read_chunk, read_guidance, read_steps
from app.handlers.watching import Watcher
from arlon_core.errors import ArlonError, ModelError, ProjectError
from arlon_core.jobs import JobQueue, JobRequest, JobState, JobStatus
from arlon_core.story import Story


class Model(Protocol):
    """What the page shows of the engine (arlon_core.jobs.ModelEngine). ready: loaded, or it will never be."""

    def ready(self) -> bool: ...

    def wait(self, timeout: float | None = None) -> None: ...

    @property
    def name(self) -> str: ...

    @property
    def device(self) -> str: ...


@dataclass(frozen=True)
class Desk:
    """What the handlers work with; one a server.

    projects: the folder of all project folders. grid: None when it is not known before the model is loaded.
    refusals: kinds of jobs that the model cannot do, and why. reader: how the model reads prompts.
    """

    jobs: JobQueue
    model: Model
    projects: Path
    grid: Grid | None
    examples: tuple[Example, ...]
    watcher: Watcher
    refusals: Mapping[str, str] = field(default_factory=dict)
    reader: Reader = field(default_factory=Reader)
    exports: Exports = field(default_factory=Exports)
    now: Callable[[], float] = time.time


def open_desk(jobs: JobQueue, model: Model, name: str, projects: Path) -> Desk:
    """A desk for a server. name: the model's folder or hub id. projects: made when missing.

    Raises ProjectError when the folder cannot be made or written to.
    """
    try:
        projects.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProjectError(words.no_projects(projects, error.strerror)) from None
    if not os.access(projects, os.W_OK | os.X_OK):
        raise ProjectError(words.no_projects(projects, words.WRITE_PROTECTED))
    examples = read_examples(ASSETS / "stories")
    return Desk(
        jobs,
        model,
        projects,
        read_grid(name),
        examples,
        Watcher(jobs),
        refusals=read_refusals(name),
        reader=read_reader(name),
    )


@dataclass(frozen=True)
class Job:
    """A job of the project: what the queue says of it, and what its events told."""

    status: JobStatus
    view: JobView

    @property
    def active(self) -> bool:
        return not self.status.state.ended

    @property
    def settled(self) -> bool:
        """Whether nothing of it will change any more: it has ended, and its last event was seen."""
        return not self.active and (self.view.stage == "done" or self.view.failure is not None)

    @property
    def unfinished(self) -> bool:
        """Whether it is a render that broke off before this server was started."""
        return self.status.id == KEPT and self.status.state is JobState.CANCELLED

    @property
    def story(self) -> Story:
        return self.status.request.story


def submit(
    desk: Desk,
    kind: str,
    value: Any,
    project: Any,
    steps: Any = None,
    guidance: Any = None,
    chunk: Any = None,
) -> str:
    """Start an animatic or a render of the story on the page; gives what to tell the person, mostly nothing.

    Raises ArlonError when the story, the project or a setting is no good, or the model lacks a part; nothing
    is started then.
    """
    if kind in desk.refusals:
        raise ModelError(desk.refusals[kind])
    request = JobRequest(
        kind=kind,
        story=current_story(value, desk.grid),
        project=project_folder(desk.projects, project),
        steps=read_steps(steps) if kind == "render" else None,
        guidance=read_guidance(guidance) if kind == "render" else None,
        chunk=read_chunk(chunk, desk.grid) if kind == "render" else None,
    )
    if any(job.active and job.status.request == request for job in project_jobs(desk, project)):
        return words.ALREADY[kind]
    desk.watcher.view(desk.jobs.submit(request))
    return ""


def cancel(desk: Desk, project: Any) -> bool:
    """Cancel the job that the page shows. False when there was none to cancel."""
    job = shown_job(project_jobs(desk, project))
    return job is not None and job.active and desk.jobs.cancel(job.status.id)


def project_jobs(desk: Desk, project: Any) -> list[Job]:
    """The jobs of a project, newest first; none for an id that is none.

    Where no render of the queue has anything to show, or no job an animatic, what the project keeps follows.
    """
    try:
        folder = project_folder(desk.projects, project)
    except ArlonError:
        return []
    statuses = [status for status in desk.jobs.jobs() if status.request.project == folder]
    jobs = [Job(status, desk.watcher.view(status.id)) for status in statuses]
    shown = {"render": film_job(jobs), "animatic": animatic_job(jobs)}
    if None not in shown.values():
        return jobs
    first = min((status.submitted for status in statuses), default=time.time())
    kept = [Job(*each) for each in kept_jobs(folder, before=first)]
    return [*jobs, *(job for job in kept if shown[job.status.request.kind] is None)]


def at_work(desk: Desk, project: Any) -> bool:
    """Whether a job or an export of a project runs or waits; False for an id that is none."""
    try:
        export = desk.exports.of(project_folder(desk.projects, project))
    except ArlonError:
        return False
    return any(job.active for job in project_jobs(desk, project)) or (export is not None and export.active)


def shown_job(jobs: list[Job]) -> Job | None:
    """The job whose progress is shown: the one that runs or will run next, else the newest."""
    active = [job for job in jobs if job.active]
    return active[-1] if active else jobs[0] if jobs else None


def film_job(jobs: list[Job]) -> Job | None:
    """The render whose film is shown: the newest that has anything to show."""
    return next((job for job in jobs if job.status.request.kind == "render" and job.view.segments), None)


def animatic_job(jobs: list[Job]) -> Job | None:
    """The job, of either kind, whose small pictures are shown."""
    return next((job for job in jobs if job.view.sketches), None)
