"""A real Chromium for tests and for the pictures in docs/: found, started, and every request written down."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

# The first is Chromium without windows, which opens a page in half the time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--autoplay-policy=no-user-gesture-required",
)
MISSING = "Chromium is missing: install it with `apt-get install -y chromium`, or name its path in CHROMIUM."
HERE = {"127.0.0.1", "localhost", "::1"}
PATIENCE = 60_000  # milliseconds until what was waited for fails: on a busy machine nothing is quick
INTERNAL = {"data", "blob", "about", "chrome-error"}  # schemes that never reach the network


class ChromiumMissingError(Exception):
    """No Chromium on this machine; the sentence says how to get one."""


def find_chromium() -> str:
    """Path of the Chromium to drive: $CHROMIUM, or the first of NAMES. Raises ChromiumMissingError."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None or not os.access(found, os.X_OK):
        raise ChromiumMissingError(MISSING)
    return found


@contextmanager
def open_chromium(*arguments: str) -> Iterator[Browser]:
    """A headless Chromium, closed at the end. arguments: switches beyond ARGUMENTS.

    Raises ChromiumMissingError. Only one may be open in a process: Playwright's own rule.
    """
    path = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *arguments])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class BrowserLog:
    """What the pages of one test did: every request's URL, every error in a console or script."""

    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def outside(self) -> list[str]:
        """Requests that were meant to leave the machine."""
        return [url for url in self.requests if not is_local(url)]

    def watch(self, context: BrowserContext) -> None:
        """Write down what happens in all pages of a context, also those opened later."""
        context.on("request", lambda request: self.requests.append(request.url))
        context.on("console", self._note_console)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)


def is_local(url: str) -> bool:
    """Whether a URL stays on this machine."""
    parts = urlsplit(url)
    return parts.scheme in INTERNAL or parts.hostname in HERE


def new_page(
    browser: Browser,
    log: BrowserLog,
    *,
    width: int = 1440,
    height: int = 900,
    init_script: str | None = None,
    patience: int = PATIENCE,
    **context: Any,
) -> Page:
    """A page in a context of its own (cookies, local storage); close it with ``page.context.close()``.

    width, height: the window in CSS pixels. init_script: JavaScript that runs before the page's own.
    patience: for what is done on the page and expected of it, in milliseconds. context: what else
    `Browser.new_context` takes.
    """
    opened = browser.new_context(viewport={"width": width, "height": height}, **context)
    opened.set_default_timeout(patience)
    expect.set_options(timeout=patience)  # Playwright keeps it for all pages: that of the last one holds
    log.watch(opened)
    if init_script:
        opened.add_init_script(init_script)
    return opened.new_page()
