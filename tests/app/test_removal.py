"""Taking a story off the list of those that the page keeps: it can come back, and no work goes on unseen."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from app import words
from app.handlers.desk import at_work, submit
from app.handlers.filming import export
from app.handlers.session import removal_problem
from arlon_core.jobs import JobState
from tests.app import shown_page
from tests.app.shown_page import FOX, OWL, jobs_of, run
from tests.app.studio_page import KEPT, STORY, Studio, hold_events, hold_typing, kept_texts, own_titles

OWL_TEXT = "title: The owl\n\n[1s] An owl sits.\n"


def remove(page: Page, title: str = "The fox") -> Locator:
    """The button, by the name that is read out."""
    return page.get_by_role("button", name=words.EDITOR["remove_story"].format(title=title), exact=True)


def undo(page: Page, title: str = "The fox") -> Locator:
    return page.get_by_role("button", name=words.EDITOR["bring_back"].format(title=title), exact=True)


def by_project(page: Page) -> dict[str, object]:
    return {story["project"]: story for story in page.evaluate(KEPT)}


def with_owl(here: Studio) -> Studio:
    """A second story, shown; that of the fox is the other one."""
    here.page.select_option("#story-choice", "new")
    here.until(lambda: "paper plane" in here.prompts()[0])
    here.write(OWL_TEXT)
    here.until(lambda: own_titles(here.page) == ["The owl", "The fox"])
    return here


def test_a_removed_story_is_gone_from_list_and_browser_and_comes_back_as_it_was(studio):
    here = with_owl(studio().begin())
    before = by_project(here.page)
    remove(here.page, "The owl").click()
    here.until(lambda: here.text() == STORY)  # its neighbour in the list comes in its place
    assert own_titles(here.page) == ["The fox"]
    assert OWL_TEXT not in kept_texts(here.page)
    told = here.page.locator(".story-note", has=undo(here.page, "The owl"))
    expect(told).to_contain_text(words.EDITOR["story_removed"].format(title="The owl"))
    undo(here.page, "The owl").click()
    here.until(lambda: here.text() == OWL_TEXT)
    assert own_titles(here.page) == ["The owl", "The fox"]
    expect(told).to_have_count(0)
    assert by_project(here.page) == before, "project and settings too: its film is the same one"


def test_stories_come_back_one_by_one_also_after_a_reload_but_not_in_a_new_tab(studio):
    here = with_owl(studio().begin())
    for title in ("The owl", "The fox"):
        remove(here.page, title).click()
        expect(undo(here.page, title)).to_be_visible()
    here.until(lambda: "balloon" in here.prompts()[0])  # none is left: what a stranger finds
    assert own_titles(here.page) == []
    expect(undo(here.tab().page)).to_have_count(0)
    here.page.reload()
    here.open()
    for title, text in (("The fox", STORY), ("The owl", OWL_TEXT)):
        undo(here.page, title).click()
        here.until(lambda text=text: here.text() == text)
    assert set(own_titles(here.page)) == {"The owl", "The fox"}


def test_what_is_nobodys_own_cannot_be_removed(studio):
    here = studio().open()
    for chosen, told in (("example:kite", "kite"), ("new", "paper plane")):
        here.page.select_option("#story-choice", chosen)
        here.until(lambda told=told: told in here.prompts()[0])
        expect(here.page.locator(".story-shelf .remove")).to_be_disabled()
    here.write(STORY)
    expect(remove(here.page)).to_be_enabled()


def test_keyboard_alone_removes_a_story_and_brings_it_back(studio):
    here = studio().begin()
    remove(here.page).focus()
    here.page.keyboard.press("Enter")
    expect(undo(here.page)).to_be_focused()
    here.page.keyboard.press("Enter")
    here.until(lambda: here.text() == STORY)
    expect(here.page.locator("#story-choice")).to_be_focused()


@pytest.mark.parametrize("kind", ["animatic", "render"])
def test_a_story_that_is_worked_on_stays_until_that_is_cancelled(studio, kind: str):
    here = studio(Sampling=0).begin()
    here.page.click("#make-animatic" if kind == "animatic" else "#render")
    here.until(lambda: here.bench.desk.jobs.jobs())
    remove(here.page).click()
    expect(here.page.locator(".story-problem")).to_have_text(words.AT_WORK)
    assert own_titles(here.page) == ["The fox"]
    here.page.click("#cancel")
    here.until(lambda: here.bench.desk.jobs.jobs()[0].state is JobState.CANCELLED)
    remove(here.page).click()
    expect(undo(here.page)).to_be_visible()
    assert own_titles(here.page) == []


def test_only_its_own_work_keeps_a_story(new_bench):
    held = new_bench(Sampling=0)
    submit(held.desk, "render", shown_page.STORY, FOX)
    assert at_work(held.desk, FOX)
    for asked in ({"project": OWL}, {"project": "../etc"}, {}, None):
        assert removal_problem(held.desk, asked) == {}
    assert removal_problem(held.desk, {"project": FOX}) == {"problem": words.AT_WORK}


def test_a_story_whose_film_is_being_exported_stays(new_bench):
    done = new_bench()
    run(done, "render")
    assert not at_work(done.desk, FOX)
    (job,) = jobs_of(done)
    with done.desk.exports._turn:  # its thread waits
        export(done.desk, FOX, ".mp4")
        assert at_work(done.desk, FOX)
    done.until(lambda: not at_work(done.desk, FOX), "the export ends")
    assert done.desk.exports.of(job.status.request.project).info is not None


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_was_typed_last_comes_back_with_its_story(studio, when: str):
    """Before the button was pressed, with no answer yet, and after it, with the other story on its way."""
    here = studio().begin()
    held = hold_typing(here.page) if when == "before" else hold_events(here.page)
    if when == "after":
        remove(here.page).click()
        here.until(lambda: held)
    here.page.fill("#story-text", STORY + "# more")
    if when == "before":
        here.until(lambda: held)
        remove(here.page).click()
    else:
        held[0].continue_()
    here.until(lambda: "balloon" in here.prompts()[0])
    here.page.unroute_all()
    undo(here.page).click()
    here.until(lambda: here.text() == STORY + "# more")
    here.until(lambda: STORY + "# more" in kept_texts(here.page))


def test_without_an_answer_nothing_is_removed(studio, browser_log):
    here = studio().begin()
    asked: list[object] = []

    def drop(route) -> None:
        asked.append(route.abort())

    here.page.route("**/gradio_api/run/**", drop)
    remove(here.page).click()
    here.until(lambda: asked)
    assert STORY in kept_texts(here.page)
    assert own_titles(here.page) == ["The fox"]
    expect(undo(here.page)).to_have_count(0)
    here.page.unroute_all()


@pytest.mark.parametrize("act", ["leave", "edit", "render"])
def test_a_tab_that_still_shows_a_story_brings_it_back_by_work_on_it_only(studio, act: str):
    here = studio(Planned=0).begin()
    there = here.tab()
    assert there.text() == STORY
    remove(here.page).click()
    there.until(lambda: own_titles(there.page) == [])
    if act == "leave":
        there.page.select_option("#story-choice", "example:kite")
        there.until(lambda: "kite" in there.prompts()[0])
    elif act == "edit":
        there.write(STORY + "# more")
        there.until(lambda: STORY + "# more" in kept_texts(there.page))
    else:
        there.page.click("#render")
        there.until(lambda: there.bench.desk.jobs.jobs())
    here.until(lambda: own_titles(here.page) == ([] if act == "leave" else ["The fox"]))


def test_a_browser_that_keeps_nothing_can_remove_and_bring_back_too(studio, new_page):
    closed = """for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name, {
        get() { throw new DOMException('no', 'SecurityError'); },
    })"""
    here = studio().open(new_page(init_script=closed))
    here.write(STORY)
    here.until(lambda: own_titles(here.page) == ["The fox"])
    remove(here.page).click()
    here.until(lambda: own_titles(here.page) == [])
    undo(here.page).click()
    here.until(lambda: here.text() == STORY)


def test_on_a_phone_the_button_and_the_offer_are_within_the_screen(studio, new_page):
    here = studio().open(new_page(width=390, height=844, has_touch=True))
    title = "The fox that was so very tired of being called quick and brown all day long"
    here.write(STORY.replace("The fox", title))
    expect(remove(here.page, title)).to_be_enabled()
    for control in (remove(here.page, title), undo(here.page, title)):
        box = control.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert box["height"] >= 24, "a finger's least (WCAG 2.5.8)"
        control.click()
    wide = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert here.page.evaluate(wide) == 0
