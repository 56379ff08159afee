"""From model frames to pictures for the samples that training writes."""

from __future__ import annotations

import numpy as np
from torch import Tensor


def to_pictures(frames: Tensor) -> np.ndarray:
    """Frames (3, F, H, W) in [-1, 1] -> uint8 pictures (F, H, W, 3)."""
    pixels = (frames.detach().float().clamp(-1, 1) + 1) * 127.5
    return pixels.round().byte().permute(1, 2, 3, 0).cpu().numpy()
