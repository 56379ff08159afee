"""The real engine behind a queue, with the small real model: loading aside, films, previews, cancel."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from arlon_core.errors import ModelError
from arlon_core.generation.chunks import Cancelled
from arlon_core.generation.events import AnimaticReady, FilmReady, Planned, SegmentReady, StepDone
from arlon_core.jobs import JobQueue, JobRequest, JobState, ModelEngine
from arlon_core.media.clips import count_frames
from arlon_core.story import Segment, Story

STORY = Story((Segment("A red balloon rises.", 1.5), Segment("Then night falls.", 0.8)), seed=5)


@pytest.fixture(scope="module")
def engine(tiny_folder: Path) -> ModelEngine:
    return ModelEngine(str(tiny_folder), "cpu")


@pytest.fixture
def queue(engine: ModelEngine):
    queue = JobQueue(engine)
    yield queue
    queue.close()


def test_it_knows_its_model_once_it_is_loaded(engine: ModelEngine, tiny_folder: Path):
    engine.wait()
    assert engine.ready()
    assert (engine.fps, engine.height, engine.width, engine.device) == (12, 64, 112, "cpu")
    assert engine.name == str(tiny_folder)


def test_an_animatic_and_then_the_film(queue: JobQueue, tmp_path: Path):
    animatic = queue.submit(JobRequest("animatic", STORY, tmp_path))
    render = queue.submit(JobRequest("render", STORY, tmp_path, steps=3))
    small = [event for _, event in queue.attach(animatic)]
    whole = [event for event in small if isinstance(event, AnimaticReady) and event.segment is None]
    assert whole[0].path.is_relative_to(tmp_path)
    assert not [event for event in small if isinstance(event, StepDone)]

    events = [event for _, event in queue.attach(render)]
    plan = next(event.plan for event in events if isinstance(event, Planned))
    ready = [event for event in events if isinstance(event, SegmentReady)]
    assert [count_frames(event.path) for event in ready] == [segment.frames for segment in plan.segments]
    assert all(event.path.is_relative_to(tmp_path / "artefacts") for event in ready)
    assert isinstance(events[-1], FilmReady)
    assert count_frames(events[-1].path) == plan.frames
    assert events[-1].report["steps"] == 3
    assert queue.status(render).state is JobState.DONE


def test_steps_are_seen_as_pictures_while_they_are_new(queue: JobQueue, tmp_path: Path):
    job = queue.submit(JobRequest("render", STORY, tmp_path, steps=6))
    shapes = {
        event.preview.shape[1:]
        for _, event in queue.attach(job)
        if isinstance(event, StepDone) and event.preview is not None
    }
    assert shapes == {(32, 56, 3)}


class CancelledInside:
    """The transformer; in its `count`-th pass, a denoising step, another thread cancels the render."""

    def __init__(self, engine: ModelEngine, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
        model = engine._pipe.transformer
        self.passes, self.count, self._forward = 0, count, model.forward
        self.cancel: Callable[[], object] = lambda: None
        monkeypatch.setattr(model, "forward", self)

    def __call__(self, *args, **options):
        self.passes += 1
        if self.passes == self.count:
            other = threading.Thread(target=self.cancel)
            other.start()
            other.join()
        return self._forward(*args, **options)


@pytest.mark.parametrize("count", [1, 3, 8], ids=["first", "middle", "second chunk"])
def test_a_cancelled_render_ends_with_the_step_that_runs(
    engine: ModelEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
):
    cancel = threading.Event()
    transformer = CancelledInside(engine, monkeypatch, count)
    transformer.cancel = cancel.set
    with pytest.raises(Cancelled):
        list(engine.run(JobRequest("render", STORY, tmp_path, steps=6), cancel))
    assert transformer.passes == count


def test_a_cancelled_job_ends_with_the_step_that_runs(
    queue: JobQueue, engine: ModelEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    transformer = CancelledInside(engine, monkeypatch, 3)
    transformer.cancel = lambda: queue.cancel(queue.jobs()[0].id)
    job = queue.submit(JobRequest("render", STORY, tmp_path, steps=6))
    seen = [event for _, event in queue.attach(job)]
    assert queue.status(job).state is JobState.CANCELLED
    assert transformer.passes == 3
    assert [event.step for event in seen if isinstance(event, StepDone)][-1:] == [3]
    assert seen[-1].message.startswith("cancelled")


def test_a_render_out_of_memory_goes_on_with_what_its_sentence_names(
    queue: JobQueue, engine: ModelEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """As a person at the page does, who has no command line: the setting is named as its field is."""
    model = engine._pipe.transformer
    forward, seen = model.forward, []

    def short_of_memory(latents, *args, **options):
        seen.append(latents.shape[2])
        if seen[-1] > 4:
            raise MemoryError
        return forward(latents, *args, **options)

    monkeypatch.setattr(model, "forward", short_of_memory)
    story = Story((Segment("A red balloon rises.", 2.5),))
    request = JobRequest("render", story, tmp_path, steps=1)
    failed = queue.submit(request)
    list(queue.attach(failed))
    sentence = queue.status(failed).message
    fitting = re.search(r"(\d+) latent frames a chunk", sentence)
    assert fitting, sentence
    assert "settings" in sentence
    again = queue.submit(replace(request, chunk=int(fitting[1])))
    assert isinstance([event for _, event in queue.attach(again)][-1], FilmReady), queue.status(again).message
    assert max(seen) > 4


def test_a_job_waits_for_the_model_and_can_be_cancelled_meanwhile(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from arlon_core.pipeline import ArlonPipeline

    load, go_on = ArlonPipeline.from_pretrained, threading.Event()

    def slowly(*args, **options):
        assert go_on.wait(30)
        return load(*args, **options)

    monkeypatch.setattr(ArlonPipeline, "from_pretrained", slowly)
    engine = ModelEngine(str(tiny_folder), "cpu")
    assert not engine.ready()
    with pytest.raises(TimeoutError):
        engine.wait(0.01)
    queue = JobQueue(engine)
    cancelled = queue.submit(JobRequest("animatic", STORY, tmp_path))
    patient = queue.submit(JobRequest("animatic", STORY, tmp_path))
    queue.cancel(cancelled)
    assert [type(event).__name__ for _, event in queue.attach(cancelled)] == ["Failed"]
    go_on.set()
    assert isinstance([event for _, event in queue.attach(patient)][-1], FilmReady)
    queue.close()


def test_a_model_that_cannot_be_loaded_is_told_by_every_job(tmp_path: Path):
    engine = ModelEngine(str(tmp_path / "nowhere" / "at" / "all"), "cpu")
    with pytest.raises(ModelError, match="does not exist"):
        engine.wait()
    assert engine.ready()
    queue = JobQueue(engine)
    job = queue.submit(JobRequest("render", STORY, tmp_path))
    assert "does not exist" in [event for _, event in queue.attach(job)][-1].message
    assert queue.status(job).state is JobState.FAILED
    queue.close()


def test_an_edit_in_the_same_project_renders_only_what_it_touches(queue: JobQueue, tmp_path: Path):
    first = queue.submit(JobRequest("render", STORY, tmp_path))
    edited = replace(STORY, segments=(STORY.segments[0], Segment("A blue fox walks left.", 0.8)))
    second = queue.submit(JobRequest("render", edited, tmp_path))
    list(queue.attach(first))
    steps = {event.segment for _, event in queue.attach(second) if isinstance(event, StepDone)}
    assert steps == {1}
