"""A project as a render leaves it, written without a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from arlon_core.generation.events import SegmentReady, event_record
from arlon_core.media.segment_writer import SegmentWriter
from arlon_core.store import Store
from arlon_core.story import Segment, Story, format_story

FPS = 12


def story_of(*prompts: str, title: str = "The fox") -> Story:
    return Story(tuple(Segment(prompt, 2.0) for prompt in prompts), title=title)


def write_rendered(
    project: Path, story: Story, frames: int = 24, *, until: int | None = None, salt: str = ""
) -> list[Path]:
    """Clips of `frames` frames and the journal of one render. until: it stopped after so many segments."""
    store = Store(project)
    count = len(story.segments)
    store.journal.append("story", text=format_story(story), settings={"model": "none", "steps": 2})
    borders = [[index * frames, (index + 1) * frames] for index in range(count)]
    store.journal.append("plan", fps=FPS, segments=borders)
    paths = []
    for index in range(count if until is None else until):
        path = store.file_path("clip", f"{index:02}{salt}abcdef", ".mp4")
        with SegmentWriter(path, FPS) as writer:
            writer.write(np.full((frames, 64, 112, 3), 40 + 50 * index % 200, np.uint8))
        store.journal.append("event", event=event_record(SegmentReady(index, path, frames, f"{index}")))
        paths.append(path)
    return paths
