"""Examples, and project ids that are no way into other folders."""

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
