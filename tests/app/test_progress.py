"""Progress and the time that is left: from events, and from measured work only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.handlers.progress import MIN_MARKS, JobView, Meter, fold
from arlon_core.generation import events as ev
from arlon_core.generation.plan import Plan, make_plan

PLAN = make_plan([4, 6, 2.5], fps=12)
PICTURES = np.zeros((3, 64, 112, 3), np.uint8)
STEPS = 4


def follow(events: list[ev.Event], seconds: float = 1.0, view: JobView | None = None) -> list[JobView]:
    """The view after each event; one comes every `seconds`."""
    view, views = view or JobView(), []
    for number, event in enumerate(events):
        view = fold(view, event, now=1000 + number * seconds)
        views.append(view)
    return views


def sketching(plan: Plan, *, cached: bool = False) -> list[ev.Event]:
    tokens = [ev.TokensReady(segment.index, cached=cached) for segment in plan.segments]
    small = [ev.AnimaticReady(segment.index, PICTURES) for segment in plan.segments]
    return [ev.Planned(plan), *tokens, *small, ev.AnimaticReady(None, path=Path("animatic.mp4"))]


def rendering(plan: Plan, folder: Path, *, cached: frozenset[int] = frozenset()) -> list[ev.Event]:
    events: list[ev.Event] = []
    for chunk in plan.chunks:
        found = chunk.segment in cached
        if not found:
            events += [ev.StepDone(chunk.segment, chunk.index, n + 1, STEPS, PICTURES) for n in range(STEPS)]
        events.append(ev.ChunkReady(chunk.segment, chunk.index, cached=found))
        if chunk is plan.segments[chunk.segment].chunks[-1]:
            events.append(ev.SegmentReady(chunk.segment, folder / "no.mp4", 1, cached=found))
    return [*events, ev.FilmReady(folder / "film.mp4", {"frames": plan.frames})]


def test_the_bar_never_goes_back_and_ends_at_the_end(tmp_path: Path):
    views = follow([*sketching(PLAN), *rendering(PLAN, tmp_path)])
    percents = [view.percent("render") for view in views]
    assert percents == sorted(percents)
    assert percents[0] == 0
    assert percents[-1] == 100
    assert all(percent < 100 for percent in percents[:-1])
    assert [view.stage for view in views][-1] == "done"
    small = [*sketching(PLAN), ev.FilmReady(Path("animatic.mp4"))]
    percents = [view.percent("animatic") for view in follow(small)]
    assert percents == sorted(percents)
    assert percents[-1] == 100


def test_nothing_is_estimated_before_steps_were_measured(tmp_path: Path):
    views = follow([*sketching(PLAN), *rendering(PLAN, tmp_path)])
    measured = [view for view in views if view.film.marks < MIN_MARKS]
    assert measured
    assert all(view.remaining("render", 1000.0) is None for view in measured)


def test_even_work_is_estimated_exactly():
    """With one second a latent frame, what is left in latent frames is what is left in seconds."""
    meter = Meter(100, at=0.0)
    for done in (3, 10, 12, 40):
        meter = meter.advance(done, now=float(done))
    assert meter.remaining(now=40.0) == pytest.approx(60)
    assert meter.remaining(now=50.0) == pytest.approx(50), "time that passes counts"
    assert meter.remaining(now=500.0) == 0


def test_what_lay_in_the_project_measures_nothing():
    meter = Meter(100, at=0.0).advance(50, now=0.001, cached=True)
    for done in (51, 52, 53, 54):
        meter = meter.advance(done, now=2.0 * (done - 50))
    assert meter.remaining(now=meter.at or 0) == pytest.approx(2.0 * 46, rel=0.01)


def test_a_render_that_goes_on_estimates_from_what_it_makes_itself(tmp_path: Path):
    fresh = follow([*sketching(PLAN), *rendering(PLAN, tmp_path)])
    again = follow([*sketching(PLAN, cached=True), *rendering(PLAN, tmp_path, cached=frozenset({0}))])
    assert again[-1].film.measured < fresh[-1].film.measured
    late = [view for view in again if view.film.marks >= MIN_MARKS and view.stage == "film"]
    rate = late[0].film.seconds / late[0].film.measured
    assert rate == pytest.approx(STEPS / 12, rel=0.8), "about a second a step, found chunks not counted"


def test_an_animatic_estimates_from_its_tokens():
    events = [ev.Planned(make_plan([4] * 6, fps=12)), *[ev.TokensReady(n) for n in range(4)]]
    view = follow(events, seconds=5.0)[-1]
    assert view.remaining("animatic", now=1020.0) == pytest.approx(10, rel=0.1)
    assert view.remaining("render", now=1020.0) is None, "steps are not measured yet"


def test_pictures_are_kept_small_and_only_as_long_as_they_are_shown(tmp_path: Path):
    views = follow([*sketching(PLAN), *rendering(PLAN, tmp_path)])
    during = next(view for view in views if view.step is not None)
    assert during.preview is not None
    assert during.preview.startswith("data:image/jpeg;base64,")
    assert during.step is not None
    assert during.step.preview is None
    assert views[-1].preview is None
    assert sorted(views[-1].thumbs) == [0, 1, 2]
    assert all(event.frames is None for event in views[-1].sketches.values())


def test_a_failure_and_warnings_are_kept_in_words():
    views = follow([ev.Planned(PLAN), ev.WarningRaised("one"), ev.WarningRaised("two"), ev.Failed("no room")])
    assert views[-1].warnings == ("one", "two")
    assert views[-1].failure == "no room"
    assert views[-1].percent("render") < 100


def test_any_order_of_events_is_survived():
    """A page that follows late, or an engine that leaves parts out, stops nothing."""
    for event in rendering(PLAN, Path("x")) + sketching(PLAN):
        fold(JobView(), event, 0.0)
    assert follow(rendering(PLAN, Path("x")), view=fold(JobView(), ev.Planned(PLAN), 0.0))[-1].stage == "done"
