"""What the engine tells while it works: one frozen dataclass an event, pictures as numpy arrays.

The command line draws its progress bars from these events and the studio its page; the engine knows neither.
``segment`` and ``chunk`` are indices counted from 0, as in the plan. ``cached`` says that the result lay in
the project already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from arlon_core.generation.plan import Plan


@dataclass(frozen=True)
class Event:
    """Base of all events."""


@dataclass(frozen=True)
class Planned(Event):
    """The plan stands; nothing has been computed. texts: what the text encoder will read, one a segment.

    passes: of the diffusion transformer for each chunk (generation.plan.chunk_passes).
    """

    plan: Plan
    texts: tuple[str, ...] = ()
    passes: int = 1


@dataclass(frozen=True)
class Sampling(Event):
    """Tokens are being sampled: those of the film's first `done` latent frames stand. Told after each."""

    done: int


@dataclass(frozen=True)
class TokensReady(Event):
    """The tokens of a segment stand. tokens: integers [latent frames, tokens a frame]."""

    segment: int
    tokens: np.ndarray | None = field(default=None, compare=False, repr=False)
    cached: bool = False


@dataclass(frozen=True)
class AnimaticReady(Event):
    """Small pictures of one segment (``segment``) or of the whole story (None).

    frames: uint8 [T, H, W, 3]. path: the animatic as a video file, when one was written.
    """

    segment: int | None = None
    frames: np.ndarray | None = field(default=None, compare=False, repr=False)
    path: Path | None = None
    cached: bool = False


@dataclass(frozen=True)
class StepDone(Event):
    """Denoising step ``step`` (1 .. steps) of a chunk is done. preview: uint8 [T, H, W, 3]."""

    segment: int
    chunk: int
    step: int
    steps: int
    preview: np.ndarray | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class ChunkReady(Event):
    """The latents of a chunk stand."""

    segment: int
    chunk: int
    cached: bool = False


@dataclass(frozen=True)
class SegmentReady(Event):
    """A segment's clip is written. frames: how many; frame_hash: of its uint8 frames before encoding."""

    segment: int
    path: Path
    frames: int
    frame_hash: str = ""
    cached: bool = False


@dataclass(frozen=True)
class Joining(Event):
    """Clips are being joined into one file: `done` of its `total` frames are written.

    animatic: they are the small ones. Told after each second of film.
    """

    done: int
    total: int
    animatic: bool = False


@dataclass(frozen=True)
class FilmReady(Event):
    """The film is written. report: frames, fps, seconds_of_video, wall seconds by stage, memory and so on.

    The report of a film (not of an animatic) has `edited`, too: whether joins, burned captions or a sound
    make it more than its clips one after another. subtitles: the file of captions beside it, if one was
    asked for.
    """

    path: Path
    report: Mapping[str, Any] = field(default_factory=dict)
    subtitles: Path | None = None


@dataclass(frozen=True)
class PartReady(Event):
    """A part of a render has ended (generation.parts), and this is left.

    blocks: token blocks to sample, a number. chunks: those without latents, counted through the film.
    previews, clips: segments without small pictures, and without a clip. settings: for the film's metadata.
    report: what the part cost, as in FilmReady.
    """

    blocks: int
    previews: tuple[int, ...] = ()
    chunks: tuple[int, ...] = ()
    clips: tuple[int, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    report: Mapping[str, Any] = field(default_factory=dict)

    @property
    def pieces(self) -> int:
        """How many pieces of work are left."""
        return self.blocks + len(self.previews) + len(self.chunks) + len(self.clips)


@dataclass(frozen=True)
class WarningRaised(Event):
    """Something to know that does not stop the render: one sentence, which names the segment it is about.

    segment: None when it is about the whole film.
    """

    message: str
    segment: int | None = None


@dataclass(frozen=True)
class Failed(Event):
    """The render stopped: one sentence that names what is wrong and the mend. Always the last event."""

    message: str


def event_record(event: Event) -> dict[str, Any]:
    """``event`` as plain JSON values under its class name, for the journal; of arrays, shape and dtype."""
    record = {each.name: _plain(getattr(event, each.name)) for each in fields(event)}
    return {"event": type(event).__name__, **record}


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, np.ndarray):
        return {"shape": list(value.shape), "dtype": str(value.dtype)}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, Path):
        return str(value)
    return value
