"""What a start takes, from the page and from the model, and what is refused in one sentence."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from app import words
from app.handlers import desk as desks
from app.handlers.page import page_values
from app.handlers.planning import read_refusals
from arlon_core.errors import ArlonError, ModelError, ProjectError, StoryError
from tests.app.fake_engine import FakeEngine
from tests.app.shown_page import FOX, OWL, STORY, TEXT, edited, jobs_of, run, shown, states
from tests.app.studio_desk import Bench


def test_the_same_start_twice_is_one_job_and_another_story_waits_its_turn(new_bench):
    held = new_bench(StepDone=0)
    assert desks.submit(held.desk, "render", STORY, FOX) == ""
    assert desks.submit(held.desk, "render", STORY, FOX) == words.ALREADY["render"]
    assert len(jobs_of(held)) == 1
    assert desks.submit(held.desk, "render", STORY, OWL) == ""
    waiting = shown(held, OWL)["progress"]
    assert (waiting["state"], waiting["detail"]) == ("waiting", words.queue_position(1))
    hopping = edited(TEXT.replace("sits", "hops"))
    assert desks.submit(held.desk, "render", hopping, FOX) == "", "an edited story is another request"
    assert shown(held)["progress"]["others"] == 1


def test_a_story_that_cannot_be_read_starts_nothing_and_keeps_the_timeline(new_bench):
    quiet = new_bench()
    bad = edited("[4x] oops")
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
def test_settings_out_of_range_are_refused_in_one_sentence(new_bench, steps, guidance):
    with pytest.raises(ArlonError, match="leave the field empty"):
        desks.submit(new_bench().desk, "render", STORY, FOX, steps, guidance)


@pytest.mark.parametrize("chunk", ["0", "1.5", "13", "some", "inf"])
def test_a_chunk_that_the_model_cannot_make_is_refused_in_one_sentence(new_bench, chunk: str):
    with pytest.raises(ArlonError, match="give 1 to 12, or leave the field empty"):
        desks.submit(new_bench().desk, "render", STORY, FOX, chunk=chunk)


def test_settings_reach_the_engine_and_only_a_render(new_bench):
    held = new_bench(Planned=0)
    desks.submit(held.desk, "render", STORY, FOX, "12", " 2.5", "6")
    desks.submit(held.desk, "animatic", STORY, FOX, "12", " 2.5", "6")
    animatic, render = (job.status.request for job in jobs_of(held))
    assert (render.steps, render.guidance, render.chunk) == (12, 2.5, 6)
    assert (animatic.steps, animatic.guidance, animatic.chunk) == (None, None, None)
    assert render.project.parent == held.desk.projects.absolute()


def test_the_model_says_whether_it_loads_is_ready_or_cannot_be(new_bench):
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
        return shown(Bench(replace(new_bench().desk, model=model), model))["model"]

    assert line(Model(None, loaded=False)) == {"state": "loading", "line": words.MODEL_LOADING}
    assert line(Model(None)) == {"state": "ready", "line": "fake on the CPU"}
    assert line(Model(ModelError("no such model; give another.")))["line"] == "no such model; give another."
    assert "ImportError" in line(Model(ImportError("libfoo")))["line"]


def test_a_job_that_the_model_is_not_complete_enough_for_is_refused_with_the_mend(new_bench):
    whole = new_bench()
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


def test_a_projects_folder_that_cannot_be_is_refused(tmp_path: Path, new_bench):
    (tmp_path / "file").write_text("")
    with pytest.raises(ProjectError, match="--projects"):
        desks.open_desk(new_bench().desk.jobs, FakeEngine(), "nobody/none", tmp_path / "file" / "projects")
