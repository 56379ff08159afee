"""Subject and background consistency: VBench's formula on a judge's features.

VBench takes DINO features for the subject and CLIP features for the background. Here they are what the judge
looked at to read the subject, and what it looked at to read the place.
"""

from __future__ import annotations

import numpy as np


def consistency(features: np.ndarray) -> float:
    """Features (F, D) of a clip's frames -> the mean over frames of half their likeness to the frame before
    and half that to the first frame; likeness is the cosine, at least 0. Raises ValueError below two frames.
    """
    if features.ndim != 2 or len(features) < 2:
        raise ValueError(f"got features of shape {features.shape}; give those of two frames or more")
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    unit = features / np.maximum(lengths, 1e-12)
    before = np.clip((unit[1:] * unit[:-1]).sum(1), 0, None)
    first = np.clip(unit[1:] @ unit[0], 0, None)
    return float(((before + first) / 2).mean())
