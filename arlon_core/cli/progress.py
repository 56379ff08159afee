"""Progress bars on a terminal, drawn from the engine's events; silent where there is no terminal."""

from __future__ import annotations

import sys
from typing import Self, TextIO

from tqdm import tqdm

from arlon_core.generation.events import (
    AnimaticReady,
    ChunkReady,
    Event,
    Joining,
    Planned,
    Sampling,
    SegmentReady,
    StepDone,
    TokensReady,
    WarningRaised,
)
from arlon_core.generation.plan import Plan


class ProgressBars:
    """One bar for the tokens of all latent frames, one for the denoising of all chunks."""

    def __init__(self, *, animatic_only: bool = False, file: TextIO | None = None) -> None:
        """file: where to draw whatever it is; None is stderr, and there only if it is a terminal."""
        self.animatic_only, self.file = animatic_only, file
        self.plan: Plan | None = None
        self.tokens: tqdm | None = None
        self.chunks: tqdm | None = None
        self.inside = 0.0  # the part of the running chunk that the bar shows

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for bar in (self.tokens, self.chunks):
            if bar is not None:
                bar.close()

    def show(self, event: Event) -> None:
        """Draw what `event` tells."""
        if isinstance(event, Planned):
            self.plan = event.plan
            self.tokens = self._bar("tokens", event.plan.latents, "latent frame")
            if not self.animatic_only:
                self.chunks = self._bar("film", len(event.plan.chunks), "chunk")
        elif isinstance(event, Sampling):
            self._sampled(event.done)
        elif isinstance(event, TokensReady) and self.plan is not None:
            self._sampled(self.plan.segments[event.segment].stop)  # they may have been found
        elif isinstance(event, AnimaticReady) and event.segment is None and self.tokens is not None:
            self.tokens.set_postfix_str("animatic ready")
        elif isinstance(event, StepDone) and self.chunks is not None:
            self._move(min(event.step / event.steps, 0.99))
        elif isinstance(event, ChunkReady) and self.chunks is not None:
            self._move(1.0)
            self.inside = 0.0
        elif isinstance(event, SegmentReady) and self.chunks is not None:
            self.chunks.set_postfix_str(f"segment {event.segment + 1} written")
        elif isinstance(event, Joining):
            bar = self.tokens if event.animatic else self.chunks
            if bar is not None:
                bar.set_postfix_str(f"joining, {event.done} of {event.total} frames")
        elif isinstance(event, WarningRaised):
            tqdm.write(f"note: {event.message}", file=sys.stderr)

    def _sampled(self, done: int) -> None:
        if self.tokens is not None:
            self.tokens.update(done - self.tokens.n)

    def _move(self, inside: float) -> None:
        assert self.chunks is not None
        self.chunks.update(inside - self.inside)
        self.inside = inside

    def _bar(self, name: str, total: int, unit: str) -> tqdm:
        form = (
            "{desc}: {percentage:3.0f}%|{bar}| {n:.1f}/{total} " + unit + "s [{elapsed}<{remaining}{postfix}]"
        )
        disable = None if self.file is None else False  # None: tqdm looks whether it is a terminal
        file = self.file or sys.stderr
        return tqdm(desc=f"{name:>6}", total=total, unit=unit, disable=disable, file=file, bar_format=form)
