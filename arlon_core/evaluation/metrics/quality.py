"""How sharp and how clean pictures are, against the true film of the same script; and what drifts.

Frames are uint8 (F, H, W, 3).
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

_OCTAVES = 3
DRIFTING = ("sharpness", "contrast", "colourfulness")


def octaves(frames: np.ndarray) -> np.ndarray:
    """The mean strength of detail in each octave, finest first: (3,). Noise raises it, blur lowers it.

    Detail is the Laplacian pyramid (Burt and Adelson 1983) of the grey picture.
    """
    found = np.zeros(_OCTAVES)
    for frame in frames:
        grey = cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY).astype(np.float32)
        for octave in range(_OCTAVES):
            small = cv2.pyrDown(grey)
            large = cv2.pyrUp(small, dstsize=(grey.shape[1], grey.shape[0]))
            found[octave] += np.abs(grey - large).mean()
            grey = small.astype(np.float32)
    return found / len(frames)


def imaging_quality(own: np.ndarray, true: np.ndarray) -> float:
    """Octaves of a film and of the true one -> 0..1: how near the strengths of detail are, 1 when equal.

    The geometric mean over octaves of the smaller divided by the larger.
    """
    low, high = np.minimum(own, true), np.maximum(own, true)
    ratios = (low + 1e-6) / (high + 1e-6)
    return float(np.exp(np.log(ratios).mean()))


def look(frames: np.ndarray) -> dict[str, float]:
    """What drifts in long films, as means over frames: sharpness, contrast and colourfulness.

    Colourfulness is that of Hasler and Suesstrunk (2003).
    """
    pixels = frames.astype(np.float32)
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    first, second = red - green, (red + green) / 2 - blue
    axes = (1, 2)
    spread = np.sqrt(first.var(axes) + second.var(axes))
    middle = np.sqrt(first.mean(axes) ** 2 + second.mean(axes) ** 2)
    return {
        "sharpness": float(octaves(frames)[0]),
        "contrast": float(pixels.mean(-1).std(axes).mean()),
        "colourfulness": float((spread + 0.3 * middle).mean()),
    }


def drift(first: Mapping[str, float], last: Mapping[str, float]) -> dict[str, float]:
    """The look of a film's last tenth divided by that of its first, for each of DRIFTING."""
    return {name: (last[name] + 1e-6) / (first[name] + 1e-6) for name in DRIFTING}


def drift_against(own: Mapping[str, float], true: Mapping[str, float]) -> float:
    """Drift of a film divided by that of the true film, in one number: 1 is none, 1.1 is 10% up or down."""
    ratios = [np.log(own[name] / true[name]) for name in DRIFTING]
    return float(np.exp(np.abs(ratios).mean()))
