"""The clips of a film or an animatic, written while the render goes on: encoding holds up nothing else.

Hashing, colour conversion, x264 and the disk work in a thread of their own, which lets the interpreter go
while they do. The segments come out in the film's order, each once its file stands.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np

from arlon_core.generation.background import BackgroundThread
from arlon_core.generation.clips import Clip, ClipWriter
from arlon_core.generation.report import RenderReport
from arlon_core.store import ArtefactStore


@dataclass(frozen=True)
class ReadyClip:
    """A segment's clip, which stands. cached: it lay in the store."""

    segment: int
    clip: Clip
    cached: bool


@dataclass
class _Pending:
    """A segment whose clip was found, or is being written."""

    segment: int
    clip: Future[Clip] | Clip

    def ready(self) -> ReadyClip | None:
        """None while the clip does not stand."""
        if isinstance(self.clip, Clip):
            return ReadyClip(self.segment, self.clip, cached=True)
        return ReadyClip(self.segment, self.clip.result(), cached=False) if self.clip.done() else None


class SegmentClips:
    """Takes the frames of one segment after the other: `begin`, `write` piece by piece, `finish`.

    Errors of the thread (OutputError, ProjectError) are raised by the next call. What is half written when
    the block ends is discarded.
    """

    def __init__(self, store: ArtefactStore, kind: str, fps: int, report: RenderReport) -> None:
        """kind: of the clips in the store, "clip" or "preview"."""
        self._store, self._kind, self._fps, self._report = store, kind, fps, report
        self._thread = BackgroundThread("arlon-encode")
        self._pending: deque[_Pending] = deque()
        self._writer: ClipWriter | None = None
        self._unfinished: list[ClipWriter] = []

    def found(self, segment: int, clip: Clip) -> None:
        """A segment's clip lay in the store."""
        self._pending.append(_Pending(segment, clip))

    def begin(self, key: str) -> None:
        """The frames that follow are those of the clip `key`."""
        self._unfinished = [each for each in self._unfinished if not each.finished]
        self._writer = ClipWriter(self._store, self._kind, key, self._fps)
        self._unfinished.append(self._writer)

    def write(self, frames: np.ndarray) -> None:
        """Append uint8 frames (F, H, W, 3), which the caller no longer changes."""
        writer = self._writer
        assert writer is not None, "begin() comes first"
        self._thread.submit(lambda: writer.write(frames))

    def finish(self, segment: int) -> None:
        """The segment's frames are complete."""
        assert self._writer is not None, "begin() comes first"
        self._pending.append(_Pending(segment, self._thread.submit(self._writer.finish)))
        self._writer = None

    def ready(self) -> Iterator[ReadyClip]:
        """The segments whose clips have come to stand since the last call, in the film's order."""
        self._thread.check()
        while self._pending and (clip := self._pending[0].ready()) is not None:
            self._pending.popleft()
            yield clip

    def rest(self) -> Iterator[ReadyClip]:
        """Wait for all clips, and give the segments that were not told yet."""
        self._thread.drain()
        yield from self.ready()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.__exit__(kind, error, trace)
        for writer in self._unfinished:
            if not writer.finished:
                writer.discard()
        self._report.add_encoding(self._thread.worked, waited=self._thread.waited)
