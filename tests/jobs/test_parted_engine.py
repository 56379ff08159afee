"""A film made in many calls to a lent GPU equals one that was made in one go, and nothing is told twice."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from arlon_core.errors import ArlonError
from arlon_core.generation.events import (
    AnimaticReady,
    Event,
    FilmReady,
    PartReady,
    SegmentReady,
    StepDone,
    WarningRaised,
)
from arlon_core.generation.render import render
from arlon_core.generation.rendered import last_rendered
from arlon_core.generation.runs import gathered, read_runs, unfinished
from arlon_core.jobs import JobQueue, JobRequest, JobState
from arlon_core.jobs import gpu_calls as calls
from arlon_core.jobs.parted_engine import PartedEngine
from arlon_core.jobs.parted_film import PartedFilm
from arlon_core.media.clips import count_frames
from arlon_core.media.film_settings import FilmSettings, write_film_settings
from arlon_core.story import Segment, Story
from tests.jobs.lent_gpu import LentGpu

STORY = Story(
    (
        Segment("A red balloon rises.", 2.5),
        Segment("Then night falls.", 0.8),
        Segment("A blue fox walks left.", 1.5),
    ),
    seed=5,
)
PATIENCE = 30  # seconds until a test that hangs fails; no law depends on it


@pytest.fixture
def gpu() -> LentGpu:
    return LentGpu()


@pytest.fixture
def engine(tiny_folder: Path, gpu: LentGpu) -> PartedEngine:
    return PartedEngine(str(tiny_folder), "cpu", gpu.GPU(duration=lambda call: call.seconds))


@pytest.fixture
def one_chunk_a_call(monkeypatch: pytest.MonkeyPatch):
    """As if every chunk took most of a call's time."""
    slow = calls.Pace(sketch=0.2, denoise=20.0, decode=0.1)
    monkeypatch.setattr(calls.Pace, "towards", lambda self, **measured: slow)
    monkeypatch.setattr("arlon_core.jobs.parted_engine.Pace", lambda: slow)


def run(engine: PartedEngine, project: Path, kind: str = "render", **options) -> list[Event]:
    return list(engine.run(JobRequest(kind, STORY, project, **options), threading.Event()))


def marks(events: list[Event]) -> list[tuple]:
    """What each event is about."""
    names = ("segment", "chunk", "step", "cached", "frame_hash", "done", "animatic")
    return [(type(event).__name__, *(getattr(event, name, None) for name in names)) for event in events]


def of(kind: type[Event], events: list[Event]) -> list:
    return [event for event in events if isinstance(event, kind)]


@pytest.mark.usefixtures("one_chunk_a_call")
def test_unknown_words_are_told_once_in_many_calls(engine, gpu: LentGpu, tmp_path: Path):
    story = replace(STORY, segments=(Segment("A red balloon rises.", 2.5), Segment("A unicorn rises.", 0.8)))
    events = list(engine.run(JobRequest("render", story, tmp_path, steps=1), threading.Event()))
    assert len(gpu.calls) > 1
    (warning,) = of(WarningRaised, events)
    assert warning.segment == 1
    assert '"unicorn"' in warning.message


@pytest.mark.usefixtures("one_chunk_a_call")
def test_many_calls_tell_what_one_render_tells(engine, gpu: LentGpu, tiny_pipeline, tmp_path: Path):
    parted = run(engine, tmp_path / "parted", steps=2)
    plain = list(render(tiny_pipeline, STORY, tmp_path / "plain", steps=2, previews=True))
    chunks = [call.chunks for (call,), _ in gpu.calls]
    assert chunks == [0, *range(1, 1 + len(plain[0].plan.chunks))]
    # The same events, each once. Clips, small and whole, come when they stand, which is a matter of time;
    # each kind in order, and all others too.
    assert sorted(marks(parted), key=str) == sorted(marks(plain), key=str)
    clips = [event.frame_hash for event in of(SegmentReady, parted)]
    assert clips == [event.frame_hash for event in of(SegmentReady, plain)]
    small = [event.segment for event in of(AnimaticReady, parted)]
    assert small == [event.segment for event in of(AnimaticReady, plain)]
    timed = (SegmentReady, AnimaticReady)
    others = [[event for event in events if not isinstance(event, timed)] for events in (parted, plain)]
    assert marks(others[0]) == marks(others[1])
    assert not of(PartReady, parted)
    for name in ("animatic.mp4", "film.mp4"):
        assert count_frames(tmp_path / "parted" / name) == plain[0].plan.frames
    assert parted[-1].path == tmp_path / "parted" / "film.mp4"


@pytest.mark.usefixtures("one_chunk_a_call")
def test_the_report_adds_up(engine, gpu: LentGpu, tiny_pipeline, tmp_path: Path):
    report = run(engine, tmp_path / "parted", steps=2)[-1].report
    plain = list(render(tiny_pipeline, STORY, tmp_path / "plain", steps=2))[-1].report
    assert report.keys() == plain.keys()
    same = ("frames", "fps", "seconds_of_video", "steps", "seed", "model", "cache_hits", "cache_misses")
    assert {key: report[key] for key in same} == {key: plain[key] for key in same}
    assert all(value > 0 for value in report["seconds"].values())
    assert report["seconds"]["load"] == pytest.approx(engine._pipe.load_seconds, abs=0.01), "loaded once"
    total = sum(report["seconds"].values()) - report["seconds_encoded_beside"]
    assert report["seconds_total"] == pytest.approx(total, abs=0.01)


def test_chunks_are_as_long_as_asked_for(engine, tiny_pipeline, tmp_path: Path):
    parted = run(engine, tmp_path / "parted", steps=1, chunk=2)
    plain = list(render(tiny_pipeline, STORY, tmp_path / "plain", steps=1, chunk=2))
    assert max(chunk.latents for chunk in parted[0].plan.chunks) == 2
    assert [event.frame_hash for event in of(SegmentReady, parted)] == [
        event.frame_hash for event in of(SegmentReady, plain)
    ]
    with pytest.raises(ArlonError, match="give 1 to 4"):
        run(engine, tmp_path, chunk=5)


def test_the_film_and_its_captions_are_told_and_found_again(engine, tmp_path: Path):
    write_film_settings(tmp_path, FilmSettings(captions="srt"))
    ready = run(engine, tmp_path, steps=1)[-1]
    assert (ready.path, ready.subtitles) == (tmp_path / "film.mp4", tmp_path / "film.srt")
    film = last_rendered(tmp_path)
    assert (film.path, film.subtitles, film.report) == (ready.path, ready.subtitles, ready.report)
    runs = read_runs(tmp_path)
    assert {run.kind for run in runs} == {"render"}
    assert unfinished(runs) is None
    assert gathered(runs[-1], runs).animatic == tmp_path / "animatic.mp4"


def test_what_stands_already_costs_no_time(engine, gpu: LentGpu, tmp_path: Path):
    run(engine, tmp_path, steps=2)
    gpu.calls.clear()
    again = run(engine, tmp_path, steps=2)
    assert not of(StepDone, again)
    assert all(event.cached for event in of(SegmentReady, again))
    assert isinstance(again[-1], FilmReady)
    (_, sketch), (_, film) = gpu.calls
    assert film == calls.START <= sketch
    assert again[-1].report["cache_misses"] == {}


def test_an_animatic_asks_for_no_film(engine, gpu: LentGpu, tmp_path: Path):
    events = run(engine, tmp_path, "animatic")
    assert [type(event).__name__ for event in events[-2:]] == ["AnimaticReady", "FilmReady"]
    assert events[-1].path == tmp_path / "animatic.mp4"
    assert len(gpu.calls) == 1
    assert not of(StepDone, events)


def test_only_plain_data_crosses(engine, tmp_path: Path):
    """No tensor is among what is pickled: on the other side there may be no device for it."""
    import torch

    class NoTensors(pickle.Pickler):
        def persistent_id(self, value):
            assert not isinstance(value, torch.Tensor), value

    request = JobRequest("render", STORY, tmp_path, steps=2)
    call = calls.GpuCall(request, chunks=99, seconds=60, flag=tmp_path / "flag")
    events = list(calls.perform(engine._pipe, call))
    assert of(StepDone, events)[0].preview is not None
    for value in (call, *events):
        with (tmp_path / "pickle").open("wb") as file:
            NoTensors(file).dump(value)
        assert type(pickle.loads((tmp_path / "pickle").read_bytes())) is type(value)


# -- stopping -------------------------------------------------------------------------------------------


def test_after_a_cancel_the_other_process_begins_no_further_step(engine, tmp_path: Path, monkeypatch):
    """It waits after its first step until the cancel has crossed over; a second one would come after it."""
    made = tmp_path / "steps made there"

    def held(pipe, call):
        for event in calls.perform(pipe, call):
            yield event
            if isinstance(event, StepDone):
                with made.open("a") as steps:
                    steps.write(f"{event.step}\n")
                wait_for(call.flag.exists)

    monkeypatch.setattr("arlon_core.jobs.parted_engine.perform", held)
    queue = JobQueue(engine)
    job = queue.submit(JobRequest("render", STORY, tmp_path / "project", steps=2))
    for _, event in queue.attach(job):
        if isinstance(event, StepDone):
            queue.cancel(job)
    assert queue.status(job).state is JobState.CANCELLED
    assert made.read_text() == "1\n"
    queue.close()


def test_cancel_is_seen_between_events(engine, tmp_path: Path, monkeypatch):
    """A call that tells nothing for a while looks at the flag, too."""
    started, stopped = tmp_path / "started", tmp_path / "stopped"

    def silent(pipe, call):
        started.touch()
        end = time.monotonic() + PATIENCE
        while not call.flag.exists() and time.monotonic() < end:
            time.sleep(0.01)
        if call.flag.exists():
            stopped.touch()
        yield from ()

    monkeypatch.setattr("arlon_core.jobs.parted_engine.perform", silent)
    queue = JobQueue(engine)
    job = queue.submit(JobRequest("render", STORY, tmp_path))
    wait_for(started.exists)
    queue.cancel(job)
    list(queue.attach(job))
    assert queue.status(job).state is JobState.CANCELLED
    assert stopped.exists()
    queue.close()


def test_a_call_that_runs_out_of_time_stops_and_the_next_goes_on(engine, gpu, tmp_path, monkeypatch):
    """Every piece of work seems to take all the time there is; so each call makes one, and all get made."""
    monkeypatch.setattr(calls, "Clock", OneEach)
    events = run(engine, tmp_path, steps=2)
    plan = events[0].plan
    assert len(gpu.calls) >= len(plan.blocks) + len(plan.segments) + len(plan.chunks)
    assert isinstance(events[-1], FilmReady)
    assert len(marks(events)) == len(set(marks(events)))


class OneEach:
    def __init__(self, seconds: float) -> None:
        self.asked = 0

    def __call__(self) -> bool:
        self.asked += 1
        return self.asked > 1


def test_errors_cross_as_their_sentence_and_bugs_as_their_class(engine, tmp_path: Path, monkeypatch):
    with pytest.raises(ArlonError, match="0 denoising steps make no film"):
        run(engine, tmp_path, steps=0)

    def broken(pipe, call):
        yield from ()
        raise ZeroDivisionError("x")

    monkeypatch.setattr("arlon_core.jobs.parted_engine.perform", broken)
    with pytest.raises(Exception, match="ZeroDivisionError"):
        run(engine, tmp_path)


def test_a_gpu_that_gets_nowhere_is_said_instead_of_asked_for_ever(engine, gpu, tmp_path, monkeypatch):
    left = PartedFilm(engine._pipe, JobRequest("render", STORY, tmp_path)).left

    def nothing(pipe, call):
        yield replace(left, report={"seconds": {}})

    monkeypatch.setattr("arlon_core.jobs.parted_engine.perform", nothing)
    with pytest.raises(ArlonError, match="got nowhere"):
        run(engine, tmp_path)
    assert len(gpu.calls) == 1


def test_a_lost_gpu_is_asked_for_longer_the_next_time(tiny_folder, tmp_path: Path):
    gpu = LentGpu(refuses=[calls.GpuLostError("taken back.")])
    engine = PartedEngine(str(tiny_folder), "cpu", gpu.GPU(duration=lambda call: call.seconds))
    with pytest.raises(ArlonError, match="taken back"):
        run(engine, tmp_path, steps=2)
    run(engine, tmp_path, steps=2)
    assert gpu.calls[1][1] > gpu.calls[0][1]


def test_a_model_that_cannot_be_loaded_is_told_by_every_job(tmp_path: Path, gpu: LentGpu):
    engine = PartedEngine(str(tmp_path / "nowhere" / "at" / "all"), "cpu", gpu.GPU(duration=60))
    assert engine.ready()
    for _ in range(2):
        with pytest.raises(ArlonError, match="does not exist"):
            run(engine, tmp_path)
    with pytest.raises(ArlonError, match="does not exist"):
        _ = engine.device


def wait_for(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "never came true"
        time.sleep(0.01)
