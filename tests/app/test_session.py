"""One person's page: the story that was there comes back, and opening another loses none."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest

from app import words
from app.handlers.desk import Desk
from app.handlers.session import edit, open_file, open_page, open_story
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


def typing(desk: Desk, session, text: str):
    value = {**session.editor, "rev": session.editor["rev"] + 1, "from": "text", "text": text}
    return edit(desk, value, session.project, session.shelf)


def test_a_stranger_finds_the_first_example_in_a_project_of_their_own(desk: Desk):
    first, second = open_page(desk, None, None), open_page(desk, "", {})
    assert first.editor["text"] == second.editor["text"] == desk.examples[0].text
    assert first.editor["chosen"] == f"example:{desk.examples[0].id}"
    assert first.project != second.project


def test_what_was_typed_is_there_again_after_a_reload_good_or_bad(desk: Desk):
    session = typing(desk, open_page(desk, None, None), "[4s] One.\n[4x] half ty")
    again = open_page(desk, session.project, session.shelf)
    assert again.editor["text"] == "[4s] One.\n[4x] half ty"
    assert again.editor["problem"]["line"] == 2
    assert again.project == session.project


def test_steps_and_guidance_are_there_again_after_a_reload_and_belong_to_their_story(desk: Desk):
    first = open_page(desk, None, None)
    assert first.settings == {"steps": "", "guidance": ""}, "the model's own"
    mine = edit(desk, first.editor, first.project, first.shelf, "4", "2.5")
    assert open_page(desk, mine.project, mine.shelf).settings == {"steps": "4", "guidance": "2.5"}
    other = open_story(desk, "example:kite", mine.editor, mine.shelf)
    assert other.settings == {"steps": "", "guidance": ""}
    back = open_story(desk, f"mine:{mine.project}", other.editor, other.shelf)
    assert back.settings == {"steps": "4", "guidance": "2.5"}
    emptied = edit(desk, back.editor, back.project, back.shelf, "", "")
    assert open_page(desk, emptied.project, emptied.shelf).settings == {"steps": "", "guidance": ""}


def test_a_film_begun_with_other_steps_goes_on_with_them_after_a_reload(desk: Desk):
    """What the page's events give, by name of the part: steps are part of every latent's key."""
    page = Wiring(desk, Named())
    first = page.load("", {})
    assert first["steps"] == gr.update(value="", interactive=True)
    editor = first["editor"]["value"]
    begun = page.render(editor, first["project"], first["shelf"], first["shown"], "4", "")
    again = page.load(begun["project"], json.loads(json.dumps(begun["shelf"])))
    typed = [again[name]["value"] for name in ("steps", "guidance")]
    page.render(again["editor"]["value"], again["project"], again["shelf"], again["shown"], *typed)
    assert {job.request.steps for job in desk.jobs.jobs()} == {4}
    assert {job.request.guidance for job in desk.jobs.jobs()} == {None}
    later = page.typed(editor, begun["project"], begun["shelf"], {}, "40", "3")
    assert "steps" not in later, "nothing comes back into a field that is typed in"
    assert page.load(later["project"], later["shelf"])["guidance"]["value"] == "3"


def test_opening_another_story_keeps_the_first_and_its_project(desk: Desk):
    mine = typing(desk, open_page(desk, None, None), "title: Mine\n[4s] One.\n")
    kite = next(each for each in desk.examples if each.id == "kite")
    other = open_story(desk, "example:kite", mine.editor, mine.shelf)
    assert other.editor["text"] == kite.text
    assert other.editor["rev"] > mine.editor["rev"], "the page takes it over"
    assert other.editor["choices"]["mine"] == [{"id": mine.project, "title": "Mine"}]
    back = open_story(desk, f"mine:{mine.project}", other.editor, other.shelf)
    assert (back.editor["text"], back.project) == (mine.editor["text"], mine.project)
    again = open_story(desk, "example:kite", back.editor, back.shelf)
    assert again.project == other.project, "so its film is found again"


def test_a_new_story_is_a_good_one(desk: Desk):
    session = open_story(desk, "new", None, None)
    assert session.editor["problem"] is None
    assert session.editor["sheet"]["cards"]


@pytest.mark.parametrize("choice", ["mine:the-fox-0000000000000001", "example:none", "", None, "../x"])
def test_a_story_that_is_gone_is_told(desk: Desk, choice: object):
    with pytest.raises(StoryError, match=words.GONE):
        open_story(desk, choice, None, {})


def test_a_file_is_opened_beside_what_is_there_and_a_bad_one_changes_nothing(desk: Desk):
    page = open_page(desk, None, None)
    data = base64.b64encode(b'{"title": "Owl", "segments": [{"prompt": "An owl sits."}]}').decode()
    owl = open_file(desk, "owl.json", data, page.editor, page.shelf)
    assert owl.editor["text"] == "title: Owl\n\n[4s] An owl sits.\n"
    assert set(owl.shelf) == {page.project, owl.project}
    with pytest.raises(StoryError, match=r"bad\.txt, line 1"):
        open_file(desk, "bad.txt", base64.b64encode(b"[4x] no").decode(), page.editor, page.shelf)


def test_a_page_without_a_project_gets_one_with_its_first_edit(desk: Desk):
    session = edit(desk, {"from": "text", "text": "title: Sea\n[4s] Waves.\n"}, "../..", None)
    assert session.project.startswith("sea-")
    assert session.shelf[session.project]["title"] == "Sea"
