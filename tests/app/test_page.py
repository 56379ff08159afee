"""What the page shows of a project's jobs: with a real queue and an engine that can be held anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app import words
from app.handlers import desk as desks
from app.handlers.filming import choose
from app.handlers.page import FAST, SLOW
from app.handlers.progress import MIN_MARKS
from app.handlers.refresh import ROUNDS, changed
from arlon_core.generation.events import Event, WarningRaised
from arlon_core.jobs import JobRequest
from tests.app.fake_engine import FakeEngine
from tests.app.shown_page import FOX, OWL, STORY, TEXT, edited, jobs_of, run, served, shown, states
from tests.app.studio_desk import open_bench


def test_a_stranger_sees_a_story_its_plan_and_what_to_do(new_bench):
    values = shown(new_bench(), project="")
    assert values["progress"]["headline"] == words.IDLE
    assert values["film"]["segments"] == values["animatic"]["segments"] == values["links"] == []
    assert states(values) == ["idle"] * 3
    assert values["timeline"]["frames"] == 42
    assert not values["cancel"]
    assert values["pace"] == SLOW


def test_an_animatic_ends_as_small_clips_a_film_and_pictures_on_the_timeline(new_bench):
    values = run(new_bench(), "animatic")
    assert [clip["index"] for clip in values["animatic"]["segments"]] == [0, 1, 2]
    assert values["animatic"]["done"]
    assert values["film"]["segments"] == []
    assert states(values) == ["sketched"] * 3
    assert all(block["thumb"].startswith("data:image/jpeg") for block in values["timeline"]["segments"])
    assert values["progress"]["headline"] == words.DONE["animatic"]
    assert [link["name"] for link in values["links"]] == ["the-fox-animatic.mp4"]


def test_a_render_shows_segment_chunk_step_percent_and_times_while_it_runs(new_bench):
    held = new_bench(StepDone=0)
    desks.submit(held.desk, "render", STORY, FOX)
    # Step by step, each seen: whoever looks too seldom misses steps, and then nothing is measured yet.
    for line in (
        words.step(1, 3, 1, 3),
        words.step(1, 3, 2, 3),
        words.step(1, 3, 3, 3),
        words.step(2, 3, 1, 3),
    ):
        held.engine.gates["StepDone"].release()
        held.until(lambda line=line: shown(held)["progress"].get("detail") == line, line)
    values = shown(held)
    progress = values["progress"]
    assert progress["headline"] == "Rendering segment 2 of 3"
    assert 17 < progress["percent"] < 100
    assert progress["elapsed"] >= 0
    assert isinstance(progress["remaining"], float), "four steps are measured"
    assert progress["preview"].startswith("data:image/jpeg")
    assert states(values) == ["done", "rendering", "sketched"]
    assert [clip["index"] for clip in values["film"]["segments"]] == [0], "the film grows"
    assert not values["film"]["done"]
    assert values["cancel"]
    assert values["pace"] == FAST


@pytest.mark.parametrize("kind", ["animatic", "render"])
def test_a_story_of_one_segment_has_its_time_told_while_its_tokens_are_drawn(new_bench, kind: str):
    held = new_bench(Sampling=0)
    one = edited("[4s] A fox sits.\n")
    desks.submit(held.desk, kind, one, FOX)
    percent = 0.0
    for _ in range(MIN_MARKS + 1):  # the clock starts with the first frame
        assert shown(held, editor=one)["progress"].get("remaining") is None
        held.engine.gates["Sampling"].release()
        held.until(lambda so_far=percent: shown(held, editor=one)["progress"]["percent"] > so_far, "it moves")
        percent = shown(held, editor=one)["progress"]["percent"]
    progress = shown(held, editor=one)["progress"]
    assert progress["headline"] == "Sketching segment 1 of 1"
    assert isinstance(progress["remaining"], float)


def test_a_finished_film_can_be_played_and_downloaded(new_bench):
    values = run(new_bench(), "render")
    film = values["film"]
    assert film["done"]
    assert film["total"] == 3.5
    assert sum(clip["duration"] for clip in film["segments"]) == pytest.approx(3.5)
    files = [served(clip["url"]) for clip in film["segments"]] + [served(film["film"])]
    assert all(path.is_file() for path in files)
    assert [link["kind"] for link in values["links"]] == ["film", "animatic"]
    assert states(values) == ["done"] * 3
    assert values["progress"]["percent"] == 100
    assert values["progress"]["remaining"] is None
    assert values["pace"] == SLOW


def test_cancel_stops_the_job_and_keeps_what_was_made(new_bench):
    held = new_bench(StepDone=4)
    desks.submit(held.desk, "render", STORY, FOX)
    held.until(lambda: len(shown(held)["film"]["segments"]) == 1, "the first segment")
    assert desks.cancel(held.desk, FOX)
    held.until(lambda: all(job.settled for job in jobs_of(held)), "the end")
    values = shown(held)
    assert values["progress"]["state"] == "cancelled"
    assert values["progress"]["headline"] == words.CANCELLED["render"]
    assert len(values["film"]["segments"]) == 1
    assert values["film"]["done"], "nothing will follow"
    assert states(values) == ["done", "sketched", "sketched"]
    assert not desks.cancel(held.desk, FOX)
    assert not desks.cancel(held.desk, "nonsense")


def test_a_failure_is_told_in_the_engines_own_sentence(new_bench):
    values = run(new_bench(fails="The disk is full; make room."), "render")
    assert values["progress"]["state"] == "failed"
    assert values["progress"]["detail"] == "The disk is full; make room."


def test_two_tabs_see_one_job_and_strangers_see_none_of_it(new_bench):
    held = new_bench(StepDone=2)
    desks.submit(held.desk, "render", STORY, FOX)
    held.until(lambda: "step 2" in shown(held)["progress"]["detail"], "two steps")
    first, second = (shown(held) for _ in range(2))
    for key in ("headline", "detail", "percent", "preview"):
        assert first["progress"][key] == second["progress"][key]
    assert shown(held, OWL)["progress"]["state"] == "idle"
    assert shown(held, "../etc")["progress"]["state"] == "idle"


def test_a_page_that_comes_back_finds_the_running_job_where_it_is(new_bench):
    """Nothing of a page is needed but the project id: the job runs on while no page looks."""
    held = new_bench(StepDone=0)
    desks.submit(held.desk, "render", STORY, FOX)
    for _ in range(5):
        held.engine.gates["StepDone"].release()
    second = words.step(2, 3, 2, 3)  # the first segment passes through a second step too
    held.until(lambda: shown(held)["progress"]["detail"] == second, "five steps, unseen until now")
    assert len(shown(held)["film"]["segments"]) == 1


def test_a_film_that_is_more_than_its_clips_is_played_with_its_own_length(new_bench):
    done = new_bench()
    plain = run(done, "render")["film"]
    choose(done.desk, FOX, STORY, "crossfade", 0.25, "none", 1.0)
    for values in (run(done, "render"), shown(new_bench())):
        assert (plain["edited"], values["film"]["edited"]) == (False, True)
        assert values["film"]["total"] == plain["total"] - 2 * 0.25


def test_an_edit_shows_at_once_which_segments_it_touches(new_bench):
    done = new_bench()
    run(done, "render")
    middle = edited(TEXT.replace("runs", "flies"))
    values = shown(done, editor=middle)
    assert states(values) == ["done", "idle", "idle"]
    assert values["progress"]["detail"] == words.STALE["render"]
    last = edited(TEXT + "[2s] Dawn.\n")
    assert states(shown(done, editor=last)) == ["done", "done", "done", "idle"]
    reseeded = edited(TEXT.replace("seed: 3", "seed: 4"))
    assert states(shown(done, editor=reseeded)) == ["idle"] * 3


def test_while_clips_are_joined_the_page_tells_how_far(new_bench):
    held = new_bench(Joining=6)
    desks.submit(held.desk, "render", STORY, FOX)
    held.until(lambda: shown(held)["progress"]["detail"] == "24 of 42 frames")
    progress = shown(held)["progress"]
    assert progress["headline"] == words.JOINING["render"]
    assert 95 < progress["percent"] < 100


def test_only_what_changed_is_sent_and_now_and_then_everything():
    values = {"a": 1, "b": [1, 2]}
    new, marks = changed(values, None)
    assert new == values
    assert changed(values, marks)[0] == {}
    assert changed({**values, "b": [2]}, marks)[0] == {"b": [2]}
    rounds = []
    for _ in range(ROUNDS):
        new, marks = changed(values, marks)
        rounds.append(len(new))
    assert rounds == [0] * (ROUNDS - 1) + [2]
    assert changed({"a": 1}, "nonsense")[0] == {"a": 1}


def test_warnings_are_shown_with_the_progress(tmp_path: Path):
    class Warned(FakeEngine):
        def _events(self, request: JobRequest) -> Iterator[Event]:
            planned, *rest = super()._events(request)
            yield from (planned, WarningRaised('segment 2: the model has never seen "unicorn".', 1), *rest)

    with open_bench(tmp_path, Warned()) as warned:
        notes = run(warned, "animatic")["progress"]["notes"]
    assert notes == ['Segment 2: the model has never seen "unicorn".']
