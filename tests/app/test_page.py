"""What the page shows of a project's jobs: with a real queue and an engine that can be held anywhere."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest

from app import words
from app.handlers import desk as desks
from app.handlers.editing import editor_value, settle
from app.handlers.filming import choose
from app.handlers.page import FAST, SLOW, page_values
from app.handlers.planning import read_refusals
from app.handlers.progress import MIN_MARKS
from app.handlers.refresh import ROUNDS, changed
from arlon_core.errors import ArlonError, ModelError, ProjectError, StoryError
from arlon_core.generation.events import Event, WarningRaised
from arlon_core.jobs import JobRequest
from tests.app.fake_engine import GRID, FakeEngine
from tests.app.studio_desk import Bench, open_bench

TEXT = "title: The fox\nseed: 3\n\n[1s] A fox sits.\n[1.5s] It runs.\n[1s] Night falls.\n"
STORY = editor_value(TEXT, GRID)
FOX, OWL = "the-fox-0000000000000001", "the-owl-0000000000000002"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Makes benches: `bench(StepDone=0)` holds the engine before the first such event."""
    with ExitStack() as stack:

        def make(fails: str = "", **gates: int) -> Bench:
            semaphores = {name: threading.Semaphore(count) for name, count in gates.items()}
            return stack.enter_context(open_bench(tmp_path, FakeEngine(gates=semaphores, fails=fails)))

        yield make


def shown(bench: Bench, project: str = FOX, editor: object = STORY) -> dict:
    """The page's values, after a journey over the wire."""
    return json.loads(json.dumps(page_values(bench.desk, project, editor)))


def states(values: dict) -> list[str]:
    return [block["state"] for block in values["timeline"]["segments"]]


def jobs_of(bench: Bench, project: str = FOX) -> list[desks.Job]:
    return desks.project_jobs(bench.desk, project)


def run(bench: Bench, kind: str, editor: object = STORY, project: str = FOX) -> dict:
    """Submit and wait for the end; what the page shows then."""
    assert desks.submit(bench.desk, kind, editor, project) == ""
    bench.until(lambda: all(job.settled for job in jobs_of(bench, project)), f"the {kind} ends")
    return shown(bench, project, editor)


def served(url: str) -> Path:
    """The file behind a URL of gradio."""
    return Path(unquote(url.removeprefix("/gradio_api/file=").partition("?")[0]))


def test_a_stranger_sees_a_story_its_plan_and_what_to_do(bench):
    values = shown(bench(), project="")
    assert values["progress"]["headline"] == words.IDLE
    assert values["film"]["segments"] == values["animatic"]["segments"] == values["links"] == []
    assert states(values) == ["idle"] * 3
    assert values["timeline"]["frames"] == 42
    assert not values["cancel"]
    assert values["pace"] == SLOW


def test_an_animatic_ends_as_small_clips_a_film_and_pictures_on_the_timeline(bench):
    values = run(bench(), "animatic")
    assert [clip["index"] for clip in values["animatic"]["segments"]] == [0, 1, 2]
    assert values["animatic"]["done"]
    assert values["film"]["segments"] == []
    assert states(values) == ["sketched"] * 3
    assert all(block["thumb"].startswith("data:image/jpeg") for block in values["timeline"]["segments"])
    assert values["progress"]["headline"] == words.DONE["animatic"]
    assert [link["name"] for link in values["links"]] == ["the-fox-animatic.mp4"]


def test_a_render_shows_segment_chunk_step_percent_and_times_while_it_runs(bench):
    held = bench(StepDone=0)
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
def test_a_story_of_one_segment_has_its_time_told_while_its_tokens_are_drawn(bench, kind: str):
    held = bench(Sampling=0)
    one = settle({**STORY, "from": "text", "text": "[4s] A fox sits.\n"}, GRID)
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


def test_a_finished_film_can_be_played_and_downloaded(bench):
    values = run(bench(), "render")
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


def test_cancel_stops_the_job_and_keeps_what_was_made(bench):
    held = bench(StepDone=4)
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


def test_a_failure_is_told_in_the_engines_own_sentence(bench):
    values = run(bench(fails="The disk is full; make room."), "render")
    assert values["progress"]["state"] == "failed"
    assert values["progress"]["detail"] == "The disk is full; make room."


def test_the_same_start_twice_is_one_job_and_another_story_waits_its_turn(bench):
    held = bench(StepDone=0)
    assert desks.submit(held.desk, "render", STORY, FOX) == ""
    assert desks.submit(held.desk, "render", STORY, FOX) == words.ALREADY["render"]
    assert len(jobs_of(held)) == 1
    assert desks.submit(held.desk, "render", STORY, OWL) == ""
    waiting = shown(held, OWL)["progress"]
    assert (waiting["state"], waiting["detail"]) == ("waiting", words.queue_position(1))
    edited = settle({**STORY, "from": "text", "text": TEXT.replace("sits", "hops")}, GRID)
    assert desks.submit(held.desk, "render", edited, FOX) == "", "an edited story is another request"
    assert shown(held)["progress"]["others"] == 1


def test_two_tabs_see_one_job_and_strangers_see_none_of_it(bench):
    held = bench(StepDone=2)
    desks.submit(held.desk, "render", STORY, FOX)
    held.until(lambda: "step 2" in shown(held)["progress"]["detail"], "two steps")
    first, second = (shown(held) for _ in range(2))
    for key in ("headline", "detail", "percent", "preview"):
        assert first["progress"][key] == second["progress"][key]
    assert shown(held, OWL)["progress"]["state"] == "idle"
    assert shown(held, "../etc")["progress"]["state"] == "idle"


def test_a_page_that_comes_back_finds_the_running_job_where_it_is(bench):
    """Nothing of a page is needed but the project id: the job runs on while no page looks."""
    held = bench(StepDone=0)
    desks.submit(held.desk, "render", STORY, FOX)
    for _ in range(5):
        held.engine.gates["StepDone"].release()
    second = words.step(2, 3, 2, 3)  # the first segment passes through a second step too
    held.until(lambda: shown(held)["progress"]["detail"] == second, "five steps, unseen until now")
    assert len(shown(held)["film"]["segments"]) == 1


def test_a_finished_film_is_there_again_after_a_restart_of_the_server(bench):
    before = run(bench(), "render")
    again = bench()
    values = shown(again)
    for part in ("film", "animatic", "timeline", "length", "links"):
        assert values[part] == before[part], part
    for part in ("state", "headline", "detail", "percent"):
        assert values["progress"][part] == before["progress"][part], part
    assert (values["cancel"], values["pace"]) == (False, SLOW)
    assert not desks.cancel(again.desk, FOX)
    assert shown(again, OWL)["film"]["segments"] == [], "others have none of it"


def test_an_edit_after_a_restart_shows_which_segments_it_touches(bench):
    run(bench(), "render")
    again = bench()
    middle = settle({**STORY, "from": "text", "text": TEXT.replace("runs", "flies")}, GRID)
    values = shown(again, editor=middle)
    assert states(values) == ["done", "idle", "idle"]
    assert values["progress"]["detail"] == words.STALE["render"]
    assert values["film"]["film"], "the film of before stays until there is another"
    values = run(again, "animatic", middle)
    assert states(values) == ["done", "sketched", "sketched"]
    assert [link["kind"] for link in values["links"]] == ["film", "animatic"]
    assert states(run(again, "render", middle)) == ["done"] * 3


def test_a_film_whose_joining_was_broken_off_is_not_taken_for_the_one_before(bench):
    first = bench()
    run(first, "render")
    other = settle({**STORY, "from": "text", "text": TEXT.replace("sits", "hops")}, GRID)
    run(first, "render", other)
    journal = first.desk.projects / FOX / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    assert "FilmReady" in lines[-1]
    journal.write_text("".join(lines[:-1]))
    values = shown(bench(), editor=other)
    assert values["film"]["film"] is None
    assert [link["kind"] for link in values["links"]] == ["animatic"]
    assert states(values) == ["done"] * 3, "its segments stand"
    assert values["progress"]["headline"] == words.UNFINISHED
    assert values["progress"]["detail"] == words.unfinished(values["progress"]["percent"])
    assert values["pace"] == SLOW


def test_a_render_that_the_server_did_not_end_is_there_after_its_restart_and_goes_on(bench):
    held = bench(StepDone=4)
    desks.submit(held.desk, "render", STORY, FOX)
    held.until(lambda: shown(held)["progress"]["detail"] == words.step(2, 3, 1, 3), "four steps")
    before = shown(held)
    again = bench()
    values = shown(again)
    progress = values["progress"]
    assert progress["headline"] == words.UNFINISHED
    assert 0 < progress["percent"] <= before["progress"]["percent"], "a chunk that was under way is lost"
    assert progress["detail"] == words.unfinished(progress["percent"])
    assert progress["remaining"] is None
    assert states(values) == ["done", "sketched", "sketched"]
    for part in ("film", "animatic"):
        assert values[part]["segments"] == before[part]["segments"], part
        assert values[part]["segments"], part
    assert (values["cancel"], values["pace"]) == (False, SLOW)
    assert not desks.cancel(again.desk, FOX)
    assert run(again, "render")["progress"]["headline"] == words.DONE["render"]
    assert shown(bench())["progress"]["headline"] == words.DONE["render"]


def test_a_render_that_had_only_begun_is_told_so_after_a_restart(bench):
    held = bench(TokensReady=0)
    desks.submit(held.desk, "render", STORY, FOX)
    journal = held.desk.projects / FOX / "journal.jsonl"
    held.until(lambda: journal.exists() and '"plan"' in journal.read_text(), "it has begun")
    progress = shown(bench())["progress"]
    assert (progress["headline"], progress["detail"]) == (words.UNFINISHED, words.unfinished(0.0))


def test_the_film_of_before_is_shown_beside_an_unfinished_render_without_segments(bench):
    first = bench()
    film = run(first, "render")["film"]
    held = bench(StepDone=0)
    other = settle({**STORY, "from": "text", "text": TEXT.replace("sits", "hops")}, GRID)
    desks.submit(held.desk, "render", other, FOX)
    held.until(lambda: shown(held)["animatic"]["done"], "its animatic stands")
    values = shown(bench(), editor=other)
    assert values["progress"]["headline"] == words.UNFINISHED
    assert values["film"] == film


def test_an_animatic_is_there_again_after_a_restart_as_long_as_its_file_is(bench):
    before = run(bench(), "animatic")
    values = shown(bench())
    for part in ("animatic", "timeline", "links"):
        assert values[part] == before[part], part
    assert states(values) == ["sketched"] * 3
    assert values["progress"]["headline"] == words.DONE["animatic"]
    assert (values["cancel"], values["pace"]) == (False, SLOW)
    again = bench()
    (again.desk.projects / FOX / "animatic.mp4").unlink()
    values = shown(again)
    assert values["animatic"]["segments"] == []
    assert values["progress"]["state"] == "idle"


@pytest.mark.parametrize("captions", ["srt", "vtt"])
def test_captions_beside_the_film_can_be_downloaded_also_after_a_restart(bench, captions: str):
    first = bench()
    choose(first.desk, FOX, STORY, "cut", None, captions, 1.0)
    for values in (run(first, "render"), shown(bench())):
        film, link = values["links"][:2]
        assert (film["name"], link["name"]) == ("the-fox.mp4", f"the-fox.{captions}")
        assert (link["kind"], link["label"]) == ("subtitles", words.DOWNLOAD["subtitles"])
        assert served(link["url"]).read_text() == captions
        assert served(film["url"]).stat().st_size > 100, "the one link does not take the other's file away"
    choose(first.desk, FOX, STORY, "cut", None, "none", 1.0)
    for values in (run(first, "render"), shown(bench())):
        assert "subtitles" not in [link["kind"] for link in values["links"]]


def test_a_film_that_is_more_than_its_clips_is_played_with_its_own_length(bench):
    done = bench()
    plain = run(done, "render")["film"]
    choose(done.desk, FOX, STORY, "crossfade", 0.25, "none", 1.0)
    for values in (run(done, "render"), shown(bench())):
        assert (plain["edited"], values["film"]["edited"]) == (False, True)
        assert values["film"]["total"] == plain["total"] - 2 * 0.25


def test_an_edit_shows_at_once_which_segments_it_touches(bench):
    done = bench()
    run(done, "render")
    middle = settle({**STORY, "from": "text", "text": TEXT.replace("runs", "flies")}, GRID)
    values = shown(done, editor=middle)
    assert states(values) == ["done", "idle", "idle"]
    assert values["progress"]["detail"] == words.STALE["render"]
    last = settle({**STORY, "from": "text", "text": TEXT + "[2s] Dawn.\n"}, GRID)
    assert states(shown(done, editor=last)) == ["done", "done", "done", "idle"]
    reseeded = settle({**STORY, "from": "text", "text": TEXT.replace("seed: 3", "seed: 4")}, GRID)
    assert states(shown(done, editor=reseeded)) == ["idle"] * 3


def test_a_story_that_cannot_be_read_starts_nothing_and_keeps_the_timeline(bench):
    quiet = bench()
    bad = settle({**STORY, "from": "text", "text": "[4x] oops"}, GRID)
    with pytest.raises(StoryError, match="line 1"):
        desks.submit(quiet.desk, "render", bad, FOX)
    assert jobs_of(quiet) == []
    values = page_values(quiet.desk, FOX, bad)
    assert "timeline" not in values, "the page keeps what it shows"


@pytest.mark.parametrize(
    ("steps", "guidance"),
    [
        ("0", ""),
        ("1.5", ""),
        ("-3", ""),
        (10**6, None),
        ("many", ""),
        ("nan", ""),
        ("", "0"),
        ("", "99"),
        ("", -1.0),
    ],
)
def test_settings_out_of_range_are_refused_in_one_sentence(bench, steps, guidance):
    with pytest.raises(ArlonError, match="leave the field empty"):
        desks.submit(bench().desk, "render", STORY, FOX, steps, guidance)


@pytest.mark.parametrize("chunk", ["0", "1.5", "13", "some", "inf"])
def test_a_chunk_that_the_model_cannot_make_is_refused_in_one_sentence(bench, chunk: str):
    with pytest.raises(ArlonError, match="give 1 to 12, or leave the field empty"):
        desks.submit(bench().desk, "render", STORY, FOX, chunk=chunk)


def test_settings_reach_the_engine_and_only_a_render(bench):
    held = bench(Planned=0)
    desks.submit(held.desk, "render", STORY, FOX, "12", " 2.5", "6")
    desks.submit(held.desk, "animatic", STORY, FOX, "12", " 2.5", "6")
    animatic, render = (job.status.request for job in jobs_of(held))
    assert (render.steps, render.guidance, render.chunk) == (12, 2.5, 6)
    assert (animatic.steps, animatic.guidance, animatic.chunk) == (None, None, None)
    assert render.project.parent == held.desk.projects.absolute()


def test_while_clips_are_joined_the_page_tells_how_far(bench):
    held = bench(Joining=6)
    desks.submit(held.desk, "render", STORY, FOX)
    held.until(lambda: shown(held)["progress"]["detail"] == "24 of 42 frames")
    progress = shown(held)["progress"]
    assert progress["headline"] == words.JOINING["render"]
    assert 95 < progress["percent"] < 100


def test_the_model_says_whether_it_loads_is_ready_or_cannot_be(bench):
    class Model(FakeEngine):
        def __init__(self, error: Exception | None, loaded: bool = True) -> None:
            super().__init__()
            self.error, self.loaded = error, loaded

        def ready(self) -> bool:
            return self.loaded

        def wait(self, timeout: float | None = None) -> None:
            if self.error:
                raise self.error

    def line(model: Model) -> dict:
        return shown(Bench(replace(bench().desk, model=model), model))["model"]

    assert line(Model(None, loaded=False)) == {"state": "loading", "line": words.MODEL_LOADING}
    assert line(Model(None)) == {"state": "ready", "line": "fake on the CPU"}
    assert line(Model(ModelError("no such model; give another.")))["line"] == "no such model; give another."
    assert "ImportError" in line(Model(ImportError("libfoo")))["line"]


def test_a_job_that_the_model_is_not_complete_enough_for_is_refused_with_the_mend(bench):
    whole = bench()
    lacking = Bench(replace(whole.desk, refusals={"render": "no transformer; train dit."}), whole.engine)
    with pytest.raises(ModelError, match="train dit"):
        desks.submit(lacking.desk, "render", STORY, FOX)
    assert jobs_of(lacking) == []
    values = shown(lacking)
    assert values["model"] == {"state": "failed", "line": "fake is not complete yet"}
    assert values["progress"]["detail"] == "no transformer; train dit."
    assert states(run(lacking, "animatic")) == ["sketched"] * 3, "what it can do it does"


def test_what_a_model_folder_lacks_is_read_without_loading_it(tiny_folder: Path, tmp_path: Path):
    assert (
        read_refusals(str(tiny_folder))
        == read_refusals("owner/name")
        == read_refusals("no/such/folder")
        == {}
    )
    model = Path(shutil.copytree(tiny_folder, tmp_path / "model"))
    index = json.loads((model / "model_index.json").read_text())
    for name in ("preview_decoder", "transformer"):
        index[name] = [None, None]
    (model / "model_index.json").write_text(json.dumps(index))
    refusals = read_refusals(str(model))
    assert sorted(refusals) == ["animatic", "render"]
    assert "no preview_decoder and no transformer yet" in refusals["render"]


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


def test_a_projects_folder_that_cannot_be_is_refused(tmp_path: Path, bench):
    (tmp_path / "file").write_text("")
    with pytest.raises(ProjectError, match="--projects"):
        desks.open_desk(bench().desk.jobs, FakeEngine(), "nobody/none", tmp_path / "file" / "projects")


def test_warnings_are_shown_with_the_progress(tmp_path: Path):
    class Warned(FakeEngine):
        def _events(self, request: JobRequest) -> Iterator[Event]:
            planned, *rest = super()._events(request)
            yield from (planned, WarningRaised('segment 2: the model has never seen "unicorn".', 1), *rest)

    with open_bench(tmp_path, Warned()) as warned:
        notes = run(warned, "animatic")["progress"]["notes"]
    assert notes == ['Segment 2: the model has never seen "unicorn".']
