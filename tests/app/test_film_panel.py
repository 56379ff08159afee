"""The film panel in Chromium: choices, an upload, an export, and a download with the frames it said."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app import words
from app.studio import build_studio, launch_options
from arlon_core.media.clips import count_frames
from tests.app.fake_engine import FakeEngine
from tests.app.studio_desk import Bench, open_bench
from tests.media.sounds import read_sound, tone, write_wav

STORY = "title: The fox\n\n[2s] A fox sits.\n[2.5s] It runs.\n[2s] Night falls.\n"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield stack.enter_context(open_bench(tmp_path, FakeEngine()))


@pytest.fixture
def url(bench: Bench, serve: Callable[..., str]) -> str:
    return serve(build_studio(bench.desk), **launch_options(bench.desk.projects))


def open_panel(page: Page, url: str) -> Page:
    page.goto(url)
    expect(page.locator(".model p")).to_have_attribute("data-state", "ready")
    expect(page.locator("#story-choice option").first).to_be_attached()
    page.click("#film-panel > button")
    expect(page.locator("#export")).to_be_visible()
    return page


def pick(page: Page, name: str, choice: str) -> None:
    """Choose from one of the panel's lists."""
    page.click(f"#{name} input")
    page.get_by_role("option", name=choice, exact=True).click()


def test_a_crossfade_is_said_exported_and_downloaded_to_the_frame(
    page: Page, url: str, tmp_path: Path, browser_log
):
    open_panel(page, url)
    page.click("#tab-text")
    page.fill("#story-text", STORY)
    length = page.locator("#length p")
    expect(length).to_have_text(words.length_to_be("6.5 s, 78 frames"))
    page.click("#export")
    expect(page.locator("#film-notice p")).to_have_text(words.NOTHING_TO_EXPORT)
    page.click("#render")
    expect(page.locator(".headline")).to_have_text(words.DONE["render"])
    pick(page, "join", words.JOINS["crossfade"])
    expect(length).to_contain_text("two crossfades of 0.5 s shorten it by 1 s")
    page.fill("#join-seconds input", "0.25")
    expect(length).to_contain_text("two crossfades of 0.25 s")
    page.set_input_files("#sound-row input[type=file]", write_wav(tmp_path / "sea.wav", tone(0.5)))
    expect(page.locator("#sound")).to_contain_text("sea")
    frames = int(re.search(r"(\d+) frames", length.inner_text())[1])
    assert frames == 78 - 2 * 3
    expect(page.locator("#cancel-export")).to_be_disabled()
    page.click("#export")
    expect(page.locator("#exported p")).to_have_text(words.exported("6 s, 72 frames"))
    with page.expect_download() as download:
        page.click("#export-links a")
    assert download.value.suggested_filename == "the-fox.mp4"
    download.value.save_as(tmp_path / "film.mp4")
    assert count_frames(tmp_path / "film.mp4") == frames
    assert abs(len(read_sound(tmp_path / "film.mp4")[1]) / 48_000 - 6) < 0.05
    assert browser_log.errors == []


def test_a_page_that_comes_back_finds_its_choices_and_its_export(page: Page, url: str):
    open_panel(page, url)
    page.click("#tab-text")
    page.fill("#story-text", STORY)
    page.click("#render")
    expect(page.locator(".headline")).to_have_text(words.DONE["render"])
    pick(page, "captions", words.CAPTIONS["vtt"])
    pick(page, "join", words.JOINS["fade"])
    expect(page.locator("#length p")).to_contain_text("two fades through black")
    page.click("#export")
    page.goto("about:blank")
    open_panel(page, url)
    expect(page.locator("#exported p")).to_have_text(words.exported("6.5 s, 78 frames"))
    expect(page.locator("#export-links a")).to_have_text(["Download .mp4", "Download .vtt"])
    expect(page.locator("#join input")).to_have_value(words.JOINS["fade"])
    expect(page.locator("#captions input")).to_have_value(words.CAPTIONS["vtt"])
    page.select_option("#story-choice", "new")
    expect(page.locator("#join input")).to_have_value(words.JOINS["cut"])
    expect(page.locator("#exported p")).to_have_text("")


def test_the_open_panel_is_reached_beside_a_long_story(page: Page, url: str):
    """The stage stays in view while the story scrolls, but not when it is taller than a screen itself."""
    open_panel(page, url)
    page.click("#tab-text")
    page.fill("#story-text", "[2s] A fox sits.\n" * 120)
    position = "() => getComputedStyle(document.querySelector('#stage-panel')).position"
    assert page.evaluate(position) == "static"
    page.locator("#export").scroll_into_view_if_needed()
    assert page.evaluate("() => window.scrollY") < 900, "it stands right below the stage"
    page.click("#film-panel > button")
    assert page.evaluate(position) == "sticky"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_open_panel_fits_a_phone(new_page, url: str, scheme: str):
    phone = open_panel(new_page(width=390, height=844, color_scheme=scheme, has_touch=True), url)
    wide = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert phone.evaluate(wide) == 0
    for name in ("join", "join-seconds", "captions", "format", "sound", "length", "export", "cancel-export"):
        expect(phone.locator(f"#{name}")).to_be_visible()
        box = phone.locator(f"#{name}").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
