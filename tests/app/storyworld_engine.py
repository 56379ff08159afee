"""An engine whose films are Storyworld's own drawings: for pictures of the page while no model is complete.

What it shows is what a model is trained to make, not what one made. It knows one story, the example
`balloon`, as the attributes that its prompts name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from app.handlers.planning import Grid, plan_story
from arlon_core.generation import events as ev
from arlon_core.generation.plan import Plan
from arlon_core.jobs import JobRequest
from arlon_core.media.segment_writer import SegmentWriter
from arlon_core.world.export import pictures
from arlon_core.world.renderer import StoryworldRenderer
from arlon_core.world.script import Script, ScriptSegment
from arlon_core.world.vocabulary import Attributes
from tests.app.fake_engine import FakeEngine

STORY = "balloon"
GRID = Grid(fps=12, max_new=12, overlap=4)
SEED = 4
OPENING = Attributes(
    subject="balloon",
    colour="red",
    place="meadow",
    time_of_day="dawn",
    weather="clear",
    action="rise",
    camera="still",
)
CHANGES: tuple[dict[str, str], ...] = (
    {},
    {"time_of_day": "day", "place": "sea", "action": "right"},
    {"second_subject": "white bird", "action": "right"},
    {"time_of_day": "dusk", "action": "sink"},
    {"time_of_day": "night", "weather": "snow", "action": "still"},
    {"place": "mountains", "action": "away", "camera": "zoom out"},
)


@dataclass
class StoryworldEngine(FakeEngine):
    """As FakeEngine, with drawings. height, width: of the film; the animatic is half as large."""

    steps: int = 8
    name = "storyworld"
    height, width = 256, 448

    def _events(self, request: JobRequest) -> Iterator[ev.Event]:
        plan = plan_story(request.story, GRID)
        request.project.mkdir(parents=True, exist_ok=True)
        yield ev.Planned(plan)
        for segment in plan.segments:
            yield ev.TokensReady(segment.index)
        film = draw(plan)
        small = halved(film)
        for segment in plan.segments:
            frames = small[segment.first_frame : segment.stop_frame]
            path = write(request.project / f"small{segment.index}.mp4", frames)
            yield ev.AnimaticReady(segment.index, frames, path)
        yield ev.AnimaticReady(None, path=write(request.project / "animatic.mp4", small))
        if request.kind == "animatic":
            yield ev.FilmReady(request.project / "animatic.mp4")
            return
        yield from self._chunks(plan, film, small, request.project)
        report = {"seconds_of_video": plan.seconds, "frames": plan.frames}
        yield ev.FilmReady(write(request.project / "film.mp4", film), report)

    def _chunks(self, plan: Plan, film: np.ndarray, small: np.ndarray, folder: Path) -> Iterator[ev.Event]:
        for chunk in plan.chunks:
            segment = plan.segments[chunk.segment]
            first, stop = max(0, 4 * chunk.start - 3), min(4 * chunk.stop - 3, plan.frames)
            shown = small[np.linspace(first, stop - 1, 4).astype(int)]
            for step in range(1, self.steps + 1):
                yield ev.StepDone(chunk.segment, chunk.index, step, self.steps, shown)
            yield ev.ChunkReady(chunk.segment, chunk.index)
            if chunk is segment.chunks[-1]:
                frames = film[segment.first_frame : segment.stop_frame]
                path = write(folder / f"clip{segment.index}.mp4", frames)
                yield ev.SegmentReady(segment.index, path, segment.frames, frame_hash=str(segment.index))


def halved(film: np.ndarray) -> np.ndarray:
    """Half as high and wide: each pixel the mean of four."""
    frames, height, width, _ = film.shape
    blocks = film.reshape(frames, height // 2, 2, width // 2, 2, 3)
    return blocks.mean((2, 4), dtype=np.float32).round().astype(np.uint8)


@cache
def draw(plan: Plan) -> np.ndarray:
    """The film of the one story, uint8 [F, H, W, 3]."""
    attributes, segments = OPENING, []
    for segment, change in zip(plan.segments, CHANGES, strict=True):
        attributes = replace(attributes, **change)
        segments.append(ScriptSegment(segment.first_frame, segment.stop_frame, attributes, "", False))
    script = Script(SEED, plan.frames, tuple(segments))
    return pictures(StoryworldRenderer(), script, 0, plan.frames)


def write(path: Path, frames: np.ndarray) -> Path:
    with SegmentWriter(path, GRID.fps) as writer:
        writer.write(np.ascontiguousarray(frames))
    return path
