"""Intervals and bars."""

from __future__ import annotations

import numpy as np
import pytest

from arlon_core.errors import ArlonError
from arlon_core.evaluation.statistics import Bar, Interval, Tally, bootstrap, parse_bar


def test_stories_that_agree_leave_no_doubt():
    assert Tally.of([[1.0, 0.0]] * 20).quantity().interval() == Interval(0.5, 0.5, 0.5)


def test_an_interval_is_as_wide_as_the_normal_one():
    rng = np.random.default_rng(0)
    stories = rng.normal(size=400)
    interval = Tally.of([[value] for value in stories]).quantity().interval()
    half = 1.96 * stories.std() / 20
    assert interval.value == pytest.approx(stories.mean())
    assert interval.low == pytest.approx(stories.mean() - half, abs=0.02)
    assert interval.high == pytest.approx(stories.mean() + half, abs=0.02)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(200):
        tally = Tally.of([[value] for value in rng.normal(size=40)])
        interval = bootstrap(tally.means, 40, resamples=400)
        hits += interval.low <= 0 <= interval.high
    assert 0.88 < hits / 200 < 0.99


def test_segments_weigh_alike_whatever_story_they_are_in():
    assert Tally.of([[1.0] * 8, [0.0] * 2, []]).quantity().interval().value == pytest.approx(0.8)


def test_films_and_true_films_are_drawn_as_pairs():
    """Where a model is always half as good as the truth, the ratio is certain although neither value is."""
    true = [[value] for value in np.random.default_rng(0).uniform(0.2, 1, 30)]
    own = [[value[0] / 2] for value in true]
    ratio = (Tally.of(own).quantity() / Tally.of(true).quantity()).interval()
    alone = Tally.of(own).quantity().interval()
    assert alone.high - alone.low > 0.05
    assert (ratio.low, ratio.value, ratio.high) == pytest.approx((0.5, 0.5, 0.5))


def test_nothing_to_measure_is_said_and_clears_no_bar():
    nothing = Tally.of([[], []]).quantity().interval()
    assert nothing.record() == {"value": None, "low": None, "high": None}
    assert not Bar("x", True, 0.0).holds(nothing)
    assert not Bar("x", False, 9.0).holds(nothing)


def test_a_bar_holds_within_two_points():
    assert Bar("x", True, 0.9).holds(Interval(0.9, 0.881, 0.95))
    assert not Bar("x", True, 0.9).holds(Interval(0.95, 0.879, 0.97))
    assert Bar("x", False, 1.1).holds(Interval(1.1, 1.0, 1.119))
    assert not Bar("x", False, 1.1).holds(Interval(1.0, 0.9, 1.121))


def test_bars_are_read_as_they_are_written():
    for bar in (Bar("accuracy.subject", True, 0.9), Bar("drift", False, 1.1)):
        assert parse_bar(str(bar)) == bar


@pytest.mark.parametrize("text", ["", "drift", "drift<1", "drift<=", "drift<=1.1.1", ">=1"])
def test_what_is_no_bar_is_refused(text: str):
    with pytest.raises(ArlonError, match="is no bar"):
        parse_bar(text)
