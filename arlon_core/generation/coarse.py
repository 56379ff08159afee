"""From tokens to coarse latents F, and from those to small pictures: always the same windows, never ahead.

Both decoders look back a known number of latent frames. A window that begins so much earlier, and drops what
those frames make, equals the decode of the whole film; and since the windows are fixed by the plan, so are
their bits. Memory stays that of a window, however long the film is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from arlon_core.generation.decode import to_uint8
from arlon_core.generation.plan import SegmentPlan, frames_of_latents, split_range

if TYPE_CHECKING:
    from arlon_core.pipeline import ArlonPipeline, PromptStates

_PREVIEW_WINDOW = 16  # latent frames decoded together


@torch.no_grad()
def coarse_latents(pipe: ArlonPipeline, tokens: Tensor, start: int, stop: int) -> Tensor:
    """F of latent frames [start, stop): (C, stop - start, h, w), fp32, on the device of the VQ-VAE.

    tokens: (latent frames, S) of the film, at least up to `stop`; later ones are not looked at.
    """
    vqvae = pipe.latent_vqvae
    rows = pipe.latent_size[1] // vqvae.config.token_height
    first = max(0, start - vqvae.context)
    indices = rearrange(tokens[first:stop], "t (h w) -> 1 t h w", h=rows).to(vqvae.device)
    return vqvae.decode(indices)[0, :, start - first :].float()


@torch.no_grad()
def preview_pictures(
    pipe: ArlonPipeline, tokens: Tensor, segment: SegmentPlan, text: PromptStates
) -> Iterator[np.ndarray]:
    """A segment in small pictures, uint8 (F, H/2, W/2, 3), window by window: exactly its frames.

    text: the segment's own.
    """
    decoder = pipe.preview_decoder
    for start, stop in split_range(segment.start, segment.stop, _PREVIEW_WINDOW):
        first = max(0, start - decoder.context)
        coarse = coarse_latents(pipe, tokens, first, stop)
        frames = decoder(coarse[None], text.states, text.mask)[0]
        # The pictures of a window are counted as if it began the film; those of `start` on are its last ones.
        wanted = frames_of_latents(stop) - frames_of_latents(start)
        pictures = to_uint8(frames[:, frames.shape[1] - wanted :])
        yield pictures[: max(0, segment.stop_frame - frames_of_latents(start))]
