"""The test set: held out, as long as it says, and worded as training never words it."""

from __future__ import annotations

import pytest

from arlon_core.errors import ArlonError
from arlon_core.evaluation.held_out import FIRST_STORY, STORIES
from arlon_core.evaluation.long_stories import FIRST_LONG_SEED
from arlon_core.evaluation.test_set import (
    FIRST_TEST_SEED,
    SELECTION_STORIES,
    TEST_STORIES,
    benchmark_story,
    prompt_story,
    selection_story,
)
from arlon_core.generation.plan import make_plan
from arlon_core.models.judge import SPAN, reading_starts
from arlon_core.world.script import HELD_OUT, sample_script
from arlon_core.world.unseen_captions import UNSEEN_PHRASING


@pytest.fixture(scope="module")
def stories():
    return [benchmark_story(number, 12) for number in range(TEST_STORIES)]


def test_it_has_64_stories_of_5_to_8_segments_and_20_to_50_seconds(stories):
    counts = [len(held.script.segments) for held in stories]
    assert (len(stories), min(counts), max(counts)) == (64, 5, 8)
    assert sum(counts) == 416
    assert all(20 <= held.story.seconds <= 50 for held in stories)


def test_full_and_change_only_prompts_are_mixed(stories):
    later = [segment.full for held in stories for segment in held.script.segments[1:]]
    assert 0.4 < sum(later) / len(later) < 0.6
    assert all(held.script.segments[0].full for held in stories)


def test_its_seeds_are_neither_trainings_nor_validations(stories):
    seeds = {held.script.seed for held in stories}
    assert seeds == set(range(FIRST_TEST_SEED, FIRST_TEST_SEED + 64))
    assert min(seeds) > HELD_OUT + FIRST_STORY + STORIES


def test_its_captions_are_worded_as_training_never_words_them(stories):
    held_out = {segment.caption.lower().rstrip(".") for held in stories for segment in held.script.segments}
    trained = {
        segment.caption.lower().rstrip(".")
        for seed in range(3000)
        for segment in sample_script(seed, 189).segments
    }
    assert not held_out & trained
    script = stories[0].script
    frames = 4 * 7 * 24 - 3
    unseen = sample_script(script.seed, frames, 14, 24, UNSEEN_PHRASING)
    assert [s.caption for s in unseen.segments[:5]] == [s.caption for s in script.segments]


def test_every_last_third_holds_a_reading(stories):
    for held in stories:
        plan = make_plan([segment.seconds for segment in held.story.segments], 12)
        for segment, planned in zip(held.script.segments, plan.segments, strict=True):
            assert (planned.first_frame, planned.stop_frame) == (segment.start_frame, segment.stop_frame)
            starts = reading_starts(segment.start_frame, segment.stop_frame)
            length = segment.stop_frame - segment.start_frame
            assert starts[0] >= segment.start_frame + length * 2 / 3 - 1e-9
            assert starts[-1] + SPAN == segment.stop_frame


def test_more_stories_are_read_than_rendered(stories):
    assert prompt_story(5, 12) == stories[5]
    assert prompt_story(64, 12).script.seed == FIRST_TEST_SEED + 64


def test_what_is_chosen_by_shares_no_story_with_what_is_reported(stories):
    chosen_by = {selection_story(number, 12).script.seed for number in range(SELECTION_STORIES)}
    assert len(chosen_by) == SELECTION_STORIES
    assert not chosen_by & {held.script.seed for held in stories}
    assert max(chosen_by) < FIRST_LONG_SEED


@pytest.mark.parametrize("number", [-1, 64])
def test_there_are_no_others(number: int):
    with pytest.raises(ArlonError, match="stories 0 to 63"):
        benchmark_story(number, 12)


def test_nor_other_stories_to_choose_by():
    with pytest.raises(ArlonError, match="stories 0 to 127"):
        selection_story(SELECTION_STORIES, 12)
