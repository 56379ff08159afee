"""What was measured of one film, and keeping it: a file a story, whole or not at all."""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from arlon_core.evaluation.metrics import quality
from arlon_core.generation.output import output_errors
from arlon_core.store.atomic import replacing

IDENTITY = ("subject", "colour")  # what makes a subject the same one
_ARRAYS = ("embeddings", "end_embeddings", "pictures")


@dataclass(frozen=True)
class SegmentMeasure:
    """One segment, that is one prompt: VBench's "video"."""

    scores: dict[str, float]  # metric -> 0..1
    right: dict[str, bool]  # attributes that can be seen -> whether they are read as the script says
    read: dict[str, str]  # attribute -> what is read
    octaves: list[float]  # strength of detail, finest first
    steps: list[float]  # mean absolute difference from each frame to the next
    # Attributes that the script changes here -> frames until the change is seen, None when it never is.
    lags: dict[str, int | None] = field(default_factory=dict)


@dataclass(frozen=True)
class EndMeasure:
    """The first or the last tenth of a film."""

    scores: dict[str, float]  # metric -> 0..1
    look: dict[str, float]  # what drifts
    octaves: list[float]
    # Subject and colour -> whether they are read as those of the first segment, where the script keeps them.
    same: dict[str, bool]


@dataclass(frozen=True)
class StoryMeasure:
    """One film."""

    number: int
    segments: list[SegmentMeasure]
    ends: tuple[EndMeasure, EndMeasure]
    seconds: dict[str, float] = field(default_factory=dict)  # wall seconds by stage of rendering
    key: str = ""  # of all that the measure depends on
    embeddings: np.ndarray = field(default_factory=lambda: np.zeros((0, 1)))  # (N, E) of windows
    end_embeddings: np.ndarray = field(default_factory=lambda: np.zeros((2, 0, 1)))  # (2, N, E)
    pictures: np.ndarray = field(default_factory=lambda: np.zeros((0, 1, 1, 3), np.uint8))  # one a segment

    @property
    def drift(self) -> dict[str, float]:
        """The look of the last tenth divided by that of the first."""
        first, last = self.ends
        return quality.drift(first.look, last.look)

    def record(self) -> dict[str, Any]:
        """Everything but the arrays, as plain JSON values."""
        return {
            "number": self.number,
            "key": self.key,
            "segments": [asdict(segment) for segment in self.segments],
            "ends": [asdict(end) for end in self.ends],
            "seconds": self.seconds,
        }


def measure_path(folder: Path, number: int) -> Path:
    """Where a folder of measures has that of a story."""
    return folder / f"{number:04d}.npz"


def save_measure(path: Path, measure: StoryMeasure) -> None:
    """Keep a measure. Raises OutputError."""
    arrays = {name: getattr(measure, name) for name in _ARRAYS}
    small = {
        name: each.astype(np.float32) if each.dtype.kind == "f" else each for name, each in arrays.items()
    }
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial:
            record = np.frombuffer(json.dumps(measure.record()).encode(), np.uint8)
            np.savez_compressed(partial, record=record, **small)


def load_measure(path: Path, key: str) -> StoryMeasure | None:
    """The measure kept in a file; None when there is none, it is damaged, or it is of something else."""
    try:
        with np.load(path) as file:
            record = json.loads(file["record"].tobytes())
            arrays = {name: file[name] for name in _ARRAYS}
        if record["key"] != key:
            return None
        segments = [SegmentMeasure(**segment) for segment in record.pop("segments")]
        first, last = (EndMeasure(**end) for end in record.pop("ends"))
        return StoryMeasure(segments=segments, ends=(first, last), **record, **arrays)
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile, zlib.error):
        return None
