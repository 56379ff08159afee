"""A segment's clip in the store: a video file and a record of its frames, checked when found."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from arlon_core.generation.request import CLIP_CRF, CLIP_PRESET
from arlon_core.media.segment_writer import SegmentWriter
from arlon_core.store import ArtefactStore

_READ_BYTES = 1 << 20


@dataclass(frozen=True)
class Clip:
    """A whole clip on the disk."""

    path: Path
    frames: int
    frame_hash: str


def find_clip(store: ArtefactStore, kind: str, key: str) -> Clip | None:
    """The clip kept under `key`, or None when it is missing, damaged or half of it is."""
    record = store.get_artefact(kind, key)
    path = store.file_path(kind, key, ".mp4")
    if record is None or not path.is_file() or _file_hash(path) != record.meta.get("file_hash"):
        return None
    return Clip(path, record.meta["frames"], record.meta["frame_hash"])


class ClipWriter:
    """Takes the frames of one segment; the clip is in the store once `finish` returns, and not before."""

    def __init__(self, store: ArtefactStore, kind: str, key: str, fps: int) -> None:
        self.store, self.kind, self.key = store, kind, key
        self.path = store.file_path(kind, key, ".mp4")
        self.finished = False
        self._writer = SegmentWriter(self.path, fps, crf=CLIP_CRF, preset=CLIP_PRESET)

    def write(self, frames: np.ndarray) -> None:
        """Append uint8 frames (F, H, W, 3), F may be 0. Raises OutputError."""
        if len(frames):
            self._writer.write(frames)

    def finish(self) -> Clip:
        """Put file and record in their places. Raises OutputError or ProjectError."""
        self._writer.close()
        clip = Clip(self.path, self._writer.frames, self._writer.frame_hash)
        meta = {"frames": clip.frames, "frame_hash": clip.frame_hash, "file_hash": _file_hash(self.path)}
        self.store.put(self.kind, self.key, {}, meta)
        self.finished = True
        return clip

    def discard(self) -> None:
        """Give up: what is half written goes."""
        self._writer.discard()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.discard()


def _file_hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()
