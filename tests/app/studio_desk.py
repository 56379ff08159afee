"""A desk with a fake engine, for tests of the page's handlers and of the page itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.assets import ASSETS
from app.handlers.desk import Desk
from app.handlers.library import read_examples
from app.handlers.planning import UNKNOWN, Reader
from app.handlers.watching import Watcher
from arlon_core.jobs import JobQueue
from tests.app.fake_engine import GRID, FakeEngine

PATIENCE = 60.0  # seconds; a shared machine can stand still for a while


@dataclass
class Bench:
    """A desk, the engine behind it, and a way to wait for what it shows."""

    desk: Desk
    engine: FakeEngine

    def until(self, true: Callable[[], object], what: str = "") -> None:
        """Wait until `true()` holds; fails with `what` when it never does."""
        end = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < end, f"never came true: {what or true}"
            time.sleep(0.01)


@contextmanager
def open_bench(folder: Path, engine: FakeEngine, reader: Reader = UNKNOWN) -> Iterator[Bench]:
    """A bench whose projects lie in `folder`; its jobs are cancelled at the end."""
    jobs = JobQueue(engine)
    examples = read_examples(ASSETS / "stories")
    try:
        desk = Desk(jobs, engine, folder / "projects", GRID, examples, Watcher(jobs), reader=reader)
        yield Bench(desk, engine)
    finally:
        jobs.close()
