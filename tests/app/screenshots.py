"""Makes the pictures of the page in docs/: `python -m tests.app.screenshots [--all FOLDER]`.

On the shipped model. --all writes every state of the page there too, to be looked at.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from app import words
from app.handlers.desk import open_desk
from app.studio import build_studio, launch_options
from arlon_core.jobs import JobQueue, ModelEngine
from tests import browser as browsers
from tests.app.real_model import SHIPPED

STORY = "balloon"
DOCS = Path(__file__).parents[2] / "docs"
PATIENCE = 600_000  # milliseconds
MID_RENDER = "Rendering segment 4 of 6"


@dataclass
class Set:
    """A studio to be photographed."""

    url: str
    browser: Browser

    def page(self, width: int, height: int, scheme: str = "light") -> Page:
        page = browsers.new_page(
            self.browser,
            browsers.BrowserLog(),
            width=width,
            height=height,
            color_scheme=scheme,
            has_touch=width < 600,
            patience=PATIENCE,
        )
        page.goto(self.url)
        expect(page.locator("#story-choice option").first).to_be_attached()
        expect(page.locator(".model p")).not_to_have_attribute("data-state", "loading")
        page.select_option("#story-choice", f"example:{STORY}")
        return page


@contextmanager
def open_set() -> Iterator[Set]:
    """The studio on the shipped model."""
    engine = ModelEngine(str(SHIPPED))
    jobs = JobQueue(engine)
    with tempfile.TemporaryDirectory() as folder, browsers.open_chromium() as browser:
        desk = open_desk(jobs, engine, str(SHIPPED), Path(folder))
        page = build_studio(desk)
        options = {"server_name": "127.0.0.1", "quiet": True, "prevent_thread_lock": True}
        _, url, _ = page.launch(**options, **launch_options(desk.projects))
        try:
            yield Set(url, browser)
        finally:
            page.close(verbose=False)
            jobs.close()


def seek(page: Page, segment: int) -> None:
    """Click a block of the timeline and wait for its pictures."""
    page.locator("#film-timeline button").nth(segment).click()
    page.wait_for_function("""() => [...document.querySelectorAll('.film-player video')].some(
        video => video.offsetParent && !video.seeking && video.readyState >= 2)""")


def picture(page: Page, path: Path) -> None:
    """A PNG of the window's upper end."""
    page.evaluate("window.scrollTo(0, 0)")
    page.mouse.move(0, 0)
    page.wait_for_timeout(1500)  # images and transitions
    page.screenshot(path=path)
    # Without the lowest bit of each colour, which nobody sees and a video makes costly.
    Image.open(path).convert("RGB").point(lambda value: value & 0xFE).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size // 1024} KB")


def make_docs(here: Set, folder: Path) -> None:
    """The pictures of docs/."""
    page = here.page(1440, 900)
    page.click("#render")
    expect(page.locator(".headline")).to_have_text(MID_RENDER)
    seek(page, 2)
    picture(page, folder / "studio-1440.png")
    page.set_viewport_size({"width": 390, "height": 844})
    picture(page, folder / "studio-390.png")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="dark")
    expect(page.locator(".headline")).to_have_text(words.DONE["render"])
    seek(page, 4)
    picture(page, folder / "studio-dark.png")
    page.context.close()


def make_others(here: Set, folder: Path) -> None:
    """Every other state of the page, to be looked at."""
    for width, height in ((1440, 900), (390, 844)):
        page = here.page(width, height)
        picture(page, folder / f"first-{width}.png")
        page.click("#make-animatic")
        expect(page.locator(".headline")).to_have_text(words.DONE["animatic"])
        seek(page, 3)
        picture(page, folder / f"animatic-{width}.png")
        page.click("#tab-text")
        page.locator("#story-text").evaluate("area => area.setSelectionRange(40, 40)")
        page.locator("#story-text").press_sequentially("\n[4x] oops\n")
        page.wait_for_timeout(1000)
        page.click("#render")
        picture(page, folder / f"problem-{width}.png")
        page.set_viewport_size({"width": width, "height": 420})
        picture(page, folder / f"low-{width}.png")
        page.context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the pictures of the page.")
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="write all states of the page there")
    folder = parser.parse_args().all
    with open_set() as here:
        if folder is None:
            make_docs(here, DOCS)
            return
        folder.mkdir(parents=True, exist_ok=True)
        make_docs(here, folder)
        make_others(here, folder)


if __name__ == "__main__":
    main()
