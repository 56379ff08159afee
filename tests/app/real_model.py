"""Which model the page's tests run on, in one place: the shipped one when it is complete, else a tiny one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.handlers.planning import plan_story, read_grid
from arlon_core.generation.model_folder import NEEDS, check_model_folder, missing_components
from arlon_core.generation.plan import Plan
from arlon_core.story import Segment, Story

SHIPPED = Path(__file__).parents[2] / "assets" / "models" / "storyworld"


@dataclass(frozen=True)
class RealModel:
    """A complete pipeline folder, and how much of it makes a render that lasts for some seconds.

    steps: of denoising. seconds: of each segment.
    """

    folder: Path
    steps: int
    seconds: float

    def plan(self, prompts: Sequence[str]) -> Plan:
        """Of a story of these prompts."""
        grid = read_grid(str(self.folder))
        assert grid is not None
        return plan_story(Story(tuple(Segment(prompt, self.seconds) for prompt in prompts)), grid)


def is_complete(folder: Path) -> bool:
    """Whether a model folder can make animatics and films."""
    index = check_model_folder(folder)
    return not any(missing_components(index, kind) for kind in NEEDS)


def choose_model(tiny: Path) -> RealModel:
    """tiny: a complete folder of the preset `tiny`, whose steps take a few milliseconds each."""
    return RealModel(SHIPPED, 8, 1.5) if is_complete(SHIPPED) else RealModel(tiny, 200, 2.5)
