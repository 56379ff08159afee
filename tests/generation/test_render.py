"""Rendering: the laws of sameness, from real small models with random weights."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from arlon_core.generation.clips import ClipWriter
from arlon_core.generation.events import (
    AnimaticReady,
    ChunkReady,
    Event,
    FilmReady,
    Joining,
    Planned,
    Sampling,
    SegmentReady,
    StepDone,
    TokensReady,
)
from arlon_core.generation.plan import frames_of_latents
from arlon_core.generation.render import animatic, render
from arlon_core.generation.request import chunk_names, make_request, token_names
from arlon_core.generation.segment_clips import SegmentClips
from arlon_core.media.clips import count_frames
from arlon_core.story import Story
from tests.generation.rendering import STORY, film, hashes, steps


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


# -- events ---------------------------------------------------------------------------------------------


def test_events_come_in_order(tiny_pipeline, tmp_path: Path):
    events = list(render(tiny_pipeline, STORY, tmp_path / "p"))
    plan = events[0].plan
    joining = [Joining] * math.ceil(plan.frames / plan.fps)
    expected: list[type[Event]] = [Planned]
    for segment in plan.segments:
        expected += [*[Sampling] * segment.latents, TokensReady]
    expected += [*joining, AnimaticReady]
    expected += [*[StepDone] * 2, ChunkReady] * len(plan.chunks) + [*joining, FilmReady]
    clips = [e for e in events if isinstance(e, (AnimaticReady, SegmentReady)) and e.segment is not None]
    assert [type(event) for event in events if event not in clips] == expected
    assert [e.done for e in events if isinstance(e, Sampling)] == [*range(1, plan.latents + 1)]
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


def test_borders_of_the_plan_are_those_of_the_frames(tiny_pipeline, frames: Frames):
    first, *_ = film(tiny_pipeline, STORY)
    assert len(frames.take()) == first.plan.frames <= frames_of_latents(first.plan.latents)


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
