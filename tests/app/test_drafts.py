"""What was typed and the server never heard of: it waits in the browser for its own story."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from app import words
from tests.app.studio_page import STORY, hold_events, hold_typing, open_settings

DRAFTS = "Object.keys(localStorage).filter(key => key.startsWith('arlon-draft-')).length"


@pytest.mark.parametrize("view", ["text", "cards"])
def test_what_was_typed_while_the_connection_was_down_is_there_after_the_reload(studio, view):
    """gradio drops the events and loads the page again by itself."""
    here = studio().begin(view=view)
    here.page.route("**/gradio_api/**", lambda route: route.abort())
    if view == "text":
        typed = STORY + "[2x half"
        here.page.fill("#story-text", typed)
    else:
        typed = STORY.replace("sits", "hops")
        here.page.locator(".story-cards .prompt").first.fill("A fox hops.")
    expect(here.page.get_by_text("Connection to the server was lost")).to_be_visible()
    with here.page.expect_navigation():
        here.page.unroute_all()
    expect(here.page.locator("#story-text")).to_have_value(typed)
    expect(here.page.locator(f"#tab-{view}")).to_have_attribute("aria-selected", "true")
    here.until(lambda: here.page.evaluate(DRAFTS) == 0)  # the server has answered
    here.page.reload()
    expect(here.page.locator("#story-text")).to_have_value(typed)


def test_a_draft_follows_an_example_that_has_become_ones_own_story(studio):
    """The answer to the first key made it one; the second key was never heard of."""
    here = studio().open()
    typed = hold_typing(here.page)
    here.write("[1s] A fox sits")
    here.until(lambda: typed)
    here.page.locator("#story-text").press("End")
    here.page.keyboard.type("!")
    here.page.wait_for_timeout(300)
    typed[0].continue_()
    here.until(lambda: len(typed) == 2)
    with here.page.expect_navigation():
        typed[1].abort()
        here.page.unroute_all()
    expect(here.page.locator("#story-text")).to_have_value("[1s] A fox sits!")


@pytest.mark.parametrize("view", ["text", "cards"])
@pytest.mark.parametrize("way", ["chosen", "imported"])
def test_keys_on_their_way_are_kept_with_the_story_that_is_left(studio, view, way):
    """Another story is opened before the server hears of the last keys; what is late changes neither."""
    here = studio().begin(view=view)
    typed = hold_typing(here.page)
    area = here.page.locator("#story-text" if view == "text" else ".story-cards .prompt >> nth=0")
    area.fill(STORY.replace("sits", "naps") if view == "text" else "A fox naps.")
    here.until(lambda: typed)
    area.fill(STORY.replace("sits", "hops") if view == "text" else "A fox hops.")
    if way == "chosen":
        here.page.select_option("#story-choice", "example:kite")
    else:
        kite = {"name": "kite.txt", "mimeType": "text/plain", "buffer": b"[1s] A kite flies.\n"}
        here.page.set_input_files("input[type=file]", kite)
    here.until(lambda: "kite" in here.prompts()[0])
    other = here.text()
    typed[0].continue_()
    here.page.unroute_all()
    here.page.wait_for_timeout(500)
    assert here.text() == other
    here.page.reload()
    expect(here.page.locator("#story-text")).to_have_value(other)
    here.page.select_option("#story-choice", label="The fox")
    expect(here.page.locator("#story-text")).to_have_value(STORY.replace("sits", "hops"))
    here.until(lambda: here.page.evaluate(DRAFTS) == 0)


def test_keys_typed_while_another_story_is_on_its_way_wait_for_their_own(studio):
    here = studio().begin()
    opening = hold_events(here.page)
    here.page.select_option("#story-choice", "example:kite")
    here.until(lambda: opening)
    here.page.fill("#story-text", STORY + "# more")
    opening[0].continue_()
    here.page.unroute_all()
    here.until(lambda: "kite" in here.prompts()[0])
    kite = here.text()
    here.page.wait_for_timeout(300)
    assert here.text() == kite
    here.page.select_option("#story-choice", label="The fox")
    here.until(lambda: here.text() == STORY + "# more")
    here.until(lambda: here.page.evaluate(DRAFTS) == 0)


def test_a_setting_on_its_way_is_kept_with_the_story_that_is_left(studio):
    here = studio().begin()
    held = hold_events(here.page, ',"4","",""]')  # the settings after the first key
    open_settings(here.page)
    steps = here.page.get_by_label(words.SETTING["steps"])
    steps.press_sequentially("4")
    here.until(lambda: held)
    steps.press_sequentially("0")
    here.page.select_option("#story-choice", "example:kite")
    expect(steps).to_have_value("")
    held[0].continue_()
    here.page.unroute_all()
    here.page.wait_for_timeout(500)
    here.page.select_option("#story-choice", label="The fox")
    expect(steps).to_have_value("40")
