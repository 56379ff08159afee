"""One person's page: the story that was there comes back, and opening another loses none."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest

from app import words
from app.handlers.desk import Desk
from app.handlers.session import KEPT, edit, open_page, open_story, read_file
from app.handlers.settings import SETTINGS
from app.studio import Wiring
from arlon_core.errors import StoryError
from tests.app.fake_engine import FakeEngine
from tests.app.studio_desk import open_bench


class Named(dict[str, str]):
    """The page's parts, each by its name alone."""

    def __missing__(self, name: str) -> str:
        return name


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_bench(tmp_path, FakeEngine()) as bench:
        yield bench.desk


def typing(desk: Desk, value: dict, text: str, at: int = 1) -> dict:
    return edit(desk, {**value, "rev": value["rev"] + 1, "from": "text", "text": text, "at": at})


def kept(value: dict) -> dict:
    """A story as the browser keeps it."""
    return json.loads(json.dumps({name: value[name] for name in KEPT}))


def event(data: dict) -> SimpleNamespace:
    """What gradio gives a handler of an event of the editor."""
    return SimpleNamespace(_data=data)


def test_a_stranger_finds_the_first_example_in_a_project_of_their_own(desk: Desk):
    first, second = open_page(desk, None), open_page(desk, {})
    assert first["text"] == second["text"] == desk.examples[0].text
    assert first["chosen"] == f"example:{desk.examples[0].id}"
    assert first["project"] != second["project"]
    assert first["left"] is None


def test_what_was_typed_is_there_again_after_a_reload_good_or_bad(desk: Desk):
    value = typing(desk, open_page(desk, None), "[4s] One.\n[4x] half ty", at=7)
    again = open_page(desk, kept(value))
    assert again["text"] == "[4s] One.\n[4x] half ty"
    assert again["problem"]["line"] == 2
    assert kept(again) == kept(value)
    assert again["at"] == 7


def settings(value: dict) -> list[str]:
    return [value[name] for name in SETTINGS]


def test_settings_are_there_again_after_a_reload_and_belong_to_their_story(desk: Desk):
    typed, models_own = ["4", "2.5", "6"], ["", "", ""]
    first = open_page(desk, None)
    assert settings(first) == models_own
    mine = edit(desk, first, *typed)
    assert settings(open_page(desk, kept(mine))) == typed
    other = open_story(desk, {"chosen": "example:kite"}, mine)
    assert settings(other) == models_own
    assert settings(open_story(desk, other["left"], other)) == typed
    assert settings(open_page(desk, kept(edit(desk, mine, *models_own)))) == models_own


def test_the_plan_is_of_the_chunks_that_were_set_and_waits_for_a_good_number(desk: Desk):
    first = open_page(desk, None)
    own = first["plan"]["chunks"]

    def chunks(typed: str) -> int:
        return edit(desk, first, "", "", typed)["plan"]["chunks"]

    assert chunks("6") > own
    assert [chunks(typed) for typed in ("", "12", "99", "six")] == [own] * 4
    mine = edit(desk, first, "", "", "6")
    assert open_page(desk, kept(mine))["plan"]["chunks"] == chunks("6")
    assert edit(desk, mine)["plan"]["chunks"] == chunks("6"), "it goes with the story"


def test_a_film_begun_with_other_steps_goes_on_with_them_after_a_reload(desk: Desk):
    """What the page's events give, by name of the part: steps are part of every latent's key."""
    page = Wiring(desk, Named())
    first = page.load(event({}))
    assert first["steps"] == gr.update(value="", interactive=True)
    editor = first["editor"]["value"]
    begun = page.render(editor, first["shown"], "4", "", "6")
    again = page.load(event(kept(begun["editor"]["value"])))
    typed = [again[name]["value"] for name in SETTINGS]
    page.render(again["editor"]["value"], again["shown"], *typed)
    assert {job.request.steps for job in desk.jobs.jobs()} == {4}
    assert {job.request.guidance for job in desk.jobs.jobs()} == {None}
    assert {job.request.chunk for job in desk.jobs.jobs()} == {6}
    later = page.typed(editor, {}, "40", "3", "")
    assert "steps" not in later, "nothing comes back into a field that is typed in"
    assert page.load(event(kept(later["editor"]["value"])))["guidance"]["value"] == "3"


def test_opening_another_story_keeps_the_first_and_its_project(desk: Desk):
    mine = typing(desk, open_page(desk, None), "title: Mine\n[4s] One.\n")
    kite = next(each for each in desk.examples if each.id == "kite")
    other = open_story(desk, {"chosen": "example:kite"}, mine)
    assert (other["text"], other["chosen"]) == (kite.text, "example:kite")
    assert other["rev"] > mine["rev"], "the page takes it over"
    assert other["left"] == kept(mine)
    assert (mine["title"], mine["chosen"]) == ("Mine", f"mine:{mine['project']}")
    back = open_story(desk, kept(mine), other)
    assert (back["text"], back["project"]) == (mine["text"], mine["project"])
    again = open_story(desk, kept(other), back)
    assert again["project"] == other["project"], "so its film is found again"


@pytest.mark.parametrize("asked", [{"chosen": "example:kite"}, {"chosen": "example:none"}])
def test_keys_and_settings_on_their_way_are_kept_with_the_story_that_is_left(desk: Desk, asked: dict):
    """Also when there is nothing to open."""
    page = Wiring(desk, Named())
    value = {**typing(desk, open_page(desk, None), "[4s] One.\n"), "from": "text", "text": "[4s] One!\n"}
    after = page.opened(value, {}, "40", "", "6", event({**asked, "asked": 3}))["editor"]["value"]
    assert after["asked"] == 3, "so that the page stops asking"
    left = after["left"] if asked["chosen"] == "example:kite" else after
    assert (left["project"], left["text"]) == (value["project"], "[4s] One!\n")
    assert settings(left) == ["40", "", "6"]


def test_an_example_that_was_told_otherwise_is_another_story(desk: Desk):
    """As another release of the studio told it: what was kept stays, and the example is as it is now."""
    before = {**kept(open_story(desk, {"chosen": "example:kite"}, None)), "text": "[4s] A kite.\n"}
    now = open_story(desk, before, None)
    assert now["text"] != before["text"]
    assert now["project"] != before["project"]
    assert open_page(desk, before)["text"] == before["text"]
    assert open_page(desk, before)["chosen"] == f"mine:{before['project']}"


def test_a_new_story_is_a_good_one(desk: Desk):
    value = open_story(desk, {"chosen": "new"}, None)
    assert value["problem"] is None
    assert value["sheet"]["cards"]
    assert value["chosen"] == "new"


@pytest.mark.parametrize(
    "asked",
    [{"chosen": "mine:the-fox-0000000000000001"}, {"chosen": "example:none"}, {}, None, {"text": 3}, "new"],
)
def test_a_story_that_is_gone_is_told(desk: Desk, asked: object):
    with pytest.raises(StoryError, match=words.GONE):
        open_story(desk, asked, None)


def test_a_file_is_opened_beside_what_is_there_and_a_bad_one_is_told(desk: Desk):
    page = open_page(desk, None)
    data = base64.b64encode(b'{"title": "Owl", "segments": [{"prompt": "An owl sits."}]}').decode()
    owl = open_story(desk, read_file({"file": "owl.json", "data": data}), page)
    assert owl["text"] == "title: Owl\n\n[4s] An owl sits.\n"
    assert owl["project"] != page["project"]
    assert owl["left"] == kept(page)
    bad = read_file({"file": "bad.txt", "data": base64.b64encode(b"[4x] no").decode()})
    assert "bad.txt, line 1" in bad["problem"]
    assert "problem" in read_file(None)


@pytest.mark.parametrize("project", [None, "", "../..", 3])
def test_a_page_without_a_project_gets_one_with_its_first_edit(desk: Desk, project: object):
    value = {"from": "text", "text": "title: Sea\n[4s] Waves.\n", "project": project, "at": "now"}
    edited = edit(desk, value)
    assert edited["project"].startswith("sea-")
    assert (edited["title"], edited["at"]) == ("Sea", 0)
