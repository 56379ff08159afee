"""Rendering: the laws of sameness, from real small models with random weights."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from arlon_core.errors import ArlonError, ModelError, OutputError
from arlon_core.generation.chunks import Cancelled
from arlon_core.generation.clips import ClipWriter
from arlon_core.generation.events import (
    AnimaticReady,
    ChunkReady,
    Event,
    FilmReady,
    Planned,
    SegmentReady,
    StepDone,
    TokensReady,
)
from arlon_core.generation.latent_tail import LatentTail
from arlon_core.generation.plan import frames_of_latents, make_plan
from arlon_core.generation.render import animatic, render
from arlon_core.generation.request import chunk_names, make_request, token_names
from arlon_core.generation.segment_clips import SegmentClips
from arlon_core.media.clips import count_frames
from arlon_core.story import Segment, Story, format_story

ROOT = Path(__file__).parents[2]

STORY = Story(
    (
        Segment("A red balloon rises over green hills at dawn.", 1.5),
        Segment("Then night falls and it begins to snow.", 0.8),
        Segment("A blue fox walks left through a snowy forest at night.", 0.6),
    ),
    seed=5,
)


class Frames:
    """What was handed to the encoders, put together: the film before encoding."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pieces: list[np.ndarray] = []
        write = ClipWriter.write

        def recorded(writer: ClipWriter, frames: np.ndarray) -> None:
            if writer.kind == "clip":
                self.pieces.append(frames.copy())
            write(writer, frames)

        monkeypatch.setattr(ClipWriter, "write", recorded)

    def take(self) -> np.ndarray:
        film = np.concatenate(self.pieces)
        self.pieces.clear()
        return film


@pytest.fixture
def frames(monkeypatch: pytest.MonkeyPatch) -> Frames:
    return Frames(monkeypatch)


def hashes(events: Iterator[Event]) -> list[str]:
    """The frame hash of each segment."""
    return [event.frame_hash for event in events if isinstance(event, SegmentReady)]


def film(pipe, story: Story, project: Path | None = None, **options) -> Iterator[Event]:
    return render(pipe, story, project, with_animatic=False, **options)


def steps(events: list[Event]) -> list[StepDone]:
    return [event for event in events if isinstance(event, StepDone)]


# -- events ---------------------------------------------------------------------------------------------


def test_events_come_in_order(tiny_pipeline, tmp_path: Path):
    events = list(render(tiny_pipeline, STORY, tmp_path / "p"))
    plan = events[0].plan
    expected: list[type[Event]] = [Planned, *[TokensReady] * 3, AnimaticReady]
    expected += [*[StepDone] * 2, ChunkReady] * len(plan.chunks) + [FilmReady]
    clips = [e for e in events if isinstance(e, (AnimaticReady, SegmentReady)) and e.segment is not None]
    assert [type(event) for event in events if event not in clips] == expected
    # A segment's clips are encoded beside the rest: each comes when it stands, after its tokens or its last
    # chunk, and in order.
    small = [event for event in clips if isinstance(event, AnimaticReady)]
    assert [event.segment for event in small] == [0, 1, 2]
    whole = next(e for e in events if isinstance(e, AnimaticReady) and e.segment is None)
    tokens = [event for event in events if isinstance(event, TokensReady)]
    for event, made in zip(small, tokens, strict=True):
        assert events.index(made) < events.index(event) < events.index(whole)
    ready = [event for event in clips if isinstance(event, SegmentReady)]
    assert [event.segment for event in ready] == [0, 1, 2]
    for event, segment in zip(ready, plan.segments, strict=True):
        last = ChunkReady(segment.index, segment.chunks[-1].index)
        assert events.index(last) < events.index(event) < len(events) - 1


def test_first_small_clips_can_be_watched_before_later_tokens_are_sampled(
    tiny_pipeline, tmp_path, monkeypatch
):
    """With an encoder that is never late, each segment's clip is told before the next one's tokens."""
    finish = SegmentClips.finish

    def at_once(self: SegmentClips, segment: int) -> None:
        finish(self, segment)
        self._thread.drain()

    monkeypatch.setattr(SegmentClips, "finish", at_once)
    events = list(animatic(tiny_pipeline, STORY, tmp_path / "p"))
    order = [(type(e), e.segment) for e in events if isinstance(e, (TokensReady, AnimaticReady))]
    each = [(kind, segment) for segment in range(3) for kind in (TokensReady, AnimaticReady)]
    assert order == [*each, (AnimaticReady, None)]


def test_the_film_has_exactly_the_planned_frames(tiny_pipeline, tmp_path: Path):
    events = list(render(tiny_pipeline, STORY, tmp_path / "p", output=tmp_path / "film.mp4"))
    plan, report = events[0].plan, events[-1].report
    assert plan.frames == round(12 * 2.9)
    assert count_frames(tmp_path / "film.mp4") == plan.frames == report["frames"]
    ready = [event for event in events if isinstance(event, SegmentReady)]
    assert [event.frames for event in ready] == [segment.frames for segment in plan.segments]
    assert report["seconds_of_video"] == pytest.approx(plan.seconds, abs=1e-3)
    assert set(report["seconds"]) == {"load", "text", "tokens", "denoise", "decode", "encode"}
    assert all(value > 0 for value in report["seconds"].values())
    assert report["steps"] == 2
    assert report["seed"] == 5


def test_without_a_project_nothing_stays_behind(tiny_pipeline, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    *_, last = film(tiny_pipeline, Story(STORY.segments[1:2]))
    assert not last.path.exists()
    assert not list(tmp_path.iterdir())


# -- sameness -------------------------------------------------------------------------------------------


def test_the_same_request_gives_the_same_frames(tiny_pipeline, tmp_path: Path):
    first = hashes(film(tiny_pipeline, STORY, tmp_path / "a"))
    assert first == hashes(film(tiny_pipeline, STORY, tmp_path / "b"))
    assert first == hashes(film(tiny_pipeline, replace(STORY, title="Another title")))
    assert len(set(first)) == 3


def test_appending_a_segment_leaves_the_frames_before_it(tiny_pipeline, tmp_path: Path, frames: Frames):
    """From two empty projects; the shorter film's tail is trimmed, what it shows must still be the same."""
    list(film(tiny_pipeline, replace(STORY, segments=STORY.segments[:2]), tmp_path / "a"))
    short = frames.take()
    list(film(tiny_pipeline, STORY, tmp_path / "b"))
    long = frames.take()
    assert len(short) == round(12 * 2.3)
    assert np.array_equal(short, long[: len(short)])


@pytest.mark.parametrize(
    "edit",
    [{"prompt": "Then the sun rises."}, {"seed": 99}, {"seconds": 1.2}],
    ids=lambda edit: next(iter(edit)),
)
def test_editing_a_segment_leaves_the_frames_before_it(tiny_pipeline, tmp_path: Path, frames: Frames, edit):
    list(film(tiny_pipeline, STORY, tmp_path / "a"))
    before = frames.take()
    edited = (STORY.segments[0], replace(STORY.segments[1], **edit), STORY.segments[2])
    first, *_ = film(tiny_pipeline, replace(STORY, segments=edited), tmp_path / "b")
    after = frames.take()
    border = first.plan.segments[1].first_frame
    assert np.array_equal(before[:border], after[:border])
    assert not np.array_equal(before[border:], after[border:])


def test_an_edit_renders_only_what_it_touches(tiny_pipeline, tmp_path: Path):
    list(film(tiny_pipeline, STORY, tmp_path))
    edited = (*STORY.segments[:2], replace(STORY.segments[2], prompt="A white boat drifts right."))
    events = list(film(tiny_pipeline, replace(STORY, segments=edited), tmp_path))
    assert {event.segment for event in steps(events)} == {2}
    assert [event.cached for event in events if isinstance(event, TokensReady)] == [True, True, False]
    fresh = hashes(film(tiny_pipeline, replace(STORY, segments=edited)))
    assert fresh == hashes(iter(events))


def test_rendering_again_makes_nothing_again(tiny_pipeline, tmp_path: Path):
    first = hashes(film(tiny_pipeline, STORY, tmp_path))
    again = list(film(tiny_pipeline, STORY, tmp_path))
    assert hashes(iter(again)) == first
    assert not steps(again)
    assert not again[-1].report["cache_misses"]


def test_settings_are_part_of_the_request(tiny_pipeline, tmp_path: Path):
    story = Story(STORY.segments[1:2], seed=1)
    made = [
        hashes(film(tiny_pipeline, story, tmp_path, **options))[0]
        for options in ({}, {"steps": 3}, {"guidance": 2.0}, {"seed": 2})
    ]
    assert len(set(made)) == 4


def test_without_f_only_the_diffusion_changes(tiny_pipeline, tmp_path: Path):
    """Tokens are found again, chunks are not; and what is made without F does not know the tokens."""
    story = Story(STORY.segments[:2], seed=1)
    with_f = hashes(film(tiny_pipeline, story, tmp_path))
    events = list(film(tiny_pipeline, story, tmp_path, use_coarse=False))
    report = events[-1].report
    assert (report["cache_misses"].get("tokens"), report["coarse_latents"]) == (None, False)
    assert "latents" not in report["cache_hits"]
    assert all(a != b for a, b in zip(with_f, hashes(iter(events)), strict=True))
    assert hashes(film(tiny_pipeline, story, tmp_path)) == with_f

    fresh = list(film(tiny_pipeline, story, use_coarse=False))
    assert not [event for event in fresh if isinstance(event, TokensReady)], "what needs none samples none"
    assert hashes(iter(fresh)) == hashes(iter(events))

    plain = make_request(tiny_pipeline, story, use_coarse=False)
    blocks = token_names(tiny_pipeline, plain)
    others = ["other tokens"] * len(blocks)
    assert chunk_names(tiny_pipeline, plain, blocks) == chunk_names(tiny_pipeline, plain, others)
    steered = replace(plain, use_coarse=True)
    assert chunk_names(tiny_pipeline, steered, blocks) != chunk_names(tiny_pipeline, steered, others)


# -- broken off -----------------------------------------------------------------------------------------


def cut_after(events: Iterator[Event], kind: type[Event], count: int) -> None:
    """Take events up to the `count`-th of a kind, then drop the render as a crash would."""
    for event in events:
        count -= isinstance(event, kind)
        if count == 0:
            events.close()
            return
    raise AssertionError("the render ended before it was cut")


@pytest.mark.parametrize(
    ("kind", "count"), [(TokensReady, 1), (StepDone, 3), (ChunkReady, 1), (SegmentReady, 1), (ChunkReady, 3)]
)
def test_resumed_equals_unbroken(tiny_pipeline, tmp_path: Path, kind: type[Event], count: int):
    unbroken = hashes(film(tiny_pipeline, STORY, tmp_path / "a"))
    cut_after(film(tiny_pipeline, STORY, tmp_path / "b"), kind, count)
    resumed = list(film(tiny_pipeline, STORY, tmp_path / "b"))
    assert hashes(iter(resumed)) == unbroken
    assert resumed[-1].report["cache_hits"]


@pytest.mark.slow
def test_killed_and_resumed_equals_never_killed(tiny_pipeline, tiny_folder: Path, tmp_path: Path):
    """A real process, killed outright while it denoises."""
    story = tmp_path / "story.txt"
    story.write_text(format_story(STORY))
    command = [sys.executable, "-m", "arlon_core", "render", str(story), "-o", str(tmp_path / "film.mp4")]
    command += ["--model", str(tiny_folder), "--project", str(tmp_path / "p"), "--device", "cpu"]
    command += ["--steps", "40"]
    # The same number of threads as here: bits are promised for one number of threads only.
    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, **quiet)
    try:
        deadline = time.monotonic() + 120
        while not list((tmp_path / "p").glob("artefacts/latents/*/[0-9a-f]*.safetensors")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.005)
    finally:
        process.kill()
        process.wait()
    assert not (tmp_path / "film.mp4").exists()
    resumed = list(film(tiny_pipeline, STORY, tmp_path / "p", steps=40))
    assert hashes(iter(resumed)) == hashes(film(tiny_pipeline, STORY, steps=40))
    assert resumed[-1].report["cache_hits"]["latents"] >= 1


@pytest.mark.parametrize("kind", ["latents", "tokens", "clip"])
def test_a_damaged_artefact_is_made_again(tiny_pipeline, tmp_path: Path, kind: str):
    first = hashes(film(tiny_pipeline, STORY, tmp_path))
    for path in (tmp_path / "artefacts" / kind).rglob("*.*"):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    assert hashes(film(tiny_pipeline, STORY, tmp_path)) == first


# -- cancelled ------------------------------------------------------------------------------------------


def test_cancel_stops_within_one_step(tiny_pipeline, tmp_path: Path):
    cancel, seen = threading.Event(), []
    events = film(tiny_pipeline, STORY, tmp_path, steps=8, cancel=cancel)

    def follow() -> None:
        for event in events:
            seen.append(event)
            if isinstance(event, StepDone) and event.step == 3:
                cancel.set()

    with pytest.raises(Cancelled):
        follow()
    assert isinstance(seen[-1], StepDone)
    assert seen[-1].step == 3


def test_cancel_stops_before_tokens_too(tiny_pipeline):
    with pytest.raises(Cancelled):
        list(film(tiny_pipeline, STORY, cancel=lambda: True))


# -- the animatic ---------------------------------------------------------------------------------------


def test_the_animatic_has_full_length_and_runs_no_diffusion(tiny_pipeline, tmp_path: Path):
    events = list(animatic(tiny_pipeline, STORY, tmp_path / "p", output=tmp_path / "small.mp4"))
    assert not steps(events)
    assert count_frames(tmp_path / "small.mp4") == events[0].plan.frames
    shown = [event for event in events if isinstance(event, AnimaticReady) and event.segment is not None]
    assert all(event.frames.shape[1:] == (32, 56, 3) for event in shown)


def test_a_render_goes_on_from_the_animatic(tiny_pipeline, tmp_path: Path):
    list(animatic(tiny_pipeline, STORY, tmp_path))
    events = list(film(tiny_pipeline, STORY, tmp_path))
    assert all(event.cached for event in events if isinstance(event, TokensReady))


# -- any length -----------------------------------------------------------------------------------------


def test_cost_grows_linearly(tiny_pipeline):
    """Twice the seconds, twice the chunks and blocks; and each chunk is one of bounded size."""
    config = tiny_pipeline.config
    for seconds in (30.0, 60.0, 600.0):
        plan = make_plan([seconds], config.fps, config.max_new, config.overlap)
        assert len(plan.chunks) == -(-plan.latents // config.max_new)
        assert max(chunk.latents + chunk.overlap for chunk in plan.chunks) <= config.max_new + config.overlap


def test_only_the_tail_of_the_latents_is_held():
    import torch

    tail = LatentTail(1, 1, 1, keep=5)
    for start in range(0, 40, 4):
        tail.append(torch.arange(start, start + 4).half().view(1, 4, 1, 1))
        assert tail.latents.shape[1] <= 5
    assert tail.get(36, 39).flatten().tolist() == [36, 37, 38]


@pytest.mark.slow
def test_memory_stays_flat(tiny_folder: Path, tmp_path: Path):
    """The most memory a process ever held, for 600 frames and for five times as many."""
    code = (
        "import sys, resource, torch; torch.set_num_threads(1)\n"
        "from arlon_core.pipeline import ArlonPipeline\n"
        "from arlon_core.generation.render import render\n"
        "from arlon_core.story import Segment, Story\n"
        "pipe = ArlonPipeline.from_pretrained(sys.argv[1], device='cpu')\n"
        "story = Story(tuple(Segment('A red balloon rises.', 25) for _ in range(int(sys.argv[2]))))\n"
        "for event in render(pipe, story, steps=1, with_animatic=False): pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)\n"
    )
    peaks = []
    for segments in (2, 10):
        command = [sys.executable, "-c", code, str(tiny_folder), str(segments)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout.split()[-1]))
    assert peaks[1] < peaks[0] + 60, f"MB held: {peaks}"


# -- what cannot begin ----------------------------------------------------------------------------------


def test_a_bad_output_is_refused_before_anything_runs(tiny_pipeline, tmp_path: Path):
    with pytest.raises(OutputError, match="folder does not exist"):
        render(tiny_pipeline, STORY, output=tmp_path / "nowhere" / "film.mp4")
    with pytest.raises(OutputError, match="is a folder"):
        render(tiny_pipeline, STORY, output=tmp_path)


def test_an_untrained_part_is_named(tiny_pipeline):
    # A copy: the library notes an absent part in the pipeline's configuration, and never takes it back.
    pipe = copy(tiny_pipeline)
    pipe.transformer = None
    with pytest.raises(ModelError, match=r"no transformer yet.* train dit"):
        render(pipe, STORY)


@pytest.mark.parametrize("steps", [0, -1, 100_000])
def test_foolish_steps_are_refused(tiny_pipeline, steps: int):
    with pytest.raises(ArlonError, match="denoising steps"):
        render(tiny_pipeline, STORY, steps=steps)


def test_a_full_disk_is_told_and_spares_the_old_film(tiny_pipeline, tmp_path: Path, monkeypatch):
    import errno

    from arlon_core.media import segment_writer

    old = tmp_path / "film.mp4"
    old.write_bytes(b"the film before")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(segment_writer.av.VideoFrame, "from_ndarray", full, raising=False)
    with pytest.raises(ArlonError, match="disk is full"):
        list(film(tiny_pipeline, STORY, output=old))
    assert old.read_bytes() == b"the film before"


def test_borders_of_the_plan_are_those_of_the_frames(tiny_pipeline, frames: Frames):
    first, *_ = film(tiny_pipeline, STORY)
    assert len(frames.take()) == first.plan.frames <= frames_of_latents(first.plan.latents)
