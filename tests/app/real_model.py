"""The shipped model, and how much of it makes a render that lasts for some seconds on two cores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app.handlers.planning import plan_story, read_grid
from arlon_core.generation.plan import Plan
from arlon_core.story import Segment, Story

SHIPPED = Path(__file__).parents[2] / "assets" / "models" / "storyworld"
STEPS = 2  # of denoising
SECONDS = 1.5  # of each segment


def plan_of(prompts: Sequence[str]) -> Plan:
    """Of a story of these prompts."""
    grid = read_grid(str(SHIPPED))
    assert grid is not None
    return plan_story(Story(tuple(Segment(prompt, SECONDS) for prompt in prompts)), grid)
