"""Progress and the time that is left: from events, and from measured work only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.handlers.progress import MIN_MARKS, JobView, Meter, costs, fold
from arlon_core.generation import events as ev
from arlon_core.generation.plan import Plan, make_plan
from tests.app.fake_engine import joining, sampling

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
    tokens: list[ev.Event] = []
    for segment in plan.segments:
        tokens += [] if cached else sampling(segment)
        tokens.append(ev.TokensReady(segment.index, cached=cached))
    small = [ev.AnimaticReady(segment.index, PICTURES) for segment in plan.segments]
    whole = ev.AnimaticReady(None, path=Path("animatic.mp4"))
    return [ev.Planned(plan, passes=STEPS), *tokens, *small, *joining(plan, animatic=True), whole]


def rendering(plan: Plan, folder: Path, *, cached: frozenset[int] = frozenset()) -> list[ev.Event]:
    events: list[ev.Event] = []
    for chunk in plan.chunks:
        found = chunk.segment in cached
        if not found:
            events += [ev.StepDone(chunk.segment, chunk.index, n + 1, STEPS, PICTURES) for n in range(STEPS)]
        events.append(ev.ChunkReady(chunk.segment, chunk.index, cached=found))
        if chunk is plan.segments[chunk.segment].chunks[-1]:
            events.append(ev.SegmentReady(chunk.segment, folder / "no.mp4", 1, cached=found))
    return [*events, *joining(plan), ev.FilmReady(folder / "film.mp4", {"frames": plan.frames})]


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


def test_nothing_is_estimated_before_anything_was_measured(tmp_path: Path):
    """What lay in the project is no measure."""
    views = follow([*sketching(PLAN, cached=True), *rendering(PLAN, tmp_path)])
    early = [view for view in views if view.film.marks < MIN_MARKS]
    assert early
    assert all(view.remaining("render", 1000.0) is None for view in early)


def test_even_work_is_estimated_exactly():
    """With one second a frame, what is left in frames is what is left in seconds."""
    view = JobView(PLAN, stage="join", join=Meter(100, at=0.0))
    for done in (3, 10, 12, 40):
        view = fold(view, ev.Joining(done, 100), now=float(done))
    assert view.remaining("render", now=40.0) == pytest.approx(60)
    assert view.remaining("render", now=50.0) == pytest.approx(50), "time that passes counts"
    assert view.remaining("render", now=500.0) == 0


def test_what_lay_in_the_project_measures_nothing():
    meter = Meter(100, at=0.0).advance(50, now=0.001, cached=True)
    for done in (51, 52, 53, 54):
        meter = meter.advance(done, now=2.0 * (done - 50))
    assert meter.pace == pytest.approx(2.0, rel=0.01)


@pytest.mark.parametrize(("kind", "animatic"), [("render", False), ("render", True), ("animatic", True)])
def test_the_bar_moves_while_clips_are_joined_and_the_time_is_told(tmp_path: Path, kind: str, animatic: bool):
    events = sketching(PLAN) if animatic else [*sketching(PLAN), *rendering(PLAN, tmp_path)]
    views = follow(events)
    told = [(n, event) for n, event in enumerate(events) if isinstance(event, ev.Joining)]
    numbers = [n for n, event in told if event.animatic == animatic]
    assert len(numbers) > MIN_MARKS
    percents = [views[n].percent(kind) for n in numbers]
    assert percents == sorted(set(percents)), "each event moves it"
    if kind == "animatic" or not animatic:  # nothing follows the join, so its own pace tells it all
        late = numbers[MIN_MARKS:]
        assert [views[n].remaining(kind, 1000.0 + n) for n in late] == pytest.approx(
            [numbers[-1] - n for n in late], abs=0.6
        )


@pytest.mark.parametrize("passes", [4, 8, 40])
@pytest.mark.parametrize("segments", [1, 6])
def test_a_render_is_estimated_from_its_first_tokens_on(passes: int, segments: int):
    """By what the film costs beside them: more passes, more time. The bar moves with them, too."""
    plan = make_plan([4] * segments, fps=12)
    view = fold(JobView(), ev.Planned(plan, passes=passes), now=-100.0)  # warming up tells nothing
    parts = costs("render", passes)
    whole = plan.latents / parts["tokens"] * sum(parts.values())
    percents = [0.0]
    for segment in plan.segments:
        for event in sampling(segment):  # a second for each latent frame
            view = fold(view, event, now=float(event.done))
            percents.append(view.percent("render"))
            told = view.remaining("render", float(event.done))
            assert told == (None if event.done <= MIN_MARKS else pytest.approx(whole - event.done))
        view = fold(view, ev.TokensReady(segment.index), now=float(segment.stop))
        assert view.stage == "tokens"
        assert view.remaining("render", float(segment.stop)) == pytest.approx(whole - segment.stop)
    assert percents == sorted(set(percents))


def test_a_film_that_its_joins_make_shorter_is_joined_to_its_end():
    view = JobView(PLAN, stage="join", join=Meter(PLAN.frames, at=0.0))
    assert fold(view, ev.Joining(90, 90), now=9.0).join.fraction == 1.0


def test_a_film_is_estimated_with_the_join_that_follows(tmp_path: Path):
    views = follow([*sketching(PLAN), *rendering(PLAN, tmp_path)])
    last = [view for view in views if view.stage == "film" and view.film.marks >= MIN_MARKS][-1]
    parts = costs("render", STEPS)
    assert last.film.pace is not None
    join = last.film.pace * last.film.total * parts["join"] / parts["film"]
    left = last.film.pace * (last.film.total - last.film.done)
    assert last.remaining("render", last.film.at or 0.0) == pytest.approx(left + join)


def test_a_render_that_goes_on_estimates_from_what_it_makes_itself(tmp_path: Path):
    fresh = follow([*sketching(PLAN), *rendering(PLAN, tmp_path)])
    again = follow([*sketching(PLAN, cached=True), *rendering(PLAN, tmp_path, cached=frozenset({0}))])
    assert again[-1].film.measured < fresh[-1].film.measured
    late = [view for view in again if view.film.marks >= MIN_MARKS and view.stage == "film"]
    rate = late[0].film.seconds / late[0].film.measured
    assert rate == pytest.approx(STEPS / 12, rel=0.8), "about a second a step, found chunks not counted"


def test_an_animatic_estimates_from_its_tokens():
    plan = make_plan([4] * 6, fps=12)
    views = follow([ev.Planned(plan), *sampling(plan.segments[0])], seconds=5.0)
    parts = costs("animatic", 1)
    rest = 5.0 * (plan.latents * sum(parts.values()) / parts["tokens"] - plan.segments[0].stop)
    now = 1000.0 + 5.0 * plan.segments[0].stop
    assert views[-1].remaining("animatic", now) == pytest.approx(rest)


def test_what_comes_between_two_segments_tokens_measures_nothing():
    """A segment's pictures are drawn, and the next one's text is read: that is no pace of the tokens."""
    view, now = fold(JobView(), ev.Planned(PLAN), now=0.0), 0.0
    for segment in PLAN.segments:
        now += 1000.0
        for event in sampling(segment):
            view, now = fold(view, event, now), now + 1.0
        view = fold(view, ev.TokensReady(segment.index), now)
    assert view.tokens.pace == 1.0


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
