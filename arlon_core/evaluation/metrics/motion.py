"""How much moves, and how smoothly: dynamic degree, motion smoothness, temporal flickering, steps.

The formulas are VBench's (Huang et al. 2024; its public code). Where VBench uses a pretrained network,
optical flow of OpenCV stands in: DIS (Kroeger et al. 2016). Frames are uint8 (F, H, W, 3).
"""

from __future__ import annotations

import itertools

import cv2
import numpy as np

# VBench calls a frame moving from 6 pixels in an eighth of a second on (at a shorter side of 256 pixels). The
# world is calm by design: at that threshold its true films score near 0. A third of it is our choice.
MOVING_PIXELS = 2.0
_FASTEST = 0.05  # the share of pixels whose flow counts
_TRIPLES = 6  # frames between the triples that smoothness looks at; VBench takes every second frame


def flow(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Optical flow (H, W, 2) in pixels between two uint8 pictures (H, W, 3)."""
    grey = [cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY) for picture in (first, second)]
    method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    return method.calc(grey[0], grey[1], None)  # type: ignore[call-overload]


def dynamic_degree(frames: np.ndarray, fps: int) -> float:
    """1 when the clip moves, else 0: VBench's rule, at 8 frames a second or the nearest below.

    A pair of frames moves when the mean flow of its fastest 5% of pixels is above the threshold; the clip
    does when a quarter of its frames do. Raises ValueError for a clip of less than two frames.
    """
    _check(frames, 2)
    sampled = frames[:: max(1, round(fps / 8))]
    threshold = MOVING_PIXELS * max(1.0, 8 / fps) * min(frames.shape[1:3]) / 256
    needed = max(1, round(4 * len(sampled) / 16))
    moving = 0
    for first, second in itertools.pairwise(sampled):
        moving += _fastest(flow(first, second)) > threshold
        if moving >= needed:
            return 1.0
    return 0.0


def motion_smoothness(frames: np.ndarray) -> float:
    """1 minus the mean absolute error, on 0..1, of every sixth frame interpolated from its two neighbours.

    VBench's formula with flow in place of its interpolation network. Raises ValueError below three frames.
    """
    _check(frames, 3)
    errors = []
    for middle in range(1, len(frames) - 1, _TRIPLES):
        between = interpolate(frames[middle - 1], frames[middle + 1])
        errors.append(cv2.absdiff(between, np.ascontiguousarray(frames[middle])).mean())
    return float(1 - np.mean(errors) / 255)


def interpolate(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The picture half way between two (H, W, 3), uint8: each moved half its flow, and the mean of both."""
    height, width = first.shape[:2]
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float32)
    halves = []
    for picture, other in ((first, second), (second, first)):
        # The flow at the middle is taken for that at the start: right where motion is smooth, and cheap.
        way = grid - 0.5 * flow(picture, other)
        moved = cv2.remap(
            picture, way[..., 0], way[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        halves.append(moved.astype(np.float32))
    return np.round((halves[0] + halves[1]) / 2).astype(np.uint8)


def steps(frames: np.ndarray) -> np.ndarray:
    """The mean absolute difference, 0..255, from each frame to the next: (F - 1,)."""
    return np.array([cv2.absdiff(a, b).mean() for a, b in itertools.pairwise(frames)])


def temporal_flickering(steps_of_clip: np.ndarray) -> float:
    """VBench's (255 - mean step) / 255. It asks for still scenes; ours move, so see the true films' value."""
    if not len(steps_of_clip):
        raise ValueError("a clip of one frame has no flicker; give at least two frames")
    return float((255 - steps_of_clip.mean()) / 255)


def _fastest(field: np.ndarray) -> float:
    speed = np.sqrt(np.square(field).sum(-1)).ravel()
    count = max(1, int(speed.size * _FASTEST))
    return float(np.partition(speed, -count)[-count:].mean())


def _check(frames: np.ndarray, least: int) -> None:
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or len(frames) < least:
        raise ValueError(f"got {frames.dtype} of shape {frames.shape}; give {least} or more uint8 pictures")
