"""A hash of uint8 frames before encoding: "bit-identical" is said of this."""

from __future__ import annotations

import hashlib

import numpy as np


class FrameHash:
    """SHA-256 over frames in order; how they are split over calls does not matter."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._shape: tuple[int, ...] | None = None

    def update(self, frames: np.ndarray) -> None:
        """Take uint8 frames [T, H, W, 3]. Raises ValueError for another dtype, shape or size than before."""
        shape = check_frames(frames)
        if self._shape is None:
            self._shape = shape
            self._digest.update(f"{shape[0]}x{shape[1]}".encode())
        elif shape != self._shape:
            raise ValueError(f"Got frames of {shape} after frames of {self._shape}; one clip has one size.")
        self._digest.update(np.ascontiguousarray(frames).data)

    def hexdigest(self) -> str:
        """64 hex digits."""
        return self._digest.hexdigest()


def frame_hash(frames: np.ndarray) -> str:
    """SHA-256 (64 hex digits) of uint8 frames [T, H, W, 3]."""
    digest = FrameHash()
    digest.update(frames)
    return digest.hexdigest()


def check_frames(frames: np.ndarray) -> tuple[int, int]:
    """(H, W) of uint8 frames [T, H, W, 3]. Raises ValueError for anything else."""
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3:
        raise ValueError(f"Got {frames.dtype} frames of shape {frames.shape}; give uint8 [T, H, W, 3].")
    return frames.shape[1], frames.shape[2]
