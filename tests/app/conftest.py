"""Fixtures of the page's tests: a real Chromium, pages in it, and a running gradio app."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, Page

from tests import browser as browsers

if TYPE_CHECKING:
    from tests.app.player_stage import Stage
    from tests.app.studio_desk import Bench
    from tests.app.studio_page import Studio


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that opens a page is a slow one: there are hundreds, and each takes a second or more."""
    for item in items:
        if "new_page" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The one Chromium of the test run. Missing, it fails the test: a page nobody opened is not tested."""
    missing = None
    try:
        browsers.find_chromium()
    except browsers.ChromiumMissingError as error:
        missing = str(error)
    if missing:
        pytest.fail(missing, pytrace=False)
    with browsers.open_chromium() as browser:
        yield browser


@pytest.fixture
def browser_log() -> browsers.BrowserLog:
    """Requests and errors of all pages of this test: `browser_log.requests`, `.outside`, `.errors`."""
    return browsers.BrowserLog()


@pytest.fixture
def new_page(chromium: Browser, browser_log: browsers.BrowserLog) -> Iterator[Callable[..., Page]]:
    """Makes pages, each a browser of its own: `new_page(width=390, height=844, init_script=...)`.

    At the end every test that opened a page states: no request left the machine.
    """
    with ExitStack() as stack:

        def make(**options: Any) -> Page:
            page = browsers.new_page(chromium, browser_log, **options)
            stack.callback(page.context.close)
            return page

        yield make
    assert browser_log.outside == [], "requests left the machine"


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """One page, 1440 x 900."""
    return new_page()


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Launches gradio apps: `url = serve(demo, allowed_paths=[...])`; closed at the end."""
    with ExitStack() as stack:

        def launch(demo: Any, **options: Any) -> str:
            options = {
                "server_name": "127.0.0.1",
                "quiet": True,
                "ssr_mode": False,
                "_frontend": False,
                **options,
            }
            _, url, _ = demo.launch(prevent_thread_lock=True, **options)
            stack.callback(demo.close, verbose=False)
            return url

        yield launch


@pytest.fixture
def stage(tmp_path: Path, page: Page, serve: Callable[..., str]) -> Stage:
    """An open page with an empty film player on it."""
    from tests.app.player_stage import Stage

    stage = Stage(tmp_path)
    return stage.open(page, serve(stage.app(), allowed_paths=[str(tmp_path)]))


@pytest.fixture
def new_bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Makes benches: `new_bench(StepDone=4)` holds the engine after the fourth step."""
    from app.handlers.planning import UNKNOWN, Reader
    from tests.app.fake_engine import FakeEngine
    from tests.app.studio_desk import open_bench

    with ExitStack() as stack:

        def make(reader: Reader = UNKNOWN, fails: str = "", **gates: int) -> Bench:
            semaphores = {name: threading.Semaphore(count) for name, count in gates.items()}
            engine = FakeEngine(gates=semaphores, fails=fails)
            return stack.enter_context(open_bench(tmp_path, engine, reader))

        yield make


@pytest.fixture
def studio(new_bench: Callable[..., Bench], page: Page, serve: Callable[..., str]) -> Callable[..., Studio]:
    """Makes studios, with what `new_bench` takes."""
    from app.studio import build_studio, launch_options
    from tests.app.studio_page import Studio

    def make(**options: Any) -> Studio:
        bench = new_bench(**options)
        url = serve(build_studio(bench.desk), **launch_options(bench.desk.projects))
        return Studio(bench, page, url)

    return make
