"""What every part of the page shows, as plain JSON values, from the project's jobs and the story."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app import words
from app.handlers.desk import Desk, Job, animatic_job, film_job, project_jobs, shown_job
from app.handlers.downloads import download_file
from app.handlers.editing import current_text
from app.handlers.filming import film_values
from app.handlers.library import file_name
from app.handlers.planning import plan_to_json
from app.handlers.player import player_value
from app.handlers.timeline import timeline_value
from app.handlers.urls import file_url
from arlon_core.errors import ArlonError, StoryError
from arlon_core.generation.events import SegmentReady
from arlon_core.jobs import JobState
from arlon_core.story import Story, parse_story

FAST, SLOW = 1.0, 5.0  # seconds between looks at a job that runs, and at a page where nothing happens
Values = dict[str, Any]


def page_values(desk: Desk, project: Any, editor: Any) -> Values:
    """The value of every part of the page, for the story in the editor and its project's jobs.

    Of a story that cannot be read just now there is no timeline: the page keeps that of the last good one.
    """
    jobs = project_jobs(desk, project)
    job, film, animatic = shown_job(jobs), film_job(jobs), animatic_job(jobs)
    story = _story(editor)
    timeline = _timeline(editor, story, job, film, animatic)
    panel = film_values(desk, project, editor)
    settled = all(job.settled for job in jobs) and panel["exported"]["state"] != "running"
    return {
        "model": model_value(desk),
        "progress": progress_value(desk, jobs, story),
        "film": _film(film),
        "animatic": _animatic(animatic),
        **({} if timeline is None else {"timeline": timeline}),
        "links": _links(film, animatic),
        **panel,
        "cancel": job is not None and job.active,
        "pace": SLOW if settled and desk.model.ready() else FAST,
    }


def model_value(desk: Desk) -> dict[str, str]:
    """state: "ready", "loading" or "failed"; line: what to say."""
    if not desk.model.ready():
        return {"state": "loading", "line": words.MODEL_LOADING}
    try:
        desk.model.wait(timeout=0)
        name = Path(desk.model.name).name
        if desk.refusals:
            return {"state": "failed", "line": words.model_incomplete(name)}
        return {"state": "ready", "line": words.model_ready(name, desk.model.device)}
    except ArlonError as error:
        return {"state": "failed", "line": str(error)}
    except Exception as error:  # noqa: BLE001 (a library that is missing or broken: the page says so and stays)
        return {"state": "failed", "line": words.MODEL_BROKE.format(error=type(error).__name__)}


def progress_value(desk: Desk, jobs: list[Job], story: Story | None) -> Values:
    """The progress display. remaining: seconds, or None; elapsed: seconds since the job began to run."""
    job = shown_job(jobs)
    if job is None:
        return {"state": "idle", "percent": 0.0, **_idle(desk)}
    status, view, kind = job.status, job.view, job.status.request.kind
    state = "waiting" if status.state == JobState.QUEUED else status.state.value
    headline, detail = _lines(desk, job, story)
    ended = status.ended or desk.now()
    return {
        "state": state,
        "headline": headline,
        "detail": detail,
        "percent": round(view.percent(kind), 1),
        "elapsed": None if status.started is None else max(0.0, ended - status.started),
        "remaining": view.remaining(kind, desk.watcher.clock()) if job.active else None,
        "preview": view.preview if job.active else None,
        "notes": [words.sentence(note) for note in view.warnings],
        "others": sum(other.active for other in jobs) - 1 if job.active else 0,
    }


def _idle(desk: Desk) -> dict[str, str]:
    """Headline and detail of a page where nothing was started yet."""
    if not desk.refusals:
        return {"headline": words.IDLE, "detail": words.IDLE_DETAIL}
    return {"headline": words.INCOMPLETE, "detail": next(iter(desk.refusals.values()))}


def _lines(desk: Desk, job: Job, story: Story | None) -> tuple[str, str]:
    """Headline and detail of a job."""
    status, view, kind = job.status, job.view, job.status.request.kind
    if status.state == JobState.QUEUED:
        return words.QUEUED[kind], words.queue_position(status.position)
    if status.state == JobState.FAILED:
        return words.FAILED[kind], status.message or view.failure or ""
    if job.unfinished:
        return words.UNFINISHED, status.message
    if status.state == JobState.CANCELLED:
        return words.CANCELLED[kind], words.CANCELLED_DETAIL
    if status.state == JobState.DONE:
        stale = story is not None and story != job.story
        return words.DONE[kind], words.STALE[kind] if stale else words.made(view.report)
    if view.plan is None:
        return (words.STARTING, "") if desk.model.ready() else (words.MODEL_LOADING, words.MODEL_WAIT)
    small = kind == "animatic" and len(view.sketches) == len(view.plan.segments)
    if small or view.stage == "join":
        meter = view.small if small else view.join
        return words.JOINING[kind], words.frames(int(meter.done), meter.total)
    return words.stage(view.stage, kind, *_counts(job))


def _counts(job: Job) -> tuple[int, int, str]:
    """The segment under way (from 1), how many there are, and where in it the render is."""
    view = job.view
    assert view.plan is not None
    segments = len(view.plan.segments)
    if view.step is None:
        made = {"tokens": view.sketched, "animatic": len(view.sketches)}.get(view.stage, len(view.segments))
        return min(made + 1, segments), segments, ""
    step = view.step
    before = sum(len(segment.chunks) for segment in view.plan.segments[: step.segment])
    chunk = before + step.chunk + 1
    return step.segment + 1, segments, words.step(chunk, len(view.plan.chunks), step.step, step.steps)


def _film(job: Job | None) -> Values:
    if job is None:
        return player_value(None, {})
    view, report = job.view, job.view.report
    return player_value(
        view.plan,
        view.segments,
        view.result,
        done=not job.active,
        seconds=report.get("seconds_of_video"),
        edited=report.get("edited", False),
    )


def _animatic(job: Job | None) -> Values:
    if job is None or job.view.plan is None:
        return player_value(None, {})
    plan = job.view.plan
    clips = {
        index: SegmentReady(index, event.path, plan.segments[index].frames)
        for index, event in job.view.sketches.items()
        if event.path is not None
    }
    return player_value(plan, clips, job.view.animatic, done=not job.active or job.view.animatic is not None)


def _timeline(
    editor: Any, story: Story | None, job: Job | None, film: Job | None, animatic: Job | None
) -> Values | None:
    """The running job's story, else the one in the editor, with what already stands of it."""
    plan = editor.get("plan") if isinstance(editor, Mapping) else None
    if job is not None and job.view.plan is not None and job.active:
        story, plan = job.story, plan_to_json(job.view.plan)
    if story is None:
        return None
    return timeline_value(story, plan, running=job, film=film, animatic=animatic)


def _links(film: Job | None, animatic: Job | None) -> list[dict[str, str]]:
    """What can be downloaded: URL, file name and wording of each."""
    files: list[tuple[str, Job, Path | None]] = []
    if film is not None:
        files += [("film", film, film.view.result), ("subtitles", film, film.view.subtitles)]
    if animatic is not None:
        files.append(("animatic", animatic, animatic.view.animatic))
    return [_link(path, job.story, kind) for kind, job, path in files if path is not None]


def _link(path: Path, story: Story, kind: str) -> dict[str, str]:
    title = (story.title or story.segments[0].prompt) + (" animatic" if kind == "animatic" else "")
    named = download_file(path, file_name(title, path.suffix.removeprefix(".")))
    return {"kind": kind, "url": file_url(named), "name": named.name, "label": words.DOWNLOAD[kind]}


def _story(editor: Any) -> Story | None:
    try:
        return parse_story(current_text(editor))
    except StoryError:
        return None
