"""The latest latent frames of a film, all that a chunk and its decoding look back on."""

from __future__ import annotations

import torch
from torch import Tensor


class LatentTail:
    """The latest latent frames of the film: what overlap and warm-up look back on, and no more."""

    def __init__(self, channels: int, height: int, width: int, keep: int) -> None:
        self.keep = keep
        self.latents = torch.empty(channels, 0, height, width, dtype=torch.float16)
        self.stop = 0  # the film's latent frame after the last one held

    def append(self, latents: Tensor) -> None:
        """The next latents (C, n, h, w)."""
        joined = torch.cat([self.latents, latents], dim=1)
        self.latents = joined[:, max(0, joined.shape[1] - self.keep) :].clone()
        self.stop += latents.shape[1]

    def get(self, start: int, stop: int) -> Tensor:
        """Latent frames [start, stop) of the film: (C, stop - start, h, w)."""
        first = self.stop - self.latents.shape[1]
        assert first <= start <= stop <= self.stop, f"held are {first}..{self.stop}, not {start}..{stop}"
        return self.latents[:, start - first : stop - first]
