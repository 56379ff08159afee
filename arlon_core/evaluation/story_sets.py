"""The sets of stories on which films are measured (no torch)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from arlon_core.evaluation.held_out import HeldOutStory
from arlon_core.evaluation.long_stories import LONG_STORIES, kind_of_story, long_story
from arlon_core.evaluation.test_set import (
    SELECTION_STORIES,
    TEST_STORIES,
    benchmark_story,
    selection_story,
)


@dataclass(frozen=True)
class StorySet:
    """Stories that are measured together."""

    name: str
    count: int
    story: Callable[[int, int], HeldOutStory]  # number, frames a second
    folder: str = ""  # below that of all films, measures and reports
    kind: Callable[[int], str] | None = None  # what kind of story a number is, where there are several
    judge: str = "judge_report"  # which of the two reads its films

    def __str__(self) -> str:
        return f"the {self.name} set"


TEST_SET = StorySet("test", TEST_STORIES, benchmark_story)
LONG_SET = StorySet("long", LONG_STORIES, long_story, "long", kind_of_story)
SELECTION_SET = StorySet("selection", SELECTION_STORIES, selection_story, "selection", judge="judge")
STORY_SETS = {each.name: each for each in (TEST_SET, LONG_SET, SELECTION_SET)}
