"""An engine without a model: the events of a job, with small real clips; gates can hold it anywhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from app.handlers.planning import Grid, plan_story
from arlon_core.errors import ArlonError
from arlon_core.generation import events as ev
from arlon_core.generation.film_edit import film_edit
from arlon_core.generation.plan import Plan, SegmentPlan
from arlon_core.jobs import JobRequest
from arlon_core.media.edit_plan import plan_edit
from arlon_core.media.film_settings import read_film_settings
from arlon_core.media.segment_writer import SegmentWriter
from arlon_core.store import Journal
from arlon_core.story import format_story

GRID = Grid(fps=12, max_new=12, overlap=4)


@dataclass
class FakeEngine:
    """steps: a chunk. gates: semaphores by the name of an event's class; such events wait for a permit."""

    steps: int = 3
    gates: dict[str, threading.Semaphore] = field(default_factory=dict)
    fails: str = ""
    name, device, fps, height, width = "fake", "cpu", GRID.fps, 64, 112

    def ready(self) -> bool:
        return True

    def wait(self, timeout: float | None = None) -> None:
        return None

    def run(self, request: JobRequest, cancel: threading.Event) -> Iterator[ev.Event]:
        for event in self._events(request):
            gate = self.gates.get(type(event).__name__)
            while gate is not None and not cancel.is_set() and not gate.acquire(timeout=0.02):
                pass
            if cancel.is_set():
                return
            passing = isinstance(event, (ev.Planned, ev.Sampling, ev.StepDone, ev.Joining))
            if not passing and not (isinstance(event, ev.FilmReady) and request.kind == "animatic"):
                journal_of(request).append("event", event=ev.event_record(event))
            yield event

    def _events(self, request: JobRequest) -> Iterator[ev.Event]:
        plan = plan_story(request.story, GRID)
        request.project.mkdir(parents=True, exist_ok=True)
        journal = journal_of(request)
        journal.append("story", kind=request.kind, text=format_story(request.story), settings={})
        journal.append(
            "plan",
            fps=GRID.fps,
            segments=[[each.first_frame, each.stop_frame] for each in plan.segments],
            chunk=max(chunk.latents for chunk in plan.chunks),
        )
        yield ev.Planned(plan)
        for segment in plan.segments:
            yield from sampling(segment)
            yield ev.TokensReady(segment.index)
        for segment in plan.segments:
            path = clip(request.project / f"small{segment.index}.mp4", segment)
            yield ev.AnimaticReady(segment.index, pictures(segment, 1), path)
        yield from joining(plan, animatic=True)
        whole = clip(request.project / "animatic.mp4", *plan.segments)
        yield ev.AnimaticReady(None, path=whole)
        if self.fails:
            raise ArlonError(self.fails)
        if request.kind == "animatic":
            yield ev.FilmReady(whole)
            return
        for chunk in plan.chunks:
            segment = plan.segments[chunk.segment]
            for step in range(1, self.steps + 1):
                yield ev.StepDone(chunk.segment, chunk.index, step, self.steps, pictures(segment, 2))
            yield ev.ChunkReady(chunk.segment, chunk.index)
            if chunk is segment.chunks[-1]:
                path = clip(request.project / f"clip{segment.index}.mp4", segment)
                yield ev.SegmentReady(segment.index, path, segment.frames, frame_hash=f"{segment.index}")
        yield from joining(plan)
        film = clip(request.project / "film.mp4", *plan.segments)
        edit = film_edit(request.project, request.story)
        frames = plan_edit([segment.frames for segment in plan.segments], edit.joins, GRID.fps).frames
        report = {"seconds_of_video": frames / GRID.fps, "frames": frames, "edited": not edit.plain}
        yield ev.FilmReady(film, report, self.captions(film))

    def captions(self, film: Path) -> Path | None:
        """The file of captions beside the film, where the project's film.json asks for one."""
        settings = read_film_settings(film.parent)
        if settings is None or settings.captions not in ("srt", "vtt"):
            return None
        beside = film.with_suffix(f".{settings.captions}")
        beside.write_text(settings.captions)
        return beside


def journal_of(request: JobRequest) -> Journal:
    return Journal(request.project / "journal.jsonl")


def sampling(segment: SegmentPlan) -> Iterator[ev.Sampling]:
    """A segment's tokens are sampled latent frame by latent frame."""
    yield from (ev.Sampling(done) for done in range(segment.start + 1, segment.stop + 1))


def joining(plan: Plan, *, animatic: bool = False) -> Iterator[ev.Joining]:
    """A film is written second by second."""
    for done in [*range(plan.fps, plan.frames, plan.fps), plan.frames]:
        yield ev.Joining(done, plan.frames, animatic)


def pictures(segment: SegmentPlan, count: int) -> np.ndarray:
    """`count` pictures in the colour of a segment, with a bar that moves."""
    shades = np.array([40 * segment.index % 256, 120, 200], np.uint8)
    frames = np.broadcast_to(shades, (count, 64, 112, 3)).copy()
    for number, frame in enumerate(frames):
        frame[:, number % 112] = 255
    return frames


def clip(path: Path, *segments: SegmentPlan) -> Path:
    """A real fragmented MP4 of the segments' lengths."""
    with SegmentWriter(path, GRID.fps) as writer:
        for segment in segments:
            writer.write(pictures(segment, segment.frames))
    return path
