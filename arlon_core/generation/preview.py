"""What a chunk is going to look like, while it is denoised: small pictures of the estimated clean latents.

A few pictures only: each costs a pass of the preview decoder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from arlon_core.generation.decode import to_uint8

if TYPE_CHECKING:
    from arlon_core.models.preview_decoder import PreviewDecoder
    from arlon_core.pipeline import PromptStates

PICTURES = 3  # of a chunk's new latent frames: near its start, its middle, and the last one (our choice)


def clean_estimate(before: Tensor, after: Tensor, timesteps: Tensor, step: int) -> Tensor:
    """The clean latents that step `step` (from 0) of the sampler points at: x_0 = x_t + u v, u = t / 1000.

    before, after: latents (1, C, T, h, w) on both sides of the step, whose velocity is their difference over
    its length; so after the last step the estimate is `after` itself. timesteps: (N,), falling.
    """
    now = timesteps[step]
    after_now = timesteps[step + 1] if step + 1 < len(timesteps) else torch.zeros_like(now)
    return before + (after - before) * (now / (now - after_now))


@torch.no_grad()
def chunk_pictures(decoder: PreviewDecoder, latents: Tensor, overlap: int, text: PromptStates) -> np.ndarray:
    """uint8 (T, H/2, W/2, 3) of clean latents (1, C, overlap + n, h, w): up to PICTURES of the n new frames.

    text: the chunk's own. The decoder looks one latent frame back, so each picture is decoded from a pair.
    """
    frames = latents.shape[2]
    count = min(PICTURES, frames - overlap)
    chosen = [overlap + (number + 1) * (frames - overlap) // count - 1 for number in range(count)]
    pairs = torch.cat([latents[:, :, [max(0, frame - 1), frame]] for frame in chosen])
    told = (each.expand(len(pairs), *each.shape[1:]) for each in (text.states, text.mask))
    pictures = decoder(pairs, *told)[:, :, -1]
    return to_uint8(pictures.transpose(0, 1))
