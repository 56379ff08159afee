"""What is known of a job, folded from its events one by one, and how much longer it takes.

The rest is estimated from measured work: pieces done, and the seconds they took. What lay in the project
already counts as done and measures nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from app.handlers.pictures import clip_thumb, strip_uri, thumb_uri
from arlon_core.generation.events import (
    AnimaticReady,
    ChunkReady,
    Event,
    Failed,
    FilmReady,
    Joining,
    Planned,
    Sampling,
    SegmentReady,
    StepDone,
    TokensReady,
    WarningRaised,
)
from arlon_core.generation.plan import Plan

MIN_MARKS = 3  # measured steps before an estimate is given (our choice)

# What a second of film takes on two CPU cores, in seconds (docs/architecture.md): sampling its tokens,
# drawing and joining its small pictures, one pass of the diffusion transformer, decoding, joining its clips.
# They shape the bar; and an estimate says with them, from what was measured, how long a later part will be.
TOKENS, DRAW, JOIN_SMALL, PASS, DECODE, JOIN = 0.21, 0.08, 0.02, 0.24, 0.39, 0.08
# The part of the whole that a stage of JobView works on.
PARTS = {"tokens": "tokens", "animatic": "small", "film": "film", "join": "join"}
MODELS = ("tokens", "film")  # parts that tell how fast this machine is


def costs(kind: str, passes: int) -> dict[str, float]:
    """The parts of a job in their order, and what each costs. kind: "animatic" or "render"."""
    sketch = {"tokens": TOKENS, "draw": DRAW, "small": JOIN_SMALL}
    return sketch if kind == "animatic" else {**sketch, "film": DECODE + passes * PASS, "join": JOIN}


@dataclass(frozen=True)
class Meter:
    """Work in pieces: latent frames, segments or frames of film.

    seconds were measured for `measured` of them, in `marks` steps. at: when `done` was reached; None while
    something else is at work.
    """

    total: int
    done: float = 0.0
    measured: float = 0.0
    seconds: float = 0.0
    marks: int = 0
    at: float | None = None

    @property
    def fraction(self) -> float:
        return self.done / self.total

    @property
    def pace(self) -> float | None:
        """Seconds a piece, None before enough is measured."""
        return self.seconds / self.measured if self.marks >= MIN_MARKS else None

    def advance(self, done: float, now: float, *, cached: bool = False) -> Meter:
        """`done` pieces stand at `now`. cached: they were found, so they measure nothing."""
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


@dataclass(frozen=True)
class JobView:
    """A job as the page shows it. stage: "waiting", "tokens", "animatic", "film", "join" or "done"."""

    plan: Plan | None = None
    passes: int = 1  # of the diffusion transformer, for each chunk
    stage: str = "waiting"
    tokens: Meter = Meter(1)
    small: Meter = Meter(1)  # joining the small clips
    film: Meter = Meter(1)
    join: Meter = Meter(1)
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
        parts, meters, here = costs(kind, self.passes), self._meters(self.plan), self._part(kind)
        # Once the film has begun, an animatic that was left out counts as made.
        before = here in ("film", "join")
        made = 0.0
        for part, cost in parts.items():
            before = before and part != here
            made += cost * (1.0 if before else meters[part].fraction)
        return min(99.9, 100.0 * made / sum(parts.values()))

    def remaining(self, kind: str, now: float) -> float | None:
        """Seconds until the job ends, None while nothing is measured that could tell.

        A part whose pace is not measured takes as long as its cost says, beside the latest of MODELS that is.
        """
        here = self._part(kind)
        if self.plan is None or here is None:
            return None
        rest, machine, begun = 0.0, None, False  # machine: seconds that a second of cost takes here
        meters = self._meters(self.plan)
        for part, cost in costs(kind, self.passes).items():
            meter = meters[part]
            measured = None if meter.pace is None else meter.pace * meter.total / cost
            if measured is not None and part in MODELS:
                machine = measured
            begun = begun or part == here
            if begun:
                second = machine if measured is None else measured
                if second is None:
                    return None
                waited = now - meter.at if part == here and meter.at is not None else 0.0
                rest += max(0.0, second * cost * (1.0 - meter.fraction) - waited)
        return rest

    def _part(self, kind: str) -> str | None:
        """The part that is at work, None where none is, as in the last moment of an animatic."""
        part = PARTS.get(self.stage)
        return part if part in costs(kind, self.passes) else None

    def _meters(self, plan: Plan) -> dict[str, Meter]:
        drawn = Meter(len(plan.segments), done=len(self.sketches))  # it is not measured
        return {
            "tokens": self.tokens,
            "draw": drawn,
            "small": self.small,
            "film": self.film,
            "join": self.join,
        }


def fold(view: JobView, event: Event, now: float) -> JobView:
    """The view after an event. now: seconds of a clock that only goes forward."""
    match event:
        case Planned():
            return _planned(view, event, now)
        case Sampling(done=done):
            return replace(view, tokens=view.tokens.advance(done, now))
        case TokensReady():
            return _tokens(view, event, now)
        case AnimaticReady():
            return _animatic(view, event, now)
        case StepDone() | ChunkReady():
            return _chunk(view, event, now)
        case SegmentReady():
            return _segment(view, event, now)
        case Joining(done=done, total=total, animatic=True):
            return replace(view, small=replace(view.small, total=total).advance(done, now))
        case Joining(done=done, total=total):  # other than the plan's: crossfades make a film shorter
            return replace(view, join=replace(view.join, total=total).advance(done, now))
        case FilmReady(path=path, report=report):
            view = replace(view, result=path, subtitles=event.subtitles, report=report)
            return replace(view, stage="done", step=None, preview=None)
        case WarningRaised(message=message):
            return replace(view, warnings=(*view.warnings, message))
        case Failed(message=message):
            return replace(view, failure=message, step=None, preview=None)
    return view


def _planned(view: JobView, event: Planned, now: float) -> JobView:
    frames = Meter(event.plan.frames)
    return replace(
        view,
        plan=event.plan,
        passes=event.passes,
        stage="tokens",
        tokens=Meter(event.plan.latents),  # its clock starts with the first frame: warming up is no measure
        small=frames,
        film=Meter(event.plan.latents, at=now),
        join=frames,
    )


def _tokens(view: JobView, event: TokensReady, now: float) -> JobView:
    if view.plan is None:
        return view
    done = max(view.tokens.done, view.plan.segments[event.segment].stop)
    # Until the next segment's first frame is sampled, its text is read and this one's pictures are drawn.
    meter = replace(view.tokens, done=done, at=None)
    # The film's clock starts when the tokens end, and again when the animatic does.
    return replace(view, tokens=meter, film=replace(view.film, at=now), sketched=view.sketched + 1)


def _animatic(view: JobView, event: AnimaticReady, now: float) -> JobView:
    small = replace(view.small, at=now)
    # Segments are drawn while the tokens of later ones are sampled: until those end, it is about tokens.
    sampled = view.plan is None or view.sketched == len(view.plan.segments)
    stage = "animatic" if sampled else "tokens"
    view = replace(view, film=replace(view.film, at=now), small=small, stage=stage)
    if event.segment is None:
        return replace(view, animatic=event.path or view.animatic, stage="film")
    thumb = None
    if event.frames is not None and len(event.frames):
        thumb = thumb_uri(event.frames[len(event.frames) // 2])
    elif event.path is not None and view.plan is not None:
        thumb = clip_thumb(event.path, view.plan.segments[event.segment].frames)
    slim = replace(event, frames=None)
    return replace(
        view,
        sketches={**view.sketches, event.segment: slim},
        thumbs=_with(view.thumbs, event.segment, thumb),
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


def _segment(view: JobView, event: SegmentReady, now: float) -> JobView:
    segments = {**view.segments, event.segment: event}
    whole = view.plan is not None and len(segments) == len(view.plan.segments)
    return replace(
        view,
        stage="join" if whole else "film",
        join=replace(view.join, at=now),
        segments=segments,
        thumbs=_with(view.thumbs, event.segment, clip_thumb(event.path, event.frames)),
        preview=None if whole else view.preview,
    )


def _with(thumbs: Mapping[int, str], segment: int, thumb: str | None) -> Mapping[int, str]:
    return thumbs if thumb is None else {**thumbs, segment: thumb}
