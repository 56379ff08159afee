"""What the cards tell below their prompts, in Chromium: what the film will show, and words never seen."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from app import words
from app.handlers.planning import Reader
from tests.app.studio_page import STORY

STORYWORLD = Reader(of_storyworld=True)
BALLOON = "[1s] A red balloon rises over green hills at dawn.\n[1s] Night falls.\n[1s] It snows.\n"
RISES_AND_SNOW = (
    "rises over green hills at dawn.",
    "rises over green hills at night.",
    "rises over green hills at night in the snow.",
)


def test_a_card_tells_of_words_that_the_model_has_never_seen_once_they_are_typed(studio):
    known = frozenset(("red", "kite", "rises", "sea", "dawn", "whale", "runs", "night", "falls"))
    text = STORY.replace("A fox sits.", "A red kite rises over the sea at dawn.")
    here = studio(reader=Reader(known)).begin(text, view="cards")
    hints = here.page.locator(".card-hint")
    here.until(lambda: len(here.prompts()) == 3 and hints.all_inner_texts() == ["", "", ""])
    prompt = here.page.locator(".story-cards .prompt").nth(1)
    prompt.fill("A red wale runs.")
    here.until(lambda: "A red wale runs." in here.text())
    here.page.wait_for_timeout(300)
    assert hints.all_inner_texts() == ["", "", ""], "not while it is typed"
    prompt.blur()
    expect(hints.nth(1)).to_have_text('The model has never seen "wale" (near: whale).')
    prompt.fill("A red whale runs.")
    expect(hints.nth(1)).to_have_text("")


def test_a_card_tells_what_the_film_will_show_as_the_story_is_written(studio):
    here = studio(reader=STORYWORLD).begin(BALLOON, view="cards")
    shows = here.page.locator(".card-shows")
    expect(shows).to_have_text([f"Shows: A red hot-air balloon {rest}" for rest in RISES_AND_SNOW])
    prompts, cards = here.page.locator(".story-cards .prompt"), here.page.locator(".story-cards li")
    prompts.nth(1).press_sequentially(" A white owl joins.")
    expect(shows.nth(1)).to_have_text(re.compile("at night, with a white owl beside it"))
    expect(shows.nth(2)).to_have_text(re.compile("in the snow, with a white owl beside it"))
    expect(prompts.nth(1)).to_have_accessible_description(shows.nth(1).inner_text())
    cards.nth(2).hover()
    cards.nth(2).get_by_role("button", name=words.EDITOR["up"]).click()
    expect(shows.nth(1)).to_have_text(re.compile(r"at dawn in the snow\.$"))
    prompts.nth(0).fill("A balloon flies.")
    expect(shows.nth(0)).to_have_text(re.compile("^Shows: .* The prompt leaves some of this open.$"))
    here.page.get_by_label(words.EDITOR["style"]).fill("over snowy peaks")
    expect(shows.nth(0)).to_have_text(re.compile("over the mountains"))
    drawn = shows.nth(0).inner_text()
    here.page.locator(".story-head .seed input").fill("3")
    expect(shows.nth(0)).not_to_have_text(drawn)


def test_an_unfinished_story_leaves_what_was_told_at_its_cards(studio):
    here = studio(reader=STORYWORLD).begin(BALLOON, view="cards")
    shows, prompts = here.page.locator(".card-shows"), here.page.locator(".story-cards .prompt")
    first, second, third = (f"Shows: A red hot-air balloon {rest}" for rest in RISES_AND_SNOW)
    expect(shows).to_have_text([first, second, third])
    prompts.nth(0).press("Enter")
    expect(here.page.locator(".story-problem")).to_contain_text("no prompt")
    prompts.nth(3).focus()
    expect(shows).to_have_text([first, "", second, third])
    prompts.nth(1).fill("Rain")
    expect(shows.nth(1)).to_have_text(first.replace("dawn.", "dawn in the rain."))
    here.write("[4x] A dragon")
    expect(here.page.locator(".story-problem")).to_contain_text("line 1")
    expect(shows.nth(0)).to_have_text(first)


def test_a_model_of_another_world_has_nothing_told_of_it(studio):
    here = studio().begin(BALLOON, view="cards")
    shows = here.page.locator(".card-shows")
    here.until(lambda: len(here.prompts()) == 3 and shows.all_inner_texts() == ["", "", ""])
    expect(shows.first).to_be_hidden()
