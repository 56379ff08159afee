"""The preview decoder: latents or coarse latents F -> small pictures, fast on a CPU. Our own.

Half the video's height and width: 128x224 for a film of 256x448. Causal: a latent frame's pictures depend on
it and on the `context` latent frames before it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from einops import rearrange
from torch import Tensor, nn

_UPSCALE = 4  # pictures are this much larger than the latent grid
_FRAMES = 4  # video frames a latent frame


class PreviewDecoder(ModelMixin, ConfigMixin):
    """Normalised latents -> pictures of 4 x 4 a latent pixel, 4 frames a latent frame (1 for the first)."""

    @register_to_config
    def __init__(self, latent_channels: int = 16, channels: int = 64, num_blocks: int = 3) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(2 * latent_channels, channels, 3, padding=1)
        self.blocks = nn.ModuleList(_Block(channels) for _ in range(num_blocks))
        self.conv_out = nn.Conv2d(channels, 3 * _FRAMES * _UPSCALE**2, 3, padding=1)

    @property
    def context(self) -> int:
        """How many latent frames back it looks."""
        return 1

    def forward(self, latents: Tensor) -> Tensor:
        """Normalised latents (B, C, T, h, w) -> frames (B, 3, 4T-3, 4h, 4w), in [-1, 1] outside training.

        To decode a piece from the middle of a film, put the `context` latent frames before it in front, and
        drop the pictures that they make.
        """
        frames = latents.shape[2]
        x = rearrange(latents.to(self.dtype), "b c t h w -> b t c h w")
        before = torch.cat([x[:, :1], x[:, :-1]], dim=1)  # the first latent frame stands for its own past
        x = self.conv_in(rearrange([x, before], "n b t c h w -> (b t) (n c) h w"))
        for block in self.blocks:
            x = block(x)
        pictures = rearrange(
            self.conv_out(F.silu(x)),
            "(b t) (n c i j) h w -> b c (t n) (h i) (w j)",
            t=frames, n=_FRAMES, c=3, i=_UPSCALE, j=_UPSCALE,
        )  # fmt: skip
        # The first latent frame stands for one video frame, the last of its four.
        pictures = pictures[:, :, _FRAMES - 1 :]
        return pictures if self.training else pictures.clamp(-1, 1)


class _Block(nn.Module):
    """A residual pair of 3x3 convolutions; no norm, which at this size costs more than it gives."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.silu(self.conv1(F.silu(x))))
