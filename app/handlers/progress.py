"""What is known of a job, folded from its events one by one, and how much longer it takes.

The rest is estimated from measured work only: latent frames done, and the seconds they took. What lay in the
project already counts as done and measures nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from app.handlers.pictures import middle_picture, picture_uri, strip_uri
from arlon_core.generation.events import (
    AnimaticReady,
    ChunkReady,
    Event,
    Failed,
    FilmReady,
    Planned,
    SegmentReady,
    StepDone,
    TokensReady,
    WarningRaised,
)
from arlon_core.generation.plan import Plan

# Parts of the whole, from the costs in docs/architecture.md: they only shape the bar, never the estimate.
WEIGHTS = {
    "render": {"tokens": 0.13, "animatic": 0.04, "film": 0.80, "join": 0.03},
    "animatic": {"tokens": 0.75, "animatic": 0.20, "join": 0.05},
}
MIN_MARKS = 3  # measured steps before an estimate is given (our choice)


@dataclass(frozen=True)
class Meter:
    """Work in latent frames. seconds were measured for `measured` of them; at: when `done` was reached."""

    total: int
    done: float = 0.0
    measured: float = 0.0
    seconds: float = 0.0
    marks: int = 0
    at: float | None = None

    @property
    def fraction(self) -> float:
        return self.done / self.total

    def advance(self, done: float, now: float, *, cached: bool = False) -> Meter:
        """`done` latent frames stand at `now`. cached: they were found, so they measure nothing."""
        if cached or self.at is None or done <= self.done:
            return replace(self, done=max(done, self.done), at=now)
        return replace(
            self,
            done=done,
            measured=self.measured + done - self.done,
            seconds=self.seconds + now - self.at,
            marks=self.marks + 1,
            at=now,
        )

    def remaining(self, now: float) -> float | None:
        """Seconds to the end, None before enough is measured."""
        if self.marks < MIN_MARKS or self.at is None:
            return None
        rest = (self.total - self.done) * self.seconds / self.measured
        return max(0.0, rest - (now - self.at))


@dataclass(frozen=True)
class JobView:
    """A job as the page shows it. stage: "waiting", "tokens", "animatic", "film", "join" or "done"."""

    plan: Plan | None = None
    stage: str = "waiting"
    tokens: Meter = Meter(1)
    film: Meter = Meter(1)
    sketched: int = 0  # segments whose tokens stand
    step: StepDone | None = None
    preview: str | None = None  # the running chunk, as a data URI
    thumbs: Mapping[int, str] = field(default_factory=dict)  # a picture a segment, as data URIs
    sketches: Mapping[int, AnimaticReady] = field(default_factory=dict)  # small clips, by segment
    animatic: Path | None = None
    segments: Mapping[int, SegmentReady] = field(default_factory=dict)
    result: Path | None = None
    subtitles: Path | None = None  # captions beside the result
    report: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    failure: str | None = None

    def percent(self, kind: str) -> float:
        """How far the whole job is, 0 to 100. kind: "animatic" or "render"."""
        if self.plan is None or self.stage == "waiting":
            return 0.0
        if self.stage == "done":
            return 100.0
        late = self.stage in ("film", "join")  # an animatic that was left out counts as made
        parts = {
            "tokens": 1.0 if late else self.tokens.fraction,
            "animatic": 1.0 if late else len(self.sketches) / len(self.plan.segments),
            "film": self.film.fraction,
            "join": 0.0,
        }
        return 100.0 * sum(weight * parts[part] for part, weight in WEIGHTS[kind].items())

    def remaining(self, kind: str, now: float) -> float | None:
        """Seconds until the job ends, None while nothing is measured that could tell."""
        if self.stage == "film":
            return self.film.remaining(now)
        return self.tokens.remaining(now) if kind == "animatic" and self.stage == "tokens" else None


def fold(view: JobView, event: Event, now: float) -> JobView:
    """The view after an event. now: seconds of a clock that only goes forward."""
    match event:
        case Planned(plan=plan):
            meter = Meter(plan.latents, at=now)
            return replace(view, plan=plan, stage="tokens", tokens=meter, film=meter)
        case TokensReady():
            return _tokens(view, event, now)
        case AnimaticReady():
            return _animatic(view, event, now)
        case StepDone() | ChunkReady():
            return _chunk(view, event, now)
        case SegmentReady():
            return _segment(view, event)
        case FilmReady(path=path, report=report):
            view = replace(view, result=path, subtitles=event.subtitles, report=report)
            return replace(view, stage="done", step=None, preview=None)
        case WarningRaised(message=message):
            return replace(view, warnings=(*view.warnings, message))
        case Failed(message=message):
            return replace(view, failure=message, step=None, preview=None)
    return view


def _tokens(view: JobView, event: TokensReady, now: float) -> JobView:
    if view.plan is None:
        return view
    meter = view.tokens.advance(view.plan.segments[event.segment].stop, now, cached=event.cached)
    # The film's clock starts when the tokens end, and again when the animatic does.
    return replace(view, tokens=meter, film=replace(view.film, at=now), sketched=view.sketched + 1)


def _animatic(view: JobView, event: AnimaticReady, now: float) -> JobView:
    # Segments are drawn while the tokens of later ones are sampled: until those end, it is about tokens.
    sampled = view.plan is None or view.sketched == len(view.plan.segments)
    view = replace(view, film=replace(view.film, at=now), stage="animatic" if sampled else "tokens")
    if event.segment is None:
        return replace(view, animatic=event.path or view.animatic, stage="film")
    picture = None
    if event.frames is not None and len(event.frames):
        picture = event.frames[len(event.frames) // 2]
    elif event.path is not None and view.plan is not None:
        picture = middle_picture(event.path, view.plan.segments[event.segment].frames)
    slim = replace(event, frames=None)
    return replace(
        view,
        sketches={**view.sketches, event.segment: slim},
        thumbs=_with(view.thumbs, event.segment, picture),
    )


def _chunk(view: JobView, event: StepDone | ChunkReady, now: float) -> JobView:
    if view.plan is None:
        return view
    chunk = view.plan.segments[event.segment].chunks[event.chunk]
    if isinstance(event, StepDone):
        meter = view.film.advance(chunk.start + chunk.latents * event.step / event.steps, now)
        preview = view.preview if event.preview is None else strip_uri(event.preview)
        return replace(view, stage="film", film=meter, step=replace(event, preview=None), preview=preview)
    meter = view.film.advance(chunk.stop, now, cached=event.cached)
    return replace(view, stage="film", film=meter)


def _segment(view: JobView, event: SegmentReady) -> JobView:
    segments = {**view.segments, event.segment: event}
    whole = view.plan is not None and len(segments) == len(view.plan.segments)
    return replace(
        view,
        stage="join" if whole else "film",
        segments=segments,
        thumbs=_with(view.thumbs, event.segment, middle_picture(event.path, event.frames)),
        preview=None if whole else view.preview,
    )


def _with(thumbs: Mapping[int, str], segment: int, picture: np.ndarray | None) -> Mapping[int, str]:
    return thumbs if picture is None else {**thumbs, segment: picture_uri(shrunk(picture))}


def shrunk(picture: np.ndarray, width: int = 112) -> np.ndarray:
    """Every n-th pixel of a picture [H, W, 3], so that it is less than twice `width` wide."""
    stride = max(1, picture.shape[1] // width)
    return np.ascontiguousarray(picture[::stride, ::stride])
