"""Where films are kept, and that only old projects go."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from app import keeping
from app.handlers.library import new_project_id
from app.keeping import DAY, default_days, default_projects, prune, pruning


def project(projects: Path, days: float, title: str = "The fox") -> Path:
    """A project that was last rendered in some days ago."""
    folder = projects / new_project_id(title)
    (folder / "artefacts").mkdir(parents=True)
    (folder / "journal.jsonl").write_text("{}\n")
    age(folder, days)
    return folder


def age(folder: Path, days: float) -> None:
    then = time.time() - days * DAY
    for path in (folder / "journal.jsonl", folder):
        os.utime(path, (then, then))


def test_elsewhere_films_are_kept_here_and_for_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert default_projects() == Path("projects")
    assert default_days() is None


def test_a_space_keeps_them_in_its_storage_where_it_has_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SPACE_ID", "someone/studio")
    monkeypatch.setattr(keeping, "STORAGE", tmp_path / "data")
    assert default_projects() == Path("projects")
    (tmp_path / "data").mkdir()
    assert default_projects() == tmp_path / "data" / "projects"
    monkeypatch.setattr(keeping.os, "access", lambda path, mode: False)
    assert default_projects() == Path("projects")
    assert default_days() == keeping.SPACE_DAYS


def test_only_what_is_old_and_a_project_goes(tmp_path: Path):
    old, new, worked_in = project(tmp_path, 8), project(tmp_path, 6), project(tmp_path, 8)
    os.utime(worked_in / "journal.jsonl")
    foreign = tmp_path / "my-holiday"
    foreign.mkdir()
    (foreign / "journal.jsonl").touch()
    age(foreign, 99)
    linked = tmp_path / new_project_id("linked")
    linked.symlink_to(foreign)
    assert prune(tmp_path, time.time() - 7 * DAY) == [old.name]
    assert sorted(tmp_path.iterdir()) == sorted([new, worked_in, foreign, linked])
    assert prune(tmp_path / "not there yet", time.time()) == []


def test_it_is_done_at_the_start_and_stops_at_the_end(tmp_path: Path):
    old = project(tmp_path, 8)
    with pruning(tmp_path, 7):
        while old.exists():
            time.sleep(0.01)
    assert "arlon-prune" not in {thread.name for thread in threading.enumerate()}


def test_without_a_number_of_days_nothing_ever_goes(tmp_path: Path):
    old = project(tmp_path, 9999)
    with pruning(tmp_path, None):
        pass
    assert old.exists()
