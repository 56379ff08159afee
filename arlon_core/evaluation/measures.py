"""What was measured of one film, and keeping it: a file a story, whole or not at all."""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from arlon_core.generation.output import output_errors
from arlon_core.store.atomic import replacing


@dataclass(frozen=True)
class SegmentMeasure:
    """One segment, that is one prompt: VBench's "video"."""

    scores: dict[str, float]  # metric -> 0..1
    right: dict[str, bool]  # attributes that can be seen -> whether they are read as the script says
    read: dict[str, str]  # attribute -> what is read
    octaves: list[float]  # strength of detail, finest first
    steps: list[float]  # mean absolute difference from each frame to the next


@dataclass(frozen=True)
class StoryMeasure:
    """One film."""

    number: int
    segments: list[SegmentMeasure]
    drift: dict[str, float]  # the look of the last tenth divided by that of the first
    seconds: dict[str, float] = field(default_factory=dict)  # wall seconds by stage of rendering
    embeddings: np.ndarray = field(default_factory=lambda: np.zeros((0, 1)))  # (N, E) of windows
    pictures: np.ndarray = field(default_factory=lambda: np.zeros((0, 1, 1, 3), np.uint8))  # one a segment

    def record(self) -> dict[str, Any]:
        """Everything but the arrays, as plain JSON values."""
        return {
            "number": self.number,
            "segments": [asdict(segment) for segment in self.segments],
            "drift": self.drift,
            "seconds": self.seconds,
        }


def save_measure(path: Path, key: str, measure: StoryMeasure) -> None:
    """Keep a measure under the key of all it depends on. Raises OutputError."""
    record = json.dumps({"key": key, **measure.record()})
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial:
            np.savez_compressed(
                partial,
                record=np.frombuffer(record.encode(), np.uint8),
                embeddings=measure.embeddings.astype(np.float32),
                pictures=measure.pictures,
            )


def load_measure(path: Path, key: str) -> StoryMeasure | None:
    """The measure kept in a file; None when there is none, it is damaged, or it is of something else."""
    try:
        with np.load(path) as file:
            record = json.loads(file["record"].tobytes())
            arrays = {"embeddings": file["embeddings"], "pictures": file["pictures"]}
        if record.pop("key") != key:
            return None
        segments = [SegmentMeasure(**segment) for segment in record.pop("segments")]
        return StoryMeasure(segments=segments, **record, **arrays)
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile, zlib.error):
        return None
