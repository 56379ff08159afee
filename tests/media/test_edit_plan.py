"""Laws of the edit in integers: nothing is lost, shown thrice or rounded away."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arlon_core.errors import FilmError
from arlon_core.media.edit_plan import EditPlan, describe_edit, plan_edit
from arlon_core.media.film_settings import JOINS, Join

FPS = 12
JOIN = st.builds(Join, st.sampled_from(JOINS), st.floats(0.01, 3))
FILMS = st.lists(st.tuples(st.integers(1, 60), JOIN), min_size=1, max_size=12)


def plan_of(film: list[tuple[int, Join]]) -> EditPlan | None:
    """The plan, or None where the joins do not fit."""
    try:
        return plan_edit([frames for frames, _ in film], [join for _, join in film], FPS)
    except FilmError:
        return None


def taken(film: list[tuple[int, Join]], index: int) -> int:
    """Frames that the joins of a segment take of it."""
    into = film[index][1] if index else Join()
    out = film[index + 1][1] if index + 1 < len(film) else Join()
    n, m = into.frames(FPS), out.frames(FPS)
    return (n - n // 2 if into.kind == "fade" else n) + (m // 2 if out.kind == "fade" else m)


@given(FILMS)
def test_a_plan_exists_exactly_when_every_segment_keeps_a_frame(film):
    fits = all(taken(film, index) < frames for index, (frames, _) in enumerate(film))
    assert (plan_of(film) is not None) == fits


@given(FILMS)
def test_crossfades_shorten_by_their_frames_and_nothing_else_does(film):
    plan = plan_of(film)
    if plan is None:
        return
    overlaps = [join.frames(FPS) for _, join in film[1:] if join.kind == "crossfade"]
    assert plan.frames == sum(frames for frames, _ in film) - sum(overlaps)
    assert plan.shortened == sum(overlaps)
    assert plan.seconds == plan.frames / FPS


@given(FILMS)
def test_every_frame_shows_one_segment_or_the_two_of_a_crossfade(film):
    plan = plan_of(film)
    if plan is None:
        return
    assert [each.frames for each in plan.segments] == [frames for frames, _ in film]
    shown: list[list[int]] = [[] for _ in range(plan.frames)]
    for each in plan.segments:
        for frame in range(each.start, each.stop):
            shown[frame].append(each.index)
    for each in plan.segments:
        both = [frame for frame, segments in enumerate(shown) if segments == [each.index - 1, each.index]]
        assert both == list(range(each.start, each.start + each.overlap_in))
        own = range(each.start + each.overlap_in + each.fade_in, each.stop - each.overlap_out - each.fade_out)
        assert len(own) >= 1
        assert all(shown[frame] == [each.index] for frame in own)
    assert all(1 <= len(segments) <= 2 for segments in shown)


@given(FILMS)
def test_a_fade_takes_its_frames_half_from_each_side(film):
    plan = plan_of(film)
    if plan is None:
        return
    for before, after in zip(plan.segments, plan.segments[1:], strict=False):
        frames = after.join_frames if after.join == "fade" else 0
        assert before.fade_out + after.fade_in == frames
        assert 0 <= after.fade_in - before.fade_out <= 1


@given(FILMS)
def test_captions_cover_the_film_and_change_in_the_middle_of_a_crossfade(film):
    plan = plan_of(film)
    if plan is None:
        return
    spans = plan.caption_frames()
    assert [frame for start, stop in spans for frame in range(start, stop)] == list(range(plan.frames))
    assert all(start < stop for start, stop in spans)
    for (start, _), each in zip(spans, plan.segments, strict=True):
        assert start - each.start == each.overlap_in // 2


@given(st.lists(st.integers(2, 60), min_size=2, max_size=8), st.sampled_from(JOINS[1:]), st.floats(0.01, 9))
def test_the_longest_that_fits_fits_and_a_frame_more_does_not(frames, kind, seconds):
    try:
        plan_edit(frames, [Join(kind, seconds)] * len(frames), FPS)
    except FilmError as error:
        longest = re.search(r"at most ([0-9.]+) s", str(error))
        if longest is None:  # not one frame fits: only cuts do
            with pytest.raises(FilmError):
                plan_edit(frames, [Join(kind, 0.01)] * len(frames), FPS)
            return
        most = float(longest[1])
        plan_edit(frames, [Join(kind, most)] * len(frames), FPS)
        with pytest.raises(FilmError):
            plan_edit(frames, [Join(kind, most + 1 / FPS)] * len(frames), FPS)


def test_the_first_segment_joins_nothing():
    assert plan_edit([5], [Join("crossfade", 3)], FPS).frames == 5
    assert plan_edit([5, 6], [], FPS).frames == 11


def test_a_segment_too_short_is_named_with_the_mend():
    with pytest.raises(FilmError, match=r"^segment 2 \(1 s\) is too short .* at most 0\.416 s, or make"):
        plan_edit([24, 12, 24], [Join("crossfade", 0.5)] * 3, FPS)
    with pytest.raises(FilmError, match="make its joins cuts"):
        plan_edit([24, 1, 24], [Join("crossfade", 0.5)] * 3, FPS)


@pytest.mark.parametrize(
    ("frames", "joins", "says"),
    [
        ([1], [Join()], "0.083 s, 1 frame"),
        ([12, 12], [Join(), Join()], "2 s, 24 frames"),
        (
            [118, 118, 118],
            [Join(), Join("crossfade"), Join("crossfade")],
            "28.5 s, 342 frames: two crossfades of 0.5 s shorten it by 1 s",
        ),
        (
            [12, 24],
            [Join(), Join("fade", 1)],
            "3 s, 36 frames: one fade through black of 1 s leaves its length",
        ),
        (
            [24] * 4,
            [Join(), Join("crossfade", 0.5), Join("crossfade", 0.25), Join("fade", 1)],
            "7.25 s, 87 frames: two crossfades shorten it by 0.75 s; "
            "one fade through black of 1 s leaves its length",
        ),
    ],
)
def test_the_length_is_said_in_words(frames, joins, says):
    assert describe_edit(plan_edit(frames, joins, FPS)) == says
