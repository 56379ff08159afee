"""The long set, and what is measured over a film's length: lags, the tenths, identity."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from arlon_core.errors import ArlonError
from arlon_core.evaluation import story_sets
from arlon_core.evaluation.benchmark import Benchmark, measure_model, measure_true
from arlon_core.evaluation.films import Way
from arlon_core.evaluation.held_out import FIRST_STORY
from arlon_core.evaluation.long_stories import (
    FIRST_LONG_SEED,
    LONG_FRAMES,
    LONG_STORIES,
    ONE_PROMPT,
    PROGRESSIVE,
    SEEDS_OF_A_STORY,
    kind_of_story,
    long_story,
)
from arlon_core.evaluation.metrics.lag import KEPT, LAG_STEP, lag, lag_starts
from arlon_core.evaluation.test_set import FIRST_TEST_SEED, TEST_STORIES, benchmark_story
from arlon_core.generation.plan import make_plan
from arlon_core.models.judge import SPAN
from arlon_core.world.legibility import asked_changes, asked_labels
from arlon_core.world.script import HELD_OUT

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def stories():
    return [long_story(number, 12) for number in range(LONG_STORIES)]


# -- the set --------------------------------------------------------------------------------------------


def test_every_film_has_600_frames_and_half_of_them_one_prompt(stories):
    for number, held in enumerate(stories):
        plan = make_plan([segment.seconds for segment in held.story.segments], 12)
        assert plan.frames == held.script.frames == LONG_FRAMES
        borders = [(each.first_frame, each.stop_frame) for each in plan.segments]
        assert borders == [(each.start_frame, each.stop_frame) for each in held.script.segments]
        assert (len(held.script.segments) == 1) == (kind_of_story(number) == ONE_PROMPT)
    assert {kind_of_story(number) for number in range(2)} == {ONE_PROMPT, PROGRESSIVE}


def test_no_border_falls_into_the_tenths_that_are_compared(stories):
    tenth = LONG_FRAMES // 10
    for held in stories:
        segments = held.script.segments
        assert segments[0].stop_frame >= tenth
        assert segments[-1].start_frame <= LONG_FRAMES - tenth


def test_its_seeds_are_nobody_elses(stories):
    seeds = {held.script.seed for held in stories}
    assert len(seeds) == LONG_STORIES
    assert min(seeds) >= FIRST_LONG_SEED > HELD_OUT + FIRST_STORY + 1000
    assert FIRST_LONG_SEED >= FIRST_TEST_SEED + TEST_STORIES
    assert max(seeds) < FIRST_LONG_SEED + SEEDS_OF_A_STORY * LONG_STORIES


@pytest.mark.parametrize("number", [-1, LONG_STORIES])
def test_there_are_no_others(number: int):
    with pytest.raises(ArlonError, match="stories 0 to 63"):
        long_story(number, 12)


# -- how soon a change is seen --------------------------------------------------------------------------


def test_a_change_counts_when_it_is_read_and_stays():
    new, old = 5, 2
    assert lag([new] * 6, new) == SPAN
    assert lag([old, old, new, new, new, old], new) == 2 * LAG_STEP + SPAN
    assert lag([new, old] + [new] * KEPT, new) == 2 * LAG_STEP + SPAN, "once read is not yet seen"
    assert lag([old] * 9, new) is None
    assert lag([new] * (KEPT - 1), new) is None
    assert all(start + SPAN <= 60 for start in lag_starts(60))


def test_what_is_asked_of_a_change_is_what_the_script_changes():
    for number in range(8):
        script = benchmark_story(number, 12).script
        changes, labels = asked_changes(script), asked_labels(script)
        assert changes[0] == {}
        for index in range(1, len(script.segments)):
            before, now = script.segments[index - 1].attributes, script.segments[index].attributes
            assert ("place" in changes[index]) == (before.place != now.place)
            assert all(labels[index][name] == value for name, value in changes[index].items())


# -- measured -------------------------------------------------------------------------------------------


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> story_sets.StorySet:
    """The long set's way, on stories of two segments of the test set."""
    from arlon_core.evaluation import test_set

    monkeypatch.setattr(test_set, "_SHAPES", ((2, 14, 15),))
    return story_sets.StorySet("long", 2, benchmark_story, "long", kind_of_story)


@pytest.mark.slow
def test_a_long_set_is_kept_apart_and_told_by_kind(
    tiny_pipeline, tiny_judges: Path, tmp_path: Path, short: story_sets.StorySet
):
    bench = Benchmark(tmp_path, tiny_judges, CPU, story_set=short)
    report = measure_model(tiny_pipeline, bench, Way(steps=1))
    assert set(report.by_kind) == {ONE_PROMPT, PROGRESSIVE}
    folder = tmp_path / "long" / report.name
    assert "| identity: both |" in (folder / "report.md").read_text()
    assert (folder / "sheet-1.webp").is_file()
    assert report.settings["stories"] == "the first 2 of the long set"


@pytest.mark.slow
def test_true_films_neither_drift_nor_lag(tiny_judges: Path, tmp_path: Path, short: story_sets.StorySet):
    bench = Benchmark(tmp_path, tiny_judges, CPU, story_set=short)
    true = bench.measure(bench.true_films(64, 112, 12))
    from arlon_core.evaluation.summary import summarise

    values, _ = summarise(true, true, [[[], []]] * 2)
    assert np.isfinite(values["tenths.motion_smoothness"].value)
    for name, interval in values.items():
        if name.startswith("tenths.") and interval.value == interval.value:
            assert interval.value == pytest.approx(1), name
        if name.startswith("lag.") and interval.value == interval.value:
            assert interval.value == 0, name
    assert measure_true(bench, 64, 112, 12).bars == ()


@pytest.mark.slow
def test_a_film_of_one_prompt_is_shown_in_several_pictures(tiny_judges: Path, tmp_path: Path):
    one = story_sets.StorySet("long", 1, long_story, "long", kind_of_story)
    bench = Benchmark(tmp_path, tiny_judges, CPU, story_set=one)
    (measure,) = bench.measure(bench.true_films(64, 112, 12))
    assert len(measure.segments) == 1
    assert len(measure.pictures) == 7
    assert len(measure.segments[0].steps) == LONG_FRAMES - 1
