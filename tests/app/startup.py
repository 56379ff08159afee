"""Measures how soon the page is there: `python -m tests.app.startup [--runs N]`.

From the start of `python app.py`, with the shipped model loading behind it, until a browser that is open
already shows the story: the median of N runs, and all of them.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser

from tests import browser as browsers
from tests.app.studio_process import StudioProcess


def measure(browser: Browser, folder: Path) -> tuple[float, float]:
    """Seconds from the start of the process until it listens, and until the story is seen."""
    page = browsers.new_page(browser, browsers.BrowserLog())
    started = time.perf_counter()
    studio = StudioProcess(folder)
    try:
        studio.wait()
        listens = time.perf_counter() - started
        page.goto(studio.url, wait_until="commit")
        page.wait_for_selector(".story-cards li")
        return listens, time.perf_counter() - started
    finally:
        studio.kill()
        page.context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how soon the page is there.")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="(%(default)s)")
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder, browsers.open_chromium() as browser:
        times = [measure(browser, Path(folder)) for _ in range(runs)]
    for name, seconds in zip(("listens", "story seen"), zip(*times, strict=True), strict=True):
        each = ", ".join(f"{second:.1f}" for second in seconds)
        print(f"{name}: median {statistics.median(seconds):.1f} s ({each})")


if __name__ == "__main__":
    main()
