"""Laws of the journal: what was appended is read in order, and a torn line costs nothing but itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arlon_core.errors import ProjectError
from arlon_core.store import Journal, environment_record
from arlon_core.story import parse_story, story_to_json

# A machine that is busy with something else is no failure.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_records_come_back_in_order(tmp_path: Path):
    journal = Journal(tmp_path / "journal.jsonl")
    assert journal.read() == []
    story = story_to_json(parse_story("title: é\nA fox\u2028runs."))
    journal.append("story", story=story)
    journal.append("environment", **environment_record("cpu", "bfloat16", 2))
    journal.append("event", event="ChunkReady", segment=0)
    assert [line["record"] for line in Journal(journal.path).read()] == ["story", "environment", "event"]
    assert journal.read("story")[0]["story"] == story
    environment = journal.read("environment")[0]
    assert (environment["device"], environment["dtype"], environment["threads"]) == ("cpu", "bfloat16", 2)
    assert environment["libraries"]["numpy"]


@patient
@given(st.integers(0, 200))
def test_a_line_torn_anywhere_is_passed_over(tmp_path_factory: pytest.TempPathFactory, kept: int):
    path = tmp_path_factory.mktemp("journal") / "journal.jsonl"
    journal = Journal(path)
    journal.append("event", number=1)
    first = path.read_bytes()
    journal.append("event", number=2, text="snow \u2744 falls")
    whole = path.read_bytes()
    cut = min(len(first) + kept, len(whole))
    path.write_bytes(whole[:cut])
    journal.append("event", number=3)
    numbers = [line["number"] for line in journal.read()]
    assert numbers == ([1, 2, 3] if cut >= len(whole) - 1 else [1, 3])
    assert path.read_bytes().startswith(whole[:cut])


def test_lines_that_are_no_records_are_passed_over(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'[1]\n{"a": 1}\n\xff\xfe\n\n{"record": 5}\n{"record": "event"}\n')
    assert Journal(path).read() == [{"record": "event"}]


def test_no_path_keeps_nothing():
    journal = Journal(None)
    journal.append("event")
    assert journal.read() == []


def test_a_place_that_cannot_be_written(tmp_path: Path):
    with pytest.raises(ProjectError, match=r"the journal .* cannot be written"):
        Journal(tmp_path).append("event")
    with pytest.raises(ProjectError, match=r"the journal .* cannot be read"):
        Journal(tmp_path).read()
