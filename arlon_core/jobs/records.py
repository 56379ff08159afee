"""What a job is: the request, its state, and a snapshot of both. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from arlon_core.errors import ArlonError
from arlon_core.story import Story, story_from_json, story_to_json

KINDS = ("animatic", "render")


@dataclass(frozen=True)
class JobRequest:
    """What to make of a story.

    kind: "animatic" (small pictures of the whole story) or "render" (the film). project: the folder that
    keeps results and journal. steps, guidance, chunk (new latent frames a chunk): instead of the model's own;
    an animatic has no use for them. Raises ArlonError for another kind.
    """

    kind: str
    story: Story
    project: Path
    steps: int | None = None
    guidance: float | None = None
    chunk: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ArlonError(f'"{self.kind}" is no kind of job; ask for {" or ".join(KINDS)}.')
        object.__setattr__(self, "project", Path(self.project))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from_dict` is the inverse."""
        return {
            "kind": self.kind,
            "story": story_to_json(self.story),
            "project": str(self.project),
            "steps": self.steps,
            "guidance": self.guidance,
            "chunk": self.chunk,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> JobRequest:
        """A request from parsed JSON. Raises ArlonError (StoryError is one) naming what is wrong."""
        known = ("kind", "story", "project", "steps", "guidance", "chunk")
        unknown = [key for key in values if key not in known]
        missing = [key for key in known[:3] if key not in values]
        if unknown or missing:
            what = f'an unknown "{unknown[0]}"' if unknown else f'no "{missing[0]}"'
            raise ArlonError(f"the job has {what}; give {', '.join(known)}.")
        guidance = values.get("guidance")
        if not isinstance(values["project"], str) or not values["project"]:
            raise ArlonError("the job's project is no path; give the path of its folder.")
        if guidance is not None and (isinstance(guidance, bool) or not isinstance(guidance, (int, float))):
            raise ArlonError(f"the job's guidance {guidance!r} is no number; give one, or null.")
        story = story_from_json(values["story"], "the job's story")
        steps, chunk = (_whole(values, name) for name in ("steps", "chunk"))
        return cls(values["kind"], story, Path(values["project"]), steps, guidance, chunk)


def _whole(values: Mapping[str, Any], name: str) -> int | None:
    number = values.get(name)
    if number is not None and (isinstance(number, bool) or not isinstance(number, int)):
        raise ArlonError(f"the job's {name}: {number!r} is no whole number; give one, or null.")
    return number


class JobState(StrEnum):
    """queued -> running -> done, failed or cancelled; a queued job can be cancelled, too."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True)
class JobStatus:
    """A job at one moment.

    position: how many jobs come before it; 0 when it runs or has ended. message: one sentence when it failed
    or was cancelled. submitted, started, ended: seconds since the epoch.
    """

    id: str
    request: JobRequest
    state: JobState
    position: int
    message: str
    submitted: float
    started: float | None
    ended: float | None
