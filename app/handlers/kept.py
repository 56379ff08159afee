"""The render that a project keeps, also from before this server was started: the queue knows only its own."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from app import words
from app.handlers.pictures import middle_picture, picture_uri
from app.handlers.progress import JobView, shrunk
from arlon_core.errors import ArlonError
from arlon_core.generation.events import SegmentReady
from arlon_core.generation.plan import make_plan
from arlon_core.generation.rendered import RenderedClip, RenderedFilm, last_rendered
from arlon_core.jobs import JobRequest, JobState, JobStatus


def rendered(folder: Path) -> RenderedFilm | None:
    """What is rendered in a project; None while nothing is."""
    try:
        now = os.stat(folder / "journal.jsonl")
    except OSError:
        return None
    return _read_rendered(folder, now.st_mtime_ns, now.st_size)


def kept_render(folder: Path) -> tuple[JobStatus, JobView] | None:
    """What is rendered in a project as the job that made it, which has ended; None where nothing is."""
    film = rendered(folder)
    if film is None:
        return None
    clips = {index: clip for index, clip in enumerate(film.clips) if clip.path.is_file()}
    thumbs = {index: _picture(clip) for index, clip in clips.items()}
    view = JobView(
        plan=make_plan([segment.seconds for segment in film.story.segments], film.fps),
        stage="done",
        thumbs={index: thumb for index, thumb in thumbs.items() if thumb is not None},
        segments={
            index: SegmentReady(index, clip.path, clip.frames, clip.frame_hash)
            for index, clip in clips.items()
        },
        result=film.path,
        subtitles=film.subtitles,
        report=film.report,
    )
    state, message = JobState.DONE, ""
    if film.path is None:  # it was broken off while the clips were joined
        state, message = JobState.FAILED, words.CANCELLED_DETAIL
    request = JobRequest("render", film.story, folder)
    return JobStatus("kept", request, state, 0, message, submitted=0.0, started=None, ended=None), view


@lru_cache(maxsize=64)
def _read_rendered(folder: Path, changed: int, size: int) -> RenderedFilm | None:
    """Every page asks every second; the journal is read again only when it has changed."""
    try:
        return last_rendered(folder)
    except ArlonError:
        return None


@lru_cache(maxsize=1024)
def _picture(clip: RenderedClip) -> str | None:
    """The timeline's picture of a clip, whose name says what is in it."""
    picture = middle_picture(clip.path, clip.frames)
    return None if picture is None else picture_uri(shrunk(picture))
