"""The page itself in Chromium, with an engine that can be held anywhere: what people do, what they see."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from app import words
from app.handlers.planning import Reader
from tests.app.studio_page import STORY, hold_events, kept_texts, open_settings


def test_a_story_is_there_and_no_script_fails(studio, browser_log):
    here = studio().open()
    assert here.prompts()[0] == "A red hot-air balloon rises over green hills at dawn."
    expect(here.page.locator(".story-summary")).to_have_text("30.0 s · 360 frames at 12 a second · 11 chunks")
    assert here.page.locator(".story-cards .times").first.inner_text() == "0:00.0 – 0:04.1"
    assert browser_log.errors == []


def test_text_and_cards_follow_each_other_key_by_key(studio):
    here = studio().begin()
    assert here.page.input_value(".story-title") == "The fox"
    here.page.click("#tab-cards")
    second = here.page.locator(".story-cards li").nth(1)
    second.locator(".prompt").press_sequentially(" Fast!", delay=30)
    second.locator(".seconds").fill("2.5")
    here.until(lambda: "# then\n[2.5s seed=11] It runs. Fast!\n[1s] Night" in here.text())
    expect(second.locator(".times")).to_have_text(re.compile(r"– 0:03\.8"))


def test_nothing_can_be_typed_before_the_browsers_own_story_is_there(studio):
    """It comes a moment after the page, and would take the place of what was typed until then."""
    here = studio().begin()
    here.page.route("**/gradio_api/run/**", lambda route: route.abort())
    here.page.route("**/gradio_api/queue/join**", lambda route: route.abort())
    here.page.goto(here.url)
    text = here.page.locator("#story-text")
    expect(text).to_be_attached()
    assert text.evaluate("area => area.readOnly")
    assert here.page.locator(".story-cards").evaluate("list => list.inert")
    here.page.unroute_all()
    here.page.goto(here.url)
    expect(text).to_have_value(STORY)
    assert not text.evaluate("area => area.readOnly")


def test_the_other_view_waits_until_it_shows_what_was_typed(studio):
    """An edit of cards that do not show the new text yet would undo it, and the other way round."""
    here = studio().open()
    held = (
        "() => [document.querySelector('.story-cards').inert, document.querySelector('#story-text').readOnly]"
    )
    here.page.context.set_offline(True)  # no answer comes
    here.write(STORY)
    assert here.page.evaluate(held) == [True, False]
    here.page.context.set_offline(False)
    here.page.locator("#story-text").press_sequentially("# more")
    here.until(lambda: here.prompts()[0] == "A fox sits.")
    here.until(lambda: here.page.evaluate(held) == [False, False])  # the last letters are answered, too
    here.page.click("#tab-cards")
    here.page.context.set_offline(True)
    here.page.locator(".story-cards .prompt").first.press("!")
    assert here.page.evaluate(held) == [False, True]
    here.page.context.set_offline(False)
    here.page.locator(".story-cards .prompt").first.press("!")
    here.until(lambda: (here.text().count("# more"), here.text().count("!")) == (1, 2))
    assert here.page.evaluate(held) == [False, False]


def test_typing_in_the_middle_keeps_the_cursor_and_every_key(studio):
    """Keys come faster than answers; each answer is older than what was typed since, and none may undo it."""
    here = studio().open()
    here.page.click("#tab-text")
    area = here.page.locator("#story-text")
    area.fill(STORY)
    area.evaluate("area => area.setSelectionRange(area.value.indexOf('sits'), area.value.indexOf('sits'))")
    typed = "slowly and with great dignity "
    area.press_sequentially(typed, delay=25)
    assert here.text() == STORY.replace("sits", typed + "sits")
    assert area.evaluate("area => area.selectionStart") == STORY.index("sits") + len(typed)
    prompt = here.page.locator(".story-cards .prompt").first
    here.until(lambda: here.prompts()[0] == f"A fox {typed}sits.")
    here.page.click("#tab-cards")
    prompt.evaluate("area => { area.focus(); area.setSelectionRange(2, 2); }")
    here.page.keyboard.type("red  ", delay=25)
    here.page.wait_for_timeout(600)
    assert here.prompts()[0] == f"A red  fox {typed}sits.", "spaces stay as typed"
    assert prompt.evaluate("area => area.selectionStart") == 7
    assert f"] A red fox {typed}sits.\n" in here.text()


def test_a_bad_line_is_one_sentence_and_the_cards_wait_with_the_last_good_story(studio):
    here = studio().begin()
    here.write(STORY.replace("[1s] A fox", "[1q] A fox"))
    problem = here.page.locator(".story-problem")
    expect(problem).to_contain_text("line 4")
    assert here.prompts()[0] == "A fox sits."
    here.page.click("#render")
    expect(here.page.locator(".notice p")).to_contain_text("line 4")
    assert here.bench.desk.jobs.jobs() == []
    here.page.get_by_role("button", name="Go to line 4").click()
    selected = "area => area.value.slice(area.selectionStart, area.selectionEnd)"
    assert here.page.eval_on_selector("#story-text", selected) == "[1q] A fox sits."
    here.page.keyboard.type("A fox hops.")
    expect(problem).to_be_hidden()
    here.until(lambda: here.prompts()[0] == "A fox hops.")


def test_cards_are_added_moved_removed_and_brought_back(studio):
    here = studio().begin(view="cards")
    cards = here.page.locator(".story-cards li")
    cards.nth(1).hover()
    cards.nth(1).get_by_role("button", name=words.EDITOR["up"]).click()
    here.until(lambda: here.text().index("It runs") < here.text().index("A fox"))
    assert here.text().index("# then") < here.text().index("It runs"), "a comment goes along"
    cards.nth(2).hover()
    cards.nth(2).get_by_role("button", name=words.EDITOR["remove"]).click()
    here.until(lambda: "Night falls" not in here.text())
    here.page.get_by_role("button", name=words.EDITOR["undo"]).click()
    here.until(lambda: here.text().endswith("[1s] Night falls.\n"))
    cards.nth(2).locator(".prompt").press("Enter")
    expect(cards).to_have_count(4)
    expect(here.page.locator(".story-problem")).to_contain_text("no prompt")
    here.page.keyboard.type("Dawn breaks.")
    here.until(lambda: here.text().endswith("[1s] Night falls.\n[4s] Dawn breaks.\n"))
    expect(here.page.locator(".story-problem")).to_be_hidden()


def test_removed_cards_come_back_one_by_one_each_at_its_place(studio):
    here = studio().begin(view="cards")
    cards = here.page.locator(".story-cards li")
    for index in (1, 0):
        cards.nth(index).hover()
        cards.nth(index).get_by_role("button", name=words.EDITOR["remove"]).click()
    undo = here.page.get_by_role("button", name=words.EDITOR["undo"])
    undo.click()
    assert here.prompts() == ["A fox sits.", "Night falls."]
    here.page.keyboard.press("Enter")
    assert here.prompts() == ["A fox sits.", "It runs.", "Night falls."]
    expect(undo).to_have_count(0)
    here.until(lambda: here.text() == STORY)


def test_an_empty_card_that_goes_leaves_the_offer_to_bring_the_one_before_back(studio):
    here = studio().begin(view="cards")
    cards = here.page.locator(".story-cards li")
    cards.nth(0).locator(".prompt").press("Enter")
    expect(cards).to_have_count(4)
    cards.nth(0).hover()
    cards.nth(0).get_by_role("button", name=words.EDITOR["remove"]).click()
    cards.nth(0).locator(".prompt").press("Backspace")
    expect(cards).to_have_count(2)
    here.page.get_by_role("button", name=words.EDITOR["undo"]).click()
    assert here.prompts() == ["A fox sits.", "It runs.", "Night falls."]


def test_a_film_grows_is_watched_by_two_tabs_and_found_again_after_a_reload(studio, new_page):
    here = studio(StepDone=4).begin()
    here.page.click("#render")
    headline, detail = here.page.locator(".headline"), here.page.locator(".progress-display .detail")
    expect(detail).to_have_text("chunk 2 of 3 · step 1 of 3")
    expect(headline).to_have_text("Rendering segment 2 of 3")
    expect(here.page.locator("#film .film-status")).to_have_text(re.compile(r"of 3\.5 s rendered"))
    expect(here.page.locator(".progress-display img")).to_be_visible()
    here.page.reload()
    here.open()
    expect(detail).to_have_text("chunk 2 of 3 · step 1 of 3")
    second = here.tab().page
    expect(second.locator(".headline")).to_have_text("Rendering segment 2 of 3")
    second.close()
    for _ in range(5):
        here.bench.engine.gates["StepDone"].release()
    expect(headline).to_have_text(words.DONE["render"])
    expect(here.page.locator("#film .film-status")).to_have_text("3.5 s, complete")
    with here.page.expect_download() as download:
        here.page.click("text=" + words.DOWNLOAD["film"])
    assert download.value.suggested_filename == "the-fox.mp4"


def test_one_player_is_seen_at_a_time_whatever_arrives(studio):
    here = studio().begin()
    here.page.click("#make-animatic")
    expect(here.page.locator(".headline")).to_have_text(words.DONE["animatic"])
    expect(here.page.locator("#animatic video")).to_be_visible()
    expect(here.page.locator("#film")).to_be_hidden()
    here.page.click("#render")
    expect(here.page.locator(".headline")).to_have_text(words.DONE["render"])
    expect(here.page.locator("#film video")).to_be_visible()
    expect(here.page.locator("#animatic")).to_be_hidden()


def test_ctrl_enter_renders_what_is_typed_and_adds_no_card(studio):
    here = studio(Planned=0).open()
    here.write("[1s] A fox sits.")
    here.page.click("#tab-cards")
    expect(here.page.locator(".story-cards li")).to_have_count(1)
    here.page.locator(".story-cards .prompt").press_sequentially(" Fast!")
    here.page.keyboard.press("Control+Enter")
    here.until(lambda: here.bench.desk.jobs.jobs())
    request = here.bench.desk.jobs.jobs()[0].request
    assert (request.kind, request.story.segments[0].prompt) == ("render", "A fox sits. Fast!")
    expect(here.page.locator(".story-cards li")).to_have_count(1)


def test_settings_that_are_visited_and_left_empty_are_the_models_own(studio):
    here = studio(Planned=0).open()
    open_settings(here.page)
    here.page.get_by_label(words.SETTING["steps"]).click()
    for _ in range(3):
        here.page.keyboard.press("Tab")
    here.page.click("#render")
    here.until(lambda: here.bench.desk.jobs.jobs())
    request = here.bench.desk.jobs.jobs()[0].request
    assert (request.steps, request.guidance) == (None, None)


def test_a_render_goes_on_while_no_page_looks(studio, new_page):
    here = studio(StepDone=1).begin()
    here.page.click("#render")
    expect(here.page.locator(".progress-display .detail")).to_contain_text("step 1")
    here.page.goto("about:blank")
    for _ in range(8):
        here.bench.engine.gates["StepDone"].release()
    here.until(lambda: here.bench.desk.jobs.jobs()[0].state.ended)
    here.open()
    expect(here.page.locator(".headline")).to_have_text(words.DONE["render"])


def test_cancel_stops_and_says_that_nothing_is_lost(studio):
    here = studio(StepDone=4).begin()
    expect(here.page.locator("#cancel")).to_be_disabled()
    here.page.click("#render")
    expect(here.page.locator("#cancel")).to_be_enabled()
    here.page.click("#cancel")
    expect(here.page.locator(".headline")).to_have_text(words.CANCELLED["render"])
    expect(here.page.locator(".progress-display .detail")).to_have_text(words.CANCELLED_DETAIL)
    expect(here.page.locator("#cancel")).to_be_disabled()


def test_of_two_stories_asked_for_at_once_the_later_one_comes(studio):
    """Gradio drops an event while it works on one of its kind, so the page asks until it sees the answer."""
    here = studio().begin()
    held = hold_events(here.page)
    here.page.select_option("#story-choice", "example:kite")
    here.until(lambda: held)
    here.page.select_option("#story-choice", "example:whale")
    for route in held:
        route.continue_()
    here.page.unroute_all()
    here.until(lambda: "whale" in here.prompts()[0])
    assert STORY in kept_texts(here.page)


def test_stories_are_opened_saved_and_imported(studio, tmp_path: Path):
    here = studio().begin()
    saved = {}
    for form in ("txt", "json"):
        with here.page.expect_download() as download:
            here.page.get_by_role("button", name=f"Save .{form}").click()
        saved[form] = tmp_path / download.value.suggested_filename
        download.value.save_as(saved[form])
    assert saved["txt"].name == "the-fox.txt"
    assert saved["txt"].read_text() == STORY
    assert json.loads(saved["json"].read_text())["segments"][1]["seed"] == 11
    here.page.select_option("#story-choice", "example:kite")
    here.until(lambda: "kite" in here.prompts()[0])
    here.page.select_option("#story-choice", label="The fox")
    here.until(lambda: here.text() == STORY)
    here.page.select_option("#story-choice", "new")
    here.until(lambda: "paper plane" in here.prompts()[0])
    here.page.set_input_files("input[type=file]", saved["json"])
    here.until(lambda: here.prompts()[0] == "A fox sits.")
    (tmp_path / "bad.txt").write_text("[4x] one")
    here.page.set_input_files("input[type=file]", tmp_path / "bad.txt")
    expect(here.page.locator(".story-problem")).to_contain_text("bad.txt, line 1")
    assert here.prompts()[0] == "A fox sits."


def test_a_reload_brings_half_typed_text_back(studio):
    here = studio().open()
    here.write("[1s] One.\n[2x half")
    expect(here.page.locator(".story-problem")).to_contain_text("line 2")
    here.page.reload()
    expect(here.page.locator("#story-text")).to_have_value("[1s] One.\n[2x half")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_sticks_out_on_a_phone(studio, new_page, scheme):
    here = studio(reader=Reader(of_storyworld=True))
    phone = here.open(new_page(width=390, height=844, color_scheme=scheme, has_touch=True)).page
    wide = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert phone.evaluate(wide) == 0
    cut = "lines => lines.map(line => line.scrollWidth > line.clientWidth || !line.offsetHeight)"
    assert phone.eval_on_selector_all(".card-shows", cut) == [False] * len(here.prompts())
    phone.click("#tab-text")
    assert phone.evaluate(wide) == 0
    for name in (words.ANIMATIC, words.RENDER, words.CANCEL):
        expect(phone.get_by_role("button", name=name, exact=True)).to_be_in_viewport()


def test_the_page_is_as_wide_whatever_the_story_is(studio):
    here = studio().open()
    width = here.page.locator("#desk").bounding_box()["width"]
    here.write("[1s] A.\n")
    here.until(lambda: here.prompts() == ["A."])
    assert here.page.locator("#desk").bounding_box()["width"] == width
    here.page.click("#tab-cards")
    assert here.page.locator("#desk").bounding_box()["width"] == width


def test_prompts_are_as_tall_as_their_text_at_every_width_also_where_css_cannot_say_so(
    studio, new_page, browser_log
):
    """Safari's way, before it knew field-sizing."""
    old = "CSS.supports = () => false; addEventListener('error', event => console.error(event.message))"
    here = studio().open(new_page(init_script=old))
    apart = """() => Math.max(...[...document.querySelectorAll('.story-cards .prompt')].map(area => {
        const height = area.offsetHeight;
        area.style.height = 'auto';
        const needed = area.scrollHeight;
        area.style.height = `${height}px`;
        return Math.abs(height - needed);
    }))"""
    for width in (1440, 390, 1000):
        here.page.set_viewport_size({"width": width, "height": 900})
        here.until(lambda: here.page.evaluate(apart) <= 2)
    assert browser_log.errors == []


def test_words_of_a_story_are_never_taken_for_html_or_scripts(studio, browser_log):
    here = studio().open()
    evil = "<img src=x onerror=window.evil=1> ${window.evil=1} {{evil}} `window.evil=1`"
    here.write(f"title: {evil}\n\n[1s] {evil}\n")
    here.until(lambda: here.prompts() == [evil])
    here.page.click("#animatic-button, #make-animatic")
    expect(here.page.locator(".headline")).to_have_text(words.DONE["animatic"])
    assert here.page.evaluate("window.evil") is None
    assert browser_log.errors == []
