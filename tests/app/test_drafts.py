"""What was typed and the server never heard of: it waits in the browser for its own story."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Route, expect

from tests.app.studio_page import PATIENCE, STORY

DRAFT = "localStorage.getItem('arlon-draft')"


@pytest.mark.parametrize("view", ["text", "cards"])
def test_what_was_typed_while_the_connection_was_down_is_there_after_the_reload(studio, view):
    """gradio drops the events and loads the page again by itself."""
    here = studio()
    here.open()
    here.write(STORY)
    here.until(lambda: here.prompts()[0] == "A fox sits.")
    here.page.click(f"#tab-{view}")
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
    expect(here.page.locator("#story-text")).to_have_value(typed, timeout=PATIENCE)
    expect(here.page.locator(f"#tab-{view}")).to_have_attribute("aria-selected", "true")
    here.until(lambda: here.page.evaluate(DRAFT) is None)  # the server has answered
    here.page.reload()
    expect(here.page.locator("#story-text")).to_have_value(typed, timeout=PATIENCE)


def test_a_draft_follows_an_example_that_has_become_ones_own_story(studio):
    """The answer to the first key made it one; the second key was never heard of."""
    here = studio()
    here.open()
    typed = []

    def hold(route: Route) -> None:
        of_typing = '"event_data":{"rev"' in (route.request.post_data or "").replace(" ", "")
        typed.append(route) if of_typing else route.continue_()

    here.page.route("**/gradio_api/run/**", hold)
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
    expect(here.page.locator("#story-text")).to_have_value("[1s] A fox sits!", timeout=PATIENCE)


def test_a_draft_comes_back_into_its_own_story_only(studio):
    here = studio()
    here.open()
    here.write(STORY)
    here.until(lambda: here.prompts()[0] == "A fox sits.")
    fox = here.page.input_value("#story-choice")
    here.page.select_option("#story-choice", "example:kite")
    here.until(lambda: "kite" in here.prompts()[0])
    kite, draft = here.text(), {"chosen": fox, "from": "text", "text": STORY + "# more", "sheet": {}}
    here.page.evaluate("draft => localStorage.setItem('arlon-draft', draft)", json.dumps(draft))
    here.open()
    here.page.wait_for_timeout(500)
    assert here.text() == kite
    here.page.select_option("#story-choice", label="The fox")
    here.until(lambda: here.text() == STORY + "# more")
    here.until(lambda: here.page.evaluate(DRAFT) is None)
