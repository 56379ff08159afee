"""What the judges share: a window of film in, the world's attributes and some features out. Our own.

A judge is a small video network that measures films, and no part of the pipeline. Two of them are trained
apart, with other seeds and another architecture (`judge_conv`, `judge_transformer`): what selects films must
not be what reports on them.

Shapes: B windows of T frames, A attributes (`ATTRIBUTES`), D feature channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin
from torch import Tensor, nn

from arlon_core.world.vocabulary import LABELS

ATTRIBUTES = tuple(LABELS)
# A window is every second of 17 frames: 1.4 s at 12 frames a second, enough to tell a hop from a climb and
# short enough for the last third of a segment of 14 latent frames (4.7 s). 17 = 4n-3, what a VAE takes.
WINDOW, STRIDE = 9, 2
SPAN = (WINDOW - 1) * STRIDE + 1


@dataclass
class Reading:
    """What a judge says of windows."""

    logits: dict[str, Tensor]  # attribute -> (B, classes)
    features: Tensor  # (B, T, A, D), what was looked at for each attribute in each frame
    embedding: Tensor  # (B, E), the window as a whole
    looks: Tensor  # (B, T, A, h, w), where that was: shares of a coarse page, which sum to 1

    def probabilities(self) -> dict[str, Tensor]:
        """Attribute -> (B, classes), in fp32."""
        return {name: logits.float().softmax(-1) for name, logits in self.logits.items()}


class Judge(ModelMixin, ConfigMixin):
    """Base: prepares frames; `read` of the architecture does the rest."""

    def forward(self, frames: Tensor) -> Reading:
        """Windows (B, T, 3, H, W), uint8 or floats in 0..255, of any size -> Reading.

        T is WINDOW. Raises ValueError for another number of frames.
        """
        if frames.ndim != 5 or frames.shape[1] != WINDOW or frames.shape[2] != 3:
            raise ValueError(f"a judge reads windows (B, {WINDOW}, 3, H, W), not {tuple(frames.shape)}")
        size = (self.config.height, self.config.width)
        pictures = frames.flatten(0, 1).to(self.dtype if self.dtype.is_floating_point else torch.float32)
        if pictures.shape[-2:] != size:
            pictures = F.interpolate(pictures, size, mode="bilinear", antialias=True, align_corners=False)
        return self.read((pictures / 127.5 - 1).unflatten(0, frames.shape[:2]))

    def read(self, pictures: Tensor) -> Reading:
        """Pictures (B, T, 3, height, width) in [-1, 1] -> Reading."""
        raise NotImplementedError


def label_heads(width: int) -> nn.ModuleList:
    """One linear head an attribute, in the order of ATTRIBUTES."""
    return nn.ModuleList(nn.Linear(width, len(LABELS[name])) for name in ATTRIBUTES)


def apply_heads(heads: nn.ModuleList, content: Tensor) -> dict[str, Tensor]:
    """Content (B, A, D) -> attribute -> logits (B, classes)."""
    return {name: head(content[:, i]) for i, (name, head) in enumerate(zip(ATTRIBUTES, heads, strict=True))}


def reading_starts(start: int, stop: int) -> range:
    """First frames of the windows that lie in the last third of a segment of frames [start, stop).

    Raises ValueError when none does: a segment has at least 3 SPAN frames.
    """
    starts = range(stop - (stop - start) // 3, stop - SPAN + 1)
    if not starts:
        raise ValueError(f"the last third of {stop - start} frames holds no window of {SPAN}")
    return starts


def windows_of(frames: Tensor, starts: list[int]) -> Tensor:
    """Windows (B, WINDOW, 3, H, W) of frames (F, 3, H, W), one from each start.

    Raises ValueError when a window reaches past the end.
    """
    if not starts or min(starts) < 0 or max(starts) + SPAN > len(frames):
        raise ValueError(f"windows of {SPAN} frames from {starts} do not lie within {len(frames)} frames")
    return torch.stack([frames[start : start + SPAN : STRIDE] for start in starts])
