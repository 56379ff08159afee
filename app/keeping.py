"""Where the films of a server are kept, and for how long."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.handlers.library import is_project_id

logger = logging.getLogger(__name__)

DAY = 24 * 3600.0  # seconds
SPACE_DAYS = 7  # how long a public Space keeps what nobody touches (our choice)
STORAGE = Path("/data")  # where a Space mounts storage that survives a restart


def default_projects() -> Path:
    """`projects` in this folder; on a Space that has storage which survives a restart, there."""
    if on_space() and STORAGE.is_dir() and os.access(STORAGE, os.W_OK | os.X_OK):
        return STORAGE / "projects"
    return Path("projects")


def default_days() -> int | None:
    """How many days an untouched project is kept: for ever, but on a Space, which is open to everyone."""
    return SPACE_DAYS if on_space() else None


def on_space() -> bool:
    """Whether this is a Hugging Face Space."""
    return bool(os.environ.get("SPACE_ID"))


@contextmanager
def pruning(projects: Path, days: int | None) -> Iterator[None]:
    """Within, projects that were not touched for `days` days are removed: now, and every day. None: never."""
    if days is None:
        yield
        return
    seconds, ended = days * DAY, threading.Event()

    def daily() -> None:
        while not ended.is_set():
            prune(projects, time.time() - seconds)
            ended.wait(DAY)

    thread = threading.Thread(target=daily, name="arlon-prune", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def prune(projects: Path, before: float) -> list[str]:
    """Remove the projects that were last rendered in before a time, in seconds since the epoch; their ids.

    Only folders that are named as the studio names projects; anything else there is not ours.
    """
    removed = []
    folders = sorted(projects.iterdir()) if projects.is_dir() else []
    for folder in folders:
        if is_project_id(folder.name) and not folder.is_symlink() and _touched(folder) < before:
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(folder.name)
    if removed:
        logger.info("removed %d projects that nobody touched: %s", len(removed), ", ".join(removed))
    return removed


def _touched(folder: Path) -> float:
    """When a project was last rendered in: every render writes into its journal."""
    times = [0.0]
    for path in (folder, folder / "journal.jsonl"):
        with suppress(OSError):
            times.append(path.stat().st_mtime)
    return max(times)
