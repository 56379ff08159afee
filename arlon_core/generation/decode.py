"""From latents to pictures: the streaming VAE decode of a whole film, piece by piece.

The decoder's memory is carried from chunk to chunk. Where it is not at hand (a run that goes on in the
middle) the decoder is warmed up on the latents before, as many as its convolutions look back on, so that the
frames are the same bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from torch import Tensor

from arlon_core.models.video_vae import StreamingDecoder, warm_up_latents

# Latent frames [start, stop) of the film, all of them made before: (C, stop - start, h, w).
LatentsBefore = Callable[[int, int], Tensor]


def _go_on() -> None:
    """Never stops a decode."""


class FilmDecoder:
    """Decodes latent frames in the film's order, from wherever it is asked to begin.

    pause: called before every latent frame; it may raise to cancel, and the decoder is then of no more use.
    """

    def __init__(self, vae: AutoencoderKLWan, pause: Callable[[], None] = _go_on) -> None:
        self.stream = StreamingDecoder(vae)
        self.pause = pause
        self.warm_up = warm_up_latents(vae)
        self.position = 0  # the film's latent frame that the stream expects next

    def frames(self, latents: Tensor, start: int, before: LatentsBefore) -> np.ndarray:
        """Latents (C, n, h, w) of the film's latent frames from `start` -> uint8 frames (F, H, W, 3).

        F is 4n, or 4n-3 at the beginning of the film. before: gives earlier latents when the stream has to be
        warmed up.
        """
        if start != self.position:
            self._move_to(start, before)
        pieces = []
        for latent in latents[None].split(1, dim=2):
            self.pause()
            pieces.append(to_uint8(self.stream.decode(latent)[0]))
        self.position = start + latents.shape[1]
        return np.concatenate(pieces)

    def _move_to(self, start: int, before: LatentsBefore) -> None:
        self.stream.reset()
        first = max(0, start - self.warm_up)
        if start > first:
            for latent in before(first, start)[None].split(1, dim=2):  # singly: these frames are dropped
                self.pause()
                self.stream.decode(latent)
        self.position = start


def to_uint8(frames: Tensor) -> np.ndarray:
    """Frames (3, F, H, W) in [-1, 1] -> uint8 pictures (F, H, W, 3)."""
    pixels = ((frames.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return pixels.permute(1, 2, 3, 0).contiguous().cpu().numpy()
