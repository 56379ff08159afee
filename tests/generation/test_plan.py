"""Laws of the plan: every frame covered once, borders by the formula, appending moves no earlier border."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arlon_core.errors import StoryError
from arlon_core.generation.plan import frames_of_latents, latent_border, make_plan

# A machine that is busy with something else is no failure.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

# Lengths as people write them, and any float at all.
_seconds = st.decimals("0.5", "40", places=2).map(float) | st.floats(0.5, 40.0)
_films = st.lists(_seconds, min_size=1, max_size=12)
_fps = st.sampled_from([8, 12, 16, 24, 25, 30])


@patient
@given(_films, _fps)
def test_borders_follow_the_formula(seconds: list[float], fps: int):
    plan = make_plan(seconds, fps)
    so_far = Fraction(0)
    for segment, length in zip(plan.segments, seconds, strict=True):
        so_far += Fraction(repr(length))
        assert segment.stop == math.ceil(Fraction(round(fps * so_far) + 3, 4))
    assert plan.frames == round(fps * so_far)
    assert plan.latents == plan.segments[-1].stop


@patient
@given(_films, _fps, st.integers(1, 20), st.integers(0, 6))
def test_everything_is_covered_once(seconds: list[float], fps: int, max_new: int, overlap: int):
    plan = make_plan(seconds, fps, max_new, overlap)
    frames = [frame for s in plan.segments for frame in range(s.first_frame, s.stop_frame)]
    assert frames == list(range(plan.frames))
    for parts in (plan.segments, plan.chunks, plan.blocks):
        assert [i for part in parts for i in range(part.start, part.stop)] == list(range(plan.latents))
    for segment in plan.segments:
        assert segment.frames >= 1
        assert (segment.chunks[0].start, segment.chunks[-1].stop) == (segment.start, segment.stop)
        assert (segment.blocks[0].start, segment.blocks[-1].stop) == (segment.start, segment.stop)
        assert [chunk.index for chunk in segment.chunks] == list(range(len(segment.chunks)))
        assert all(chunk.latents == max_new for chunk in segment.chunks[:-1])
        assert 1 <= segment.chunks[-1].latents <= max_new
        assert all(block.latents == 16 for block in segment.blocks[:-1])
        assert 1 <= segment.blocks[-1].latents <= 16
        for part in (*segment.chunks, *segment.blocks):
            assert part.segment == segment.index
    assert all(chunk.overlap == min(overlap, chunk.start) for chunk in plan.chunks)


@patient
@given(_films, st.lists(_seconds, min_size=1, max_size=3), _fps)
def test_appending_moves_no_earlier_border(seconds: list[float], more: list[float], fps: int):
    before, after = make_plan(seconds, fps), make_plan(seconds + more, fps)
    for old, new in zip(before.segments, after.segments, strict=False):
        assert (old.start, old.stop, old.first_frame) == (new.start, new.stop, new.first_frame)
        assert (old.chunks, old.blocks, old.start_seconds) == (new.chunks, new.blocks, new.start_seconds)
    for old, new in zip(before.segments[:-1], after.segments, strict=False):
        assert old == new
    assert after.segments[len(seconds) - 1].stop_frame >= before.frames


@patient
@given(st.integers(0, 100_000))
def test_latents_and_frames_agree(n: int):
    """n latent frames are 4n-3 frames; the border after f frames is the first whose frames reach f."""
    assert frames_of_latents(n) == max(0, 4 * n - 3)
    assert latent_border(n) == math.ceil((n + 3) / 4)
    if n >= 1:
        assert frames_of_latents(latent_border(n)) >= n > frames_of_latents(latent_border(n) - 1)


def test_600_frames_mean_600():
    plan = make_plan([10.0] * 5, 12)
    assert plan.frames == 600
    assert plan.latents == 151
    assert plan.segments[-1].stop_frame == 600
    assert frames_of_latents(plan.latents) == 601


def test_tenths_do_not_accumulate():
    """0.7 is no binary number; a thousand of them are still 700 seconds, and at 30 fps 21 frames each."""
    plan = make_plan([0.7] * 1000, 30)
    assert plan.frames == 21_000
    assert plan.segments[499].stop == math.ceil((21 * 500 + 3) / 4)


def test_true_borders_are_told():
    plan = make_plan([4.0, 6.0, 4.0], 12)
    assert [(s.start, s.stop) for s in plan.segments] == [(0, 13), (13, 31), (31, 43)]
    assert [(s.first_frame, s.stop_frame) for s in plan.segments] == [(0, 49), (49, 121), (121, 168)]
    assert [s.stop_seconds for s in plan.segments] == [49 / 12, 121 / 12, 14.0]
    assert all(a.stop_seconds == b.start_seconds for a, b in pairwise(plan.segments))
    assert plan.seconds == 14.0
    assert [(c.start, c.stop, c.overlap) for c in plan.chunks] == [
        (0, 12, 0),
        (12, 13, 4),
        (13, 25, 4),
        (25, 31, 4),
        (31, 43, 4),
    ]
    assert [(b.start, b.stop) for b in plan.blocks] == [(0, 13), (13, 29), (29, 31), (31, 43)]


def test_a_single_frame_is_a_film():
    plan = make_plan([1 / 12], 12)
    assert (plan.frames, plan.latents, len(plan.chunks), len(plan.blocks)) == (1, 1, 1, 1)
    assert plan.segments[0].frames == 1
    assert plan.chunks[0].overlap == 0


def test_the_first_overlaps_are_short():
    plan = make_plan([1.0, 4.0], 12, max_new=2, overlap=5)
    assert [chunk.overlap for chunk in plan.chunks][:4] == [0, 2, 4, 5]


def test_a_segment_without_room_for_a_picture_names_the_mend():
    with pytest.raises(StoryError, match=r"segment 2 \(0.1 s\) .* at least 0.34 seconds"):
        make_plan([4.0, 0.1, 4.0], 12)
    assert make_plan([4.0, 0.34, 4.0], 12).segments[1].latents >= 1
    with pytest.raises(StoryError, match="shorter than one frame"):
        make_plan([0.001], 12)


@patient
@given(st.floats(0.0, 50.0, exclude_min=True), st.integers(1, 60))
def test_the_mend_is_always_enough(before: float, fps: int):
    enough = math.ceil(400 / fps) / 100
    assert make_plan([before + 0.1 + 1 / fps, enough], fps).segments[1].latents >= 1


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf"), True])
def test_lengths_that_are_none_are_refused(seconds: float):
    with pytest.raises(StoryError, match="segment 2 asks for"):
        make_plan([1.0, seconds], 12)


def test_no_segments_and_senseless_numbers_are_refused():
    with pytest.raises(StoryError, match="no segments"):
        make_plan([], 12)
    for wrong in (
        {"fps": 0},
        {"fps": 12, "max_new": 0},
        {"fps": 12, "overlap": -1},
        {"fps": 12, "max_block": 0},
    ):
        with pytest.raises(ValueError, match="Got fps="):
            make_plan([1.0], **wrong)
