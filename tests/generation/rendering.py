"""Renders of one short story on a tiny pipeline, and what its events tell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from arlon_core.generation.events import Event, SegmentReady, StepDone
from arlon_core.generation.render import render
from arlon_core.story import Segment, Story

STORY = Story(
    (
        Segment("A red balloon rises over green hills at dawn.", 1.5),
        Segment("Then night falls and it begins to snow.", 0.8),
        Segment("A blue fox walks left through a snowy forest at night.", 0.6),
    ),
    seed=5,
)


def hashes(events: Iterator[Event]) -> list[str]:
    """The frame hash of each segment."""
    return [event.frame_hash for event in events if isinstance(event, SegmentReady)]


def film(pipe, story: Story, project: Path | None = None, **options) -> Iterator[Event]:
    return render(pipe, story, project, with_animatic=False, **options)


def steps(events: list[Event]) -> list[StepDone]:
    return [event for event in events if isinstance(event, StepDone)]
