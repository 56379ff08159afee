"""What the page shows of what was made before the server was started again."""

from __future__ import annotations

import pytest

from app import words
from app.handlers import desk as desks
from app.handlers.filming import choose
from app.handlers.page import SLOW
from tests.app.shown_page import FOX, OWL, STORY, TEXT, edited, run, served, shown, states


def test_a_finished_film_is_there_again_after_a_restart_of_the_server(new_bench):
    before = run(new_bench(), "render")
    again = new_bench()
    values = shown(again)
    for part in ("film", "animatic", "timeline", "length", "links"):
        assert values[part] == before[part], part
    for part in ("state", "headline", "detail", "percent"):
        assert values["progress"][part] == before["progress"][part], part
    assert (values["cancel"], values["pace"]) == (False, SLOW)
    assert not desks.cancel(again.desk, FOX)
    assert shown(again, OWL)["film"]["segments"] == [], "others have none of it"


def test_an_edit_after_a_restart_shows_which_segments_it_touches(new_bench):
    run(new_bench(), "render")
    again = new_bench()
    middle = edited(TEXT.replace("runs", "flies"))
    values = shown(again, editor=middle)
    assert states(values) == ["done", "idle", "idle"]
    assert values["progress"]["detail"] == words.STALE["render"]
    assert values["film"]["film"], "the film of before stays until there is another"
    values = run(again, "animatic", middle)
    assert states(values) == ["done", "sketched", "sketched"]
    assert [link["kind"] for link in values["links"]] == ["film", "animatic"]
    assert states(run(again, "render", middle)) == ["done"] * 3


def test_a_film_whose_joining_was_broken_off_is_not_taken_for_the_one_before(new_bench):
    first = new_bench()
    run(first, "render")
    other = edited(TEXT.replace("sits", "hops"))
    run(first, "render", other)
    journal = first.desk.projects / FOX / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    assert "FilmReady" in lines[-1]
    journal.write_text("".join(lines[:-1]))
    values = shown(new_bench(), editor=other)
    assert values["film"]["film"] is None
    assert [link["kind"] for link in values["links"]] == ["animatic"]
    assert states(values) == ["done"] * 3, "its segments stand"
    assert values["progress"]["headline"] == words.UNFINISHED
    assert values["progress"]["detail"] == words.unfinished(values["progress"]["percent"])
    assert values["pace"] == SLOW


def test_a_render_that_the_server_did_not_end_is_there_after_its_restart_and_goes_on(new_bench):
    held = new_bench(StepDone=4)
    desks.submit(held.desk, "render", STORY, FOX)
    held.until(lambda: shown(held)["progress"]["detail"] == words.step(2, 3, 1, 3), "four steps")
    before = shown(held)
    again = new_bench()
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
    assert shown(new_bench())["progress"]["headline"] == words.DONE["render"]


def test_a_render_that_had_only_begun_is_told_so_after_a_restart(new_bench):
    held = new_bench(TokensReady=0)
    desks.submit(held.desk, "render", STORY, FOX)
    journal = held.desk.projects / FOX / "journal.jsonl"
    held.until(lambda: journal.exists() and '"plan"' in journal.read_text(), "it has begun")
    progress = shown(new_bench())["progress"]
    assert (progress["headline"], progress["detail"]) == (words.UNFINISHED, words.unfinished(0.0))


def test_the_film_of_before_is_shown_beside_an_unfinished_render_without_segments(new_bench):
    first = new_bench()
    film = run(first, "render")["film"]
    held = new_bench(StepDone=0)
    other = edited(TEXT.replace("sits", "hops"))
    desks.submit(held.desk, "render", other, FOX)
    # Its own: the first render's is on the page from the start.
    held.until(lambda: desks.project_jobs(held.desk, FOX)[0].view.animatic, "its animatic stands")
    values = shown(new_bench(), editor=other)
    assert values["progress"]["headline"] == words.UNFINISHED
    assert values["film"] == film


def test_an_animatic_is_there_again_after_a_restart_as_long_as_its_file_is(new_bench):
    before = run(new_bench(), "animatic")
    values = shown(new_bench())
    for part in ("animatic", "timeline", "links"):
        assert values[part] == before[part], part
    assert states(values) == ["sketched"] * 3
    assert values["progress"]["headline"] == words.DONE["animatic"]
    assert (values["cancel"], values["pace"]) == (False, SLOW)
    again = new_bench()
    (again.desk.projects / FOX / "animatic.mp4").unlink()
    values = shown(again)
    assert values["animatic"]["segments"] == []
    assert values["progress"]["state"] == "idle"


@pytest.mark.parametrize("captions", ["srt", "vtt"])
def test_captions_beside_the_film_can_be_downloaded_also_after_a_restart(new_bench, captions: str):
    first = new_bench()
    choose(first.desk, FOX, STORY, "cut", None, captions, 1.0)
    for values in (run(first, "render"), shown(new_bench())):
        film, link = values["links"][:2]
        assert (film["name"], link["name"]) == ("the-fox.mp4", f"the-fox.{captions}")
        assert (link["kind"], link["label"]) == ("subtitles", words.DOWNLOAD["subtitles"])
        assert served(link["url"]).read_text() == captions
        assert served(film["url"]).stat().st_size > 100, "the one link does not take the other's file away"
    choose(first.desk, FOX, STORY, "cut", None, "none", 1.0)
    for values in (run(first, "render"), shown(new_bench())):
        assert "subtitles" not in [link["kind"] for link in values["links"]]
