"""The chunk loop's steps, each run alone; and what goes on beside them."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from arlon_core.errors import OutputError
from arlon_core.generation import steps
from arlon_core.generation.chunks import Cancelled
from arlon_core.generation.clips import ClipWriter
from arlon_core.generation.events import ChunkReady, Event, SegmentReady, StepDone
from arlon_core.generation.film import open_film
from arlon_core.generation.noise import chunk_noise
from arlon_core.generation.render import render
from arlon_core.generation.request import make_request
from arlon_core.generation.segment_clips import SegmentClips
from arlon_core.generation.session import Session, open_session
from arlon_core.generation.steps import ChunkWork, Film
from arlon_core.media.frame_hash import frame_hash
from arlon_core.story import Segment, Story

PATIENCE = 30  # seconds until a test that hangs fails; no law depends on it
STORY = Story((Segment("A red balloon rises.", 1.5), Segment("Then night falls.", 0.8)), seed=5)


@pytest.fixture
def session(tiny_pipeline, tmp_path: Path) -> Iterator[Session]:
    with open_session(tiny_pipeline, make_request(tiny_pipeline, STORY), tmp_path, None) as session:
        yield session


@pytest.fixture
def film(session: Session) -> Iterator[Film]:
    tokens = torch.arange(session.request.plan.latents * 4).view(-1, 4) % 32
    with SegmentClips(session.store, "clip", 12, session.report) as clips:
        yield open_film(session, tokens, clips)


def second_chunk(film: Film, **values) -> ChunkWork:
    """The work of a chunk with overlap; its predecessor is in the tail."""
    segment = film.session.request.plan.segments[0]
    first, second = segment.chunks[:2]
    generator = torch.Generator().manual_seed(1)
    size = film.session.pipe.latent_size
    film.tail.append(torch.randn(size[0], first.latents, *size[1:], generator=generator).half())
    return ChunkWork(segment, second, "0" * 64, **values)


def run(step: steps.Step, film: Film, work: ChunkWork) -> list[Event]:
    return list(step(film, work))


# -- the list, and each step alone ----------------------------------------------------------------------


def test_the_steps_have_their_order():
    names = [step.__name__ for step in (*steps.MAKE_LATENTS, *steps.MAKE_PICTURES)]
    assert names == ["condition", "noise", "denoise", "keep", "decode", "write"]


def test_condition_gathers_what_decides_the_chunk(film: Film):
    work = second_chunk(film)
    assert run(steps.condition, film, work) == []
    task, chunk = work.task, work.plan
    assert torch.equal(task.overlap, film.tail.get(chunk.start - chunk.overlap, chunk.start))
    assert task.coarse.shape[1] == chunk.overlap + chunk.latents
    assert (task.seed, task.num_inference_steps, task.plan) == (5, 2, chunk)


def test_noise_is_keyed_and_stands_behind_the_overlap(film: Film):
    work = second_chunk(film)
    run(steps.condition, film, work)
    run(steps.noise, film, work)
    chunk, size = work.plan, film.session.pipe.latent_size
    assert torch.equal(work.start[0, :, : chunk.overlap], work.task.overlap.float())
    expected = chunk_noise((size[0], chunk.latents, *size[1:]), 5, 0, chunk.index)
    assert torch.equal(work.start[0, :, chunk.overlap :], expected)


def test_denoise_tells_its_steps_and_leaves_the_new_latents(film: Film):
    work = second_chunk(film)
    run(steps.condition, film, work)
    run(steps.noise, film, work)
    assert run(steps.denoise, film, work) == [StepDone(0, 1, step, 2) for step in (1, 2)]
    assert work.latents.shape[1] == work.plan.latents
    assert work.latents.isfinite().all()


def test_what_is_kept_is_recalled(film: Film):
    size = film.session.pipe.latent_size
    work = second_chunk(film, latents=torch.full((size[0], 4, *size[1:]), 0.5).half())
    assert run(steps.keep, film, work) == [ChunkReady(0, 1)]
    again = replace(work, latents=None)
    assert run(steps.recall, film, again) == [ChunkReady(0, 1, cached=True)]
    assert torch.equal(again.latents, work.latents)
    other = replace(work, latents=None, key="1" * 64)
    assert run(steps.recall, film, other) == []
    assert other.latents is None


def test_decode_trims_the_film_and_only_it(film: Film):
    plan, size = film.session.request.plan, film.session.pipe.latent_size
    last = plan.segments[-1]
    film.tail.append(torch.zeros(size[0], last.chunks[-1].start, *size[1:]).half())
    latents = torch.zeros(size[0], last.chunks[-1].latents, *size[1:]).half()
    work = ChunkWork(last, last.chunks[-1], "0" * 64, latents=latents)
    run(steps.decode, film, work)
    before = last.chunks[-1].start * 4 - 3
    assert work.frames.shape == (plan.frames - before, 64, 112, 3)


def test_write_and_remember(film: Film):
    size = film.session.pipe.latent_size
    frames = np.random.default_rng(0).integers(0, 255, (9, 64, 112, 3), np.uint8)
    latents = torch.zeros(size[0], 4, *size[1:]).half()
    work = second_chunk(film, frames=frames, latents=latents)
    film.clips.begin("2" * 64)
    run(steps.write, film, work)
    film.clips.finish(0)
    (ready,) = film.clips.rest()
    assert (ready.segment, ready.clip.frames, ready.clip.frame_hash) == (0, 9, frame_hash(frames))
    stop = film.tail.stop
    run(steps.remember, film, work)
    assert film.tail.stop == stop + 4


def test_a_chunk_that_is_kept_is_not_made_again(film: Film, monkeypatch: pytest.MonkeyPatch):
    work = second_chunk(film)
    list(steps.run_chunk(film, work, pictures=False))
    made = work.latents
    monkeypatch.setattr(film.session.pipe.transformer, "forward", None)
    film.tail.stop -= work.plan.latents
    again = replace(work, task=None, start=None, latents=None)
    assert list(steps.run_chunk(film, again, pictures=False)) == [ChunkReady(0, 1, cached=True)]
    assert torch.equal(again.latents, made)


# -- beside the steps -----------------------------------------------------------------------------------


def test_encoding_holds_up_no_denoising(tiny_pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The encoder waits for the next chunk to be denoised; were it waited for, this would never end."""
    write, denoised, in_time = ClipWriter.write, threading.Event(), []

    def slow(writer: ClipWriter, frames: np.ndarray) -> None:
        if not denoised.is_set():
            in_time.append(denoised.wait(PATIENCE))
        write(writer, frames)

    monkeypatch.setattr(ClipWriter, "write", slow)
    for event in render(tiny_pipeline, STORY, tmp_path, with_animatic=False):
        if isinstance(event, ChunkReady) and event.chunk == 1:
            denoised.set()
    assert in_time == [True]


def test_a_clip_is_told_when_it_stands_and_the_film_goes_on_meanwhile(
    tiny_pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    finish, go_on, events = ClipWriter.finish, threading.Event(), []

    def slow(writer: ClipWriter):
        assert go_on.wait(PATIENCE)
        return finish(writer)

    monkeypatch.setattr(ClipWriter, "finish", slow)
    for event in render(tiny_pipeline, STORY, tmp_path, with_animatic=False):
        events.append(event)
        if isinstance(event, SegmentReady):
            assert event.path.is_file()
        if isinstance(event, StepDone) and event.segment == 1:
            go_on.set()
    first = next(i for i, event in enumerate(events) if isinstance(event, SegmentReady))
    assert StepDone(1, 0, 1, 2) in events[:first]


def test_a_broken_encoder_stops_the_render_and_leaves_no_half_clip(
    tiny_pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def broken(writer: ClipWriter, frames: np.ndarray) -> None:
        raise OutputError("the clip cannot be written: the disk is full; free some space.")

    monkeypatch.setattr(ClipWriter, "write", broken)
    with pytest.raises(OutputError, match="disk is full"):
        list(render(tiny_pipeline, STORY, tmp_path, with_animatic=False))
    assert not list((tmp_path / "artefacts" / "clip").rglob("*.*"))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("arlon-encode")]
    monkeypatch.undo()
    *_, last = render(tiny_pipeline, STORY, tmp_path, with_animatic=False)
    assert last.report["cache_hits"]["latents"] >= 1


def test_encoding_that_costs_no_time_is_not_counted_twice(tiny_pipeline, tmp_path: Path):
    *_, last = render(tiny_pipeline, STORY, tmp_path, with_animatic=False)
    report = last.report
    beside = report["seconds_encoded_beside"]
    assert 0 <= beside <= report["seconds"]["encode"]
    assert report["seconds_total"] == pytest.approx(sum(report["seconds"].values()) - beside, abs=0.01)


# -- cancelled, from another thread ---------------------------------------------------------------------


class Hook:
    """Stops the `count`-th call of a function until another thread has set the cancel event."""

    def __init__(self, function, cancel: threading.Event, count: int) -> None:
        self.function, self.cancel, self.count, self.calls = function, cancel, count, 0
        self.reached, self.gone_on = threading.Event(), threading.Event()
        threading.Thread(target=self._other_thread, daemon=True).start()

    def __call__(self, *args, **options):
        self.calls += 1
        if self.calls == self.count:
            self.reached.set()
            assert self.gone_on.wait(PATIENCE)
        return self.function(*args, **options)

    def _other_thread(self) -> None:
        assert self.reached.wait(PATIENCE)
        self.cancel.set()
        self.gone_on.set()


@pytest.mark.parametrize("place", ["denoise", "decode"])
def test_cancel_ends_with_the_step_that_runs(
    tiny_pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
):
    """A denoising step, or one latent frame decoded: that is the longest a cancelled render goes on."""
    from arlon_core.models.video_vae import StreamingDecoder

    cancel = threading.Event()
    if place == "denoise":
        hook = Hook(tiny_pipeline.transformer.forward, cancel, 5)
        monkeypatch.setattr(tiny_pipeline.transformer, "forward", hook)
    else:
        decode = StreamingDecoder.decode
        hook = Hook(decode, cancel, 3)
        monkeypatch.setattr(StreamingDecoder, "decode", lambda *args: hook(*args))
    with pytest.raises(Cancelled):
        list(render(tiny_pipeline, STORY, tmp_path, steps=8, with_animatic=False, cancel=cancel))
    assert hook.calls == hook.count


def test_a_cancelled_render_holds_on_to_nothing(tiny_pipeline, tmp_path: Path, monkeypatch):
    """Though somebody keeps the error, whose traceback runs through all that was going on."""
    held = []
    denoise = steps.start_latents

    def watched(*args):
        latents = denoise(*args)
        held.append(weakref.ref(latents))
        return latents

    monkeypatch.setattr(steps, "start_latents", watched)
    seen: list[Event] = []
    with pytest.raises(Cancelled) as caught:
        seen.extend(render(tiny_pipeline, STORY, tmp_path, cancel=lambda: len(held) > 1))
    assert held
    assert not [reference for reference in held if reference() is not None]
    assert caught.value.__traceback__ is not None
