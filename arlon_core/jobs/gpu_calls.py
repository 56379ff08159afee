"""Calls to a GPU that is lent for a minute at a time: what the next one makes, and for how long it asks.

A call carries plain data both ways, since its work runs in another process: the job, how far to go, and a
time; events come back. All that is made lies in the project, where the next call finds it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from arlon_core.errors import ArlonError
from arlon_core.generation.events import Event, Failed, PartReady
from arlon_core.generation.plan import Plan
from arlon_core.jobs.records import JobRequest

if TYPE_CHECKING:
    from arlon_core.pipeline import ArlonPipeline

START = (
    10  # seconds of a call for the process, its weights on the GPU, and the last clip's encoding (our guess)
)
HEADROOM = 1.5  # how much longer than estimated the work may take
TARGET = 60  # seconds that a call asks for at most, where its first chunk fits: what ZeroGPU grants unasked
LONGEST = 120  # seconds that a call ever asks for: an anonymous visitor's whole day


class GpuLostError(ArlonError):
    """The GPU was taken back before the call had ended."""


@dataclass(frozen=True)
class GpuCall:
    """One call. chunks: as in PartOptions. seconds: how long it may take. flag: a file that cancels it."""

    request: JobRequest
    chunks: int
    seconds: int
    flag: Path


@dataclass(frozen=True)
class Pace:
    """Seconds a latent frame takes: sampled and drawn small, in one pass of the DiT, and decoded into a clip.

    It begins with what two CPU cores need at worst (docs/architecture.md), which no GPU exceeds, and follows
    what is measured: at once when that is slower, half-way when it is faster, since a first call warms up.
    """

    sketch: float = 0.22
    denoise: float = 0.028
    decode: float = 0.45

    def towards(self, **measured: float) -> Pace:
        """The pace after a measurement of some of its parts."""
        news = {name: max(value, (value + getattr(self, name)) / 2) for name, value in measured.items()}
        return replace(self, **news)

    def slower(self) -> Pace:
        """The pace after a call that was cut off, which measured nothing."""
        return Pace(2 * self.sketch, 2 * self.denoise, 2 * self.decode)


@dataclass(frozen=True)
class Work:
    """A film's work in latent frames. passes: of the DiT for each of a chunk: steps, twice with guidance."""

    plan: Plan
    passes: int

    def all(self, *, film: bool, with_animatic: bool) -> PartReady:
        """What is left before anything is known of the project."""
        segments = tuple(range(len(self.plan.segments)))
        return PartReady(
            blocks=len(self.plan.blocks),
            previews=segments if with_animatic else (),
            chunks=tuple(range(len(self.plan.chunks))) if film else (),
            clips=segments if film else (),
        )

    def sketch(self, left: PartReady) -> float:
        """Latent frames without tokens or small pictures, whichever are more."""
        blocks = self.plan.latents * left.blocks / len(self.plan.blocks)
        return max(blocks, self.decode(left.previews))

    def denoise(self, chunks: tuple[int, ...]) -> float:
        """Latent frames times passes, the overlap included."""
        plans = [self.plan.chunks[index] for index in chunks]
        return self.passes * sum(each.latents + each.overlap for each in plans)

    def decode(self, segments: tuple[int, ...]) -> float:
        """Latent frames of some segments."""
        return sum(self.plan.segments[index].latents for index in segments)


def next_call(work: Work, left: PartReady, pace: Pace) -> tuple[int, int]:
    """(chunks, seconds) of the call that comes next: all of the animatic first, then a group of chunks.

    A group ends where its time would pass TARGET, at the film's end, or after one chunk that takes longer.
    """
    if left.blocks or left.previews:
        return 0, min(TARGET, _asked(pace.sketch * work.sketch(left)))
    chosen = _asked(0)
    stop = 0
    for end in range(1, len(work.plan.chunks) + 1):
        asked = _asked(_film_seconds(work, left, pace, end))
        if stop and asked > TARGET and chosen > _asked(0):
            break
        stop, chosen = end, asked
    return stop, min(LONGEST, chosen)


def measured(work: Work, before: PartReady, after: PartReady, pace: Pace) -> Pace:
    """The pace after a call, from its report and what it made."""
    seconds = after.report["seconds"]
    if sketched := work.sketch(before) - work.sketch(after):
        spent = sum(seconds[stage] for stage in ("text", "tokens", "decode", "encode"))
        return pace.towards(sketch=spent / sketched)
    news = {}
    if denoised := work.denoise(before.chunks) - work.denoise(after.chunks):
        news["denoise"] = seconds["denoise"] / denoised
    if decoded := work.decode(before.clips) - work.decode(after.clips):
        waited = seconds["encode"] - after.report["seconds_encoded_beside"]
        news["decode"] = (seconds["decode"] + max(0.0, waited)) / decoded
    return pace.towards(**news)


def perform(pipe: ArlonPipeline, call: GpuCall) -> Iterator[Event]:
    """A call's work, where the GPU is. It raises no ArlonError: only an error's class would cross over."""
    from arlon_core.generation.chunks import Cancelled
    from arlon_core.generation.parts import PartOptions, render_part

    request = call.request
    options = PartOptions(
        call.chunks,
        film=request.kind == "render",
        with_animatic=request.kind == "animatic" or pipe.preview_decoder is not None,
        previews=True,
    )
    try:
        yield from render_part(
            pipe,
            request.story,
            request.project,
            options,
            steps=request.steps,
            guidance=request.guidance,
            chunk=request.chunk,
            cancel=call.flag.exists,
            pause=Clock(call.seconds - START),
        )
    except Cancelled:
        return
    except ArlonError as error:
        yield Failed(str(error))


class Clock:
    """Whether too little time is left for another piece of work as long as the longest so far.

    Asked between pieces; the first answer is always no, so that every call gets somewhere.
    """

    def __init__(self, seconds: float) -> None:
        self._last = time.monotonic()
        self._stop = self._last + seconds
        self._longest: float | None = None

    def __call__(self) -> bool:
        now = time.monotonic()
        if self._longest is None:
            self._longest = 0.0
        else:
            self._longest = max(self._longest, now - self._last)
        self._last = now
        return self._longest > 0 and now + self._longest > self._stop


def _film_seconds(work: Work, left: PartReady, pace: Pace, end: int) -> float:
    """What the film's first `end` chunks still take, the clips that they complete included."""
    chunks = tuple(index for index in left.chunks if index < end)
    done = 0
    clips = []
    for segment in work.plan.segments:
        done += len(segment.chunks)
        if done <= end and segment.index in left.clips:
            clips.append(segment.index)
    return pace.denoise * work.denoise(chunks) + pace.decode * work.decode(tuple(clips))


def _asked(seconds: float) -> int:
    """What a call asks for whose work is estimated at `seconds`."""
    return math.ceil(START + HEADROOM * seconds)
