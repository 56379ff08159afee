"""The timeline under the film: a block a segment, with what already stands of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.handlers.desk import Job
from arlon_core.story import Story


def timeline_value(
    story: Story, plan: Any, *, running: Job | None, film: Job | None, animatic: Job | None
) -> dict[str, Any]:
    """The blocks of a story by its plan (handlers.planning, as JSON values), empty while there is none.

    A picture or clip of a segment holds as long as nothing up to that segment was changed: the frames of a
    segment depend on nothing after it. So an edit shows at once which segments it touches.
    """
    rows = plan.get("segments") if isinstance(plan, Mapping) else None
    if not isinstance(rows, list) or len(rows) != len(story.segments):
        return {"segments": [], "seconds": 0.0, "frames": None, "chunks": None, "fps": None}
    drawn, rendered = _unchanged(story, animatic), _unchanged(story, film)
    at = _running_segment(story, running)
    blocks = []
    for index, (row, segment) in enumerate(zip(rows, story.segments, strict=True)):
        thumb = animatic.view.thumbs.get(index) if animatic is not None and index < drawn else None
        if film is not None and index < rendered and index in film.view.segments:
            state, thumb = "done", film.view.thumbs.get(index, thumb)
        else:
            state = "rendering" if index == at else "sketched" if thumb else "idle"
        times = {"start": float(row["start"]), "stop": float(row["stop"])}
        blocks.append({**times, "prompt": segment.prompt, "state": state, "thumb": thumb})
    return {"segments": blocks, **{key: plan.get(key) for key in ("seconds", "frames", "chunks", "fps")}}


def _unchanged(story: Story, job: Job | None) -> int:
    """How many segments from the start are what the job was asked for."""
    if job is None or job.story.style != story.style:
        return 0
    count = 0
    for index, (mine, theirs) in enumerate(zip(story.segments, job.story.segments, strict=False)):
        same_seed = story.segment_seed(index) == job.story.segment_seed(index)
        if (mine.prompt, mine.seconds) != (theirs.prompt, theirs.seconds) or not same_seed:
            break
        count += 1
    return count


def _running_segment(story: Story, job: Job | None) -> int | None:
    if job is None or not job.active or job.story != story or job.view.stage != "film":
        return None
    return None if job.view.step is None else job.view.step.segment
