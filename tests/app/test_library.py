"""Stories a browser remembers: found again, bounded, and no way into other folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.handlers import library
from arlon_core.errors import ProjectError

ZEROS = "0" * 16
EXAMPLES = library.read_examples(Path(__file__).parents[2] / "assets" / "stories")


def test_examples_are_there_and_the_balloon_comes_first():
    assert EXAMPLES[0].title == "The balloon at the edge of the sea"
    assert len(EXAMPLES) >= 6


def test_a_file_that_is_no_story_is_passed_over(tmp_path: Path):
    (tmp_path / "bad.txt").write_text("[4x] one")
    (tmp_path / "good.txt").write_text("[4s] one")
    assert [each.id for each in library.read_examples(tmp_path)] == ["good"]


@pytest.mark.parametrize("title", ["The Balloon!", "", "Ägypten — 日本", "a" * 300, "..", "-"])
def test_project_ids_are_unlike_and_make_folders_below_projects(title: str, tmp_path: Path):
    first, second = library.new_project_id(title), library.new_project_id(title)
    assert first != second
    assert library.project_folder(tmp_path, first).parent == tmp_path


@pytest.mark.parametrize(
    "project",
    [
        "",
        "..",
        f"../x-{ZEROS}",
        "/etc",
        "x",
        f"a/b-{ZEROS}",
        None,
        3,
        f"x-{ZEROS}\n",
        f"-{ZEROS}",
        "x-00000000",
    ],
)
def test_an_id_that_is_none_is_refused(project: object, tmp_path: Path):
    with pytest.raises(ProjectError, match="reload"):
        library.project_folder(tmp_path, project)


def test_a_shelf_keeps_half_typed_stories_and_is_bounded():
    shelf: library.Shelf = {}
    for number in range(library.MAX_STORIES + 5):
        shelf = library.remember(shelf, f"story-{number:016x}", f"[4s] Story {number}.", now=float(number))
    assert len(shelf) == library.MAX_STORIES
    assert f"story-{0:016x}" not in shelf
    shelf = library.remember(shelf, "story-000000000000000a", "[4x] Story 10, half", now=99.0)
    assert shelf["story-000000000000000a"]["text"] == "[4x] Story 10, half"
    assert shelf["story-000000000000000a"]["title"] == "Story 10."
    assert library.choices(shelf, EXAMPLES)["mine"][0]["id"] == "story-000000000000000a"


def test_an_untouched_example_is_found_again_and_listed_once():
    shelf = library.remember({}, "balloon-0000000000000001", EXAMPLES[0].text, now=1.0)
    assert library.find_text(shelf, EXAMPLES[0].text) == "balloon-0000000000000001"
    listed = library.choices(shelf, EXAMPLES)
    assert listed["mine"] == []
    assert listed["examples"][0]["id"] == EXAMPLES[0].id


@pytest.mark.parametrize(
    "value", [None, [], "x", {"a": 1}, {"x-0000000000000000": {"text": 3}}, {"../": {"text": ""}}]
)
def test_what_a_browser_kept_is_checked(value: object):
    assert library.shelf_of(value) == {}


def test_a_kept_shelf_is_read_back():
    shelf = library.remember({}, "balloon-0000000000000001", EXAMPLES[0].text, now=1.0)
    assert library.shelf_of(shelf) == shelf
    del shelf["balloon-0000000000000001"]["steps"]  # as before it kept the settings
    assert library.shelf_of(shelf)["balloon-0000000000000001"]["steps"] == ""
