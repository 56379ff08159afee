"""What a project's journal tells of each start of the engine: what was asked, what came to be. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from arlon_core.errors import ArlonError
from arlon_core.generation.events import (
    AnimaticReady,
    ChunkReady,
    Event,
    FilmReady,
    SegmentReady,
    TokensReady,
)
from arlon_core.generation.plan import Plan, chunk_passes, make_plan
from arlon_core.store.journal import Journal
from arlon_core.story import Story, parse_story

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Run:
    """One start of the engine. kind: "animatic" or "render", "" where the journal does not say.

    number: its place among the project's runs. at: when it began, in seconds since the epoch. settings: as in
    the film's metadata. chunk: new latent frames of the longest chunk. borders: frames of each segment.
    events: those that the journal keeps, in order; their files as they lie in the project now. `animatic.mp4`
    is told by the run that wrote it last alone.
    """

    number: int
    at: float
    story: Story
    kind: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    fps: int = 0
    chunk: int | None = None
    borders: tuple[Any, ...] = ()
    events: tuple[Event, ...] = ()

    @property
    def clips(self) -> dict[int, SegmentReady]:
        """The clips of segments, by index."""
        return {event.segment: event for event in self.events if isinstance(event, SegmentReady)}

    @property
    def missing(self) -> list[int]:
        """Segments without a clip."""
        clips = self.clips
        return [index for index in range(len(self.borders)) if index not in clips]

    @property
    def whole(self) -> bool:
        """Whether there are clips of all segments."""
        return bool(self.clips) and not self.missing

    @property
    def ready(self) -> FilmReady | None:
        """The end of a render."""
        ends = [event for event in self.events if isinstance(event, FilmReady)]
        return ends[-1] if ends else None

    @property
    def animatic(self) -> Path | None:
        """The small pictures as one file."""
        whole = [event for event in self.events if isinstance(event, AnimaticReady) and event.segment is None]
        return whole[-1].path if whole else None

    @property
    def request(self) -> tuple[Any, ...]:
        """What was asked for."""
        return self.kind, self.story, self.settings, self.chunk

    @property
    def passes(self) -> int:
        """Of the diffusion transformer, for each chunk; 1 where the journal does not say."""
        steps, guidance = self.settings.get("steps"), self.settings.get("guidance_scale", 1)
        return chunk_passes(steps, guidance) if isinstance(steps, int) else 1

    def plan(self) -> Plan | None:
        """The plan it worked by; None where the journal does not tell enough."""
        seconds = [segment.seconds for segment in self.story.segments]
        longest = {} if self.chunk is None else {"max_new": self.chunk}
        try:
            return make_plan(seconds, self.fps, **longest)
        except (ArlonError, ValueError):
            return None


def read_runs(project: Path) -> tuple[Run, ...]:
    """The runs of a project, oldest first; records that no run of ours writes are passed over.

    Raises ProjectError when the journal cannot be read.
    """
    runs: list[Run] = []
    for record in Journal(project / "journal.jsonl").read():
        try:
            if record["record"] == "story":
                settings = dict(record.get("settings") or {})
                story = parse_story(record["text"])
                at = datetime.fromisoformat(record["at"]).timestamp()
                runs.append(Run(len(runs), at, story, str(record.get("kind", "")), settings))
            elif runs and record["record"] == "plan":
                chunk = None if record.get("chunk") is None else int(record["chunk"])
                fps, borders = int(record["fps"]), tuple(record["segments"])
                runs[-1] = replace(runs[-1], fps=fps, chunk=chunk, borders=borders)
            elif runs and record["record"] == "event":
                events = (*runs[-1].events, *_events(record["event"], project))
                runs[-1] = replace(runs[-1], events=events)
        except (ArlonError, KeyError, TypeError, ValueError):
            continue
    last = max((run.number for run in runs if run.animatic is not None), default=None)
    return tuple(run if run.number == last else _without_animatic(run) for run in runs)


def last_whole(runs: Sequence[Run]) -> Run | None:
    """The last run that has clips of all segments."""
    return next((run for run in reversed(runs) if run.whole), None)


def unfinished(runs: Sequence[Run]) -> Run | None:
    """The last render, unless it came to its end."""
    last = next((run for run in reversed(runs) if run.kind == "render"), None)
    return None if last is None or last.ready is not None else last


def gathered(run: Run, runs: Sequence[Run]) -> Run:
    """The run with what earlier ones made of the very same request, which it may not have come to."""
    made: dict[tuple[Any, ...], Event] = {}
    for each in runs[: run.number]:
        if each.request == run.request:
            made |= {_about(event): event for event in each.events if not isinstance(event, FilmReady)}
    made |= {_about(event): event for event in run.events}
    return replace(run, events=tuple(made.values()))


def _about(event: Event) -> tuple[Any, ...]:
    return (type(event), getattr(event, "segment", None), getattr(event, "chunk", None))


def _without_animatic(run: Run) -> Run:
    """The run without the file of small pictures, which a later one wrote anew."""
    whole = (AnimaticReady, None, None)
    return replace(run, events=tuple(event for event in run.events if _about(event) != whole))


def _events(record: Record, project: Path) -> list[Event]:
    """The event of a journal's record; none for a kind that says nothing of what stands."""
    match record["event"]:
        case "TokensReady":
            return [TokensReady(int(record["segment"]))]
        case "ChunkReady":
            return [ChunkReady(int(record["segment"]), int(record["chunk"]))]
        case "AnimaticReady" if record["segment"] is None:
            return [AnimaticReady(None, path=_in_project(record["path"], project))]
        case "AnimaticReady":
            return [AnimaticReady(int(record["segment"]), path=_artefact("preview", record["path"], project))]
        case "SegmentReady":
            path, frames = _artefact("clip", record["path"], project), int(record["frames"])
            return [SegmentReady(int(record["segment"]), path, frames, str(record.get("frame_hash", "")))]
        case "FilmReady":
            film, subtitles = project / Path(record["path"]).name, _in_project(record["subtitles"], project)
            return [FilmReady(film, dict(record["report"]), subtitles)]
    return []


def _artefact(kind: str, path: str, project: Path) -> Path:
    """A clip where it lies now: the journal's path is wrong once the project was moved or copied."""
    kept = project / "artefacts" / kind / Path(path).stem[:2] / Path(path).name
    return kept if kept.is_file() else Path(path)


def _in_project(path: str | None, project: Path) -> Path | None:
    return None if path is None else project / Path(path).name
