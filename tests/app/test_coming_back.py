"""A page in Chromium that comes back, also to a server that was started again: the film and its settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from app import words
from app.handlers.filming import choose
from app.handlers.settings import SETTINGS
from app.studio import build_studio, launch_options
from tests.app.fake_engine import FakeEngine
from tests.app.studio_desk import open_bench
from tests.app.studio_page import open_settings

KEPT = "() => JSON.stringify(Object.entries(localStorage).filter(([key]) => key.startsWith('arlon-story-')))"
TEXT = "title: The fox\n\n[1s] A fox sits.\n[1.5s] It runs.\n"


def visit(page: Page, url: str) -> None:
    """Open the page and its settings, once the browser's own story is there."""
    page.goto(url)
    expect(page.locator("#story-text")).to_be_editable()
    open_settings(page)


def test_a_film_and_its_settings_come_back_with_page_and_server(
    page: Page, serve: Callable[..., str], tmp_path: Path, browser_log
):
    steps, guidance, chunk = (page.get_by_label(words.SETTING[name]) for name in SETTINGS)
    rendered = page.locator(".film-timeline [data-state=done]")
    with open_bench(tmp_path, FakeEngine()) as bench:
        studio = build_studio(bench.desk)
        url = serve(studio, **launch_options(bench.desk.projects))
        visit(page, url)
        page.click("#tab-text")
        page.fill("#story-text", TEXT)
        expect(page.locator(".story-summary")).to_contain_text("2.5 s")
        steps.press_sequentially("4")
        chunk.press_sequentially("6")
        page.click("#render")
        expect(page.locator(".headline")).to_have_text(words.DONE["render"])
        visit(page, url)
        expect(steps).to_have_value("4")
        kept = page.evaluate(KEPT)
        guidance.press_sequentially("2")
        page.wait_for_function(f"kept => ({KEPT})() !== kept", arg=kept)
        visit(page, url)
        expect(guidance).to_have_value("2")
        expect(chunk).to_have_value("6")
        expect(chunk).to_be_editable()
        page.select_option("#story-choice", "example:kite")
        expect(steps).to_have_value("")
        page.select_option("#story-choice", label="The fox")
        expect(steps).to_have_value("4")
        choose(bench.desk, bench.desk.jobs.jobs()[0].request.project.name, None, "cut", None, "srt", 1.0)
        page.click("#render")
        captions = page.locator("#film-links a.subtitles")
        expect(captions).to_have_text(words.DOWNLOAD["subtitles"])
        studio.close(verbose=False)
    with open_bench(tmp_path, FakeEngine()) as bench:
        port = urlsplit(url).port  # the browser keeps things by address
        serve(build_studio(bench.desk), server_port=port, **launch_options(bench.desk.projects))
        visit(page, url)
        expect(page.locator(".headline")).to_have_text(words.DONE["render"])
        expect(page.locator("#film .film-status")).to_have_text("2.5 s, complete")
        expect(rendered).to_have_count(2)
        for kind, name in (("film", "the-fox.mp4"), ("subtitles", "the-fox.srt")):
            with page.expect_download() as download:
                page.click(f"#film-links a.{kind}")
            assert download.value.suggested_filename == name
        page.click("#render")
        bench.until(bench.desk.jobs.jobs, "the render is asked for")
        (job,) = bench.desk.jobs.jobs()
        assert (job.request.steps, job.request.guidance, job.request.chunk) == (4, 2.0, 6)
    assert browser_log.errors == []
