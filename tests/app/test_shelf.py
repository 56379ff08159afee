"""The stories that a browser keeps: two tabs lose none of each other's, and none goes without a word."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from app import words
from tests.app.studio_page import KEPT, STORY, hold_events, kept_texts, open_settings, own_titles

OWL = "title: The owl\n\n[1s] An owl sits.\n"
LONG = STORY + "# and much more\n" * 200
KEEP = """all => all.forEach(story =>
    localStorage.setItem('arlon-story-' + story.project, JSON.stringify(story)))"""
# Fills the browser's storage up to the last letter.
FILL = """() => {
    let room = 2 ** 23, filled = '';
    for (; room >= 1; room = Math.floor(room / 2)) {
        try {
            localStorage.setItem('another app', filled + 'x'.repeat(room));
            filled += 'x'.repeat(room);
        } catch {}
    }
}"""

CLOSED = """Object.defineProperty(window, 'localStorage', {
    get() { throw new DOMException('no', 'SecurityError'); },
})"""


def kept_story(number: int) -> dict[str, object]:
    project = f"story-{number:016x}"
    told = {"text": f"[1s] Story {number}.", "title": f"Story {number}.", "steps": "", "guidance": ""}
    return {"project": project, "at": number, "chosen": f"mine:{project}", **told}


def test_a_story_written_in_one_tab_survives_what_another_tab_saves(studio):
    """Also what the other tab saved with an answer that was on its way meanwhile."""
    here = studio().open()
    there = here.tab()
    there.page.select_option("#story-choice", "new")
    there.until(lambda: "paper plane" in there.prompts()[0])
    held = hold_events(there.page)
    there.write(OWL)
    there.until(lambda: len(held) >= 1)
    here.write(STORY)
    here.until(lambda: STORY in kept_texts(here.page))
    for route in list(held):
        route.continue_()
    there.page.unroute_all()
    there.until(lambda: OWL in kept_texts(there.page))
    assert STORY in kept_texts(here.page)
    for tab in (here, there):
        tab.until(lambda tab=tab: set(own_titles(tab.page)) == {"The fox", "The owl"})
    there.page.select_option("#story-choice", label="The fox")
    there.until(lambda: there.text() == STORY)
    for tab, text in ((here, STORY), (there, STORY)):
        tab.page.reload()
        expect(tab.page.locator("#story-text")).to_have_value(text)


def test_a_tab_that_is_reloaded_shows_its_own_story_again(studio):
    here = studio().open()
    there = here.tab()
    here.write(STORY)
    there.page.select_option("#story-choice", "example:kite")
    there.until(lambda: "kite" in there.prompts()[0])
    here.until(lambda: STORY in kept_texts(here.page))
    here.page.reload()
    expect(here.page.locator("#story-text")).to_have_value(STORY)


@pytest.mark.parametrize("act", ["render", "leave", "settings"])
def test_the_newest_edit_stays_whatever_a_tab_does_that_shows_an_older_one(studio, act):
    here = studio(Planned=0).begin()
    here.until(lambda: STORY in kept_texts(here.page))
    there = here.tab()
    assert there.text() == STORY
    newer = STORY.replace("sits", "hops")
    here.page.fill("#story-text", newer)
    here.until(lambda: newer in kept_texts(here.page))
    if act == "render":
        there.page.click("#render")
        there.until(lambda: here.bench.desk.jobs.jobs())
    elif act == "leave":
        there.page.select_option("#story-choice", "example:kite")
        there.until(lambda: "kite" in there.prompts()[0])
    else:
        open_settings(there.page)
        there.page.get_by_label(words.SETTING["steps"]).press_sequentially("4")
        there.until(lambda: "4" in {story["steps"] for story in there.page.evaluate(KEPT)})
    there.page.wait_for_timeout(300)
    assert newer in kept_texts(here.page)
    there.write(OWL)
    there.until(lambda: OWL in kept_texts(there.page))
    assert (newer in kept_texts(here.page)) == (act == "leave"), "an edit that is newer still takes its place"


def test_no_story_makes_room_for_another(studio):
    here = studio().open()
    stories = [kept_story(number) for number in range(100)]
    here.page.evaluate(KEEP, stories)
    here.open()
    here.write(STORY)
    here.until(lambda: STORY in kept_texts(here.page))
    assert own_titles(here.page) == ["The fox", *(story["title"] for story in reversed(stories))]
    here.page.select_option("#story-choice", label="Story 0.")
    here.until(lambda: here.text() == "[1s] Story 0.")


def test_a_browser_without_room_is_one_sentence_and_the_story_is_there_until_the_tab_is_closed(studio):
    here = studio().open()
    told = here.page.locator(".story-unkept")
    expect(told).to_be_hidden()
    here.page.evaluate(FILL)
    here.write(LONG)
    expect(told).to_have_text(words.EDITOR["unkept"])
    assert LONG not in kept_texts(here.page)
    here.page.select_option("#story-choice", "example:kite")
    here.until(lambda: "kite" in here.prompts()[0])
    here.page.select_option("#story-choice", label="The fox")
    here.until(lambda: here.text() == LONG)
    here.page.evaluate("() => localStorage.removeItem('another app')")
    here.page.locator("#story-text").press_sequentially("# more")
    expect(told).to_be_hidden()
    here.until(lambda: LONG + "# more" in kept_texts(here.page))


def test_a_browser_that_keeps_nothing_still_lets_people_write(studio, new_page, browser_log):
    here = studio().open(new_page(init_script=CLOSED))
    here.write(STORY)
    here.until(lambda: here.prompts()[0] == "A fox sits.")
    expect(here.page.locator(".story-unkept")).to_have_text(words.EDITOR["unkept"])
    assert own_titles(here.page) == ["The fox"]


def test_what_others_put_under_a_storys_name_is_passed_over(studio, browser_log):
    here = studio().open()
    junk = {"arlon-story-x": "no json", "arlon-story-y": json.dumps([1]), "arlon-draft-z": "{"}
    here.page.evaluate("junk => Object.entries(junk).forEach(each => localStorage.setItem(...each))", junk)
    here.page.reload()
    browser_log.errors.clear()  # gradio's page that is left may complain of its broken connection
    here.open()
    assert own_titles(here.page) == []
    assert browser_log.errors == []
