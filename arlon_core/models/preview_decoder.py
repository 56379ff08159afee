"""The preview decoder: latents or coarse latents F, told what they show -> small pictures. Our own.

Half the video's height and width: 128x224 for a film of 256x448. Causal: a latent frame's pictures depend on
it and on the `context` latent frames before it.

Coarse latents say where things are and in what light, and little of what they look like; the text says what
they are. So the decoder reads both: the text bends the middle blocks (feature-wise modulation, Perez et al.
2018), which work at half the latent grid, where they see far and cost little.
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
_QUERIES, _READ = 16, 32  # what is read out of a text: so many things, so many numbers each


class PreviewDecoder(ModelMixin, ConfigMixin):
    """Normalised latents, text -> pictures of 4 x 4 a latent pixel, 4 frames a latent frame (first: 1)."""

    @register_to_config
    def __init__(
        self,
        latent_channels: int = 16,
        text_dim: int = 256,
        channels: int = 64,
        deep_channels: int = 160,
        num_blocks: int = 3,
    ) -> None:
        super().__init__()
        self.text = _TextModulation(text_dim, deep_channels, num_blocks)
        self.conv_in = nn.Conv2d(2 * latent_channels, channels, 3, padding=1)
        self.down = nn.Conv2d(channels, deep_channels, 2, 2)
        self.blocks = nn.ModuleList(_Block(deep_channels) for _ in range(num_blocks))
        self.up = nn.Conv2d(deep_channels, 4 * channels, 1)
        self.last = _Block(channels)
        self.conv_out = nn.Conv2d(channels, 3 * _FRAMES * _UPSCALE**2, 3, padding=1)

    @property
    def context(self) -> int:
        """How many latent frames back it looks."""
        return 1

    def forward(self, latents: Tensor, states: Tensor, mask: Tensor) -> Tensor:
        """Normalised latents (B, C, T, h, w) -> frames (B, 3, 4T-3, 4h, 4w), in [-1, 1] outside training.

        states, mask: of each clip's text, (B, L, D) and (B, L), as the text encoder gives them. h, w: even.
        To decode a piece from the middle of a film, put the `context` latent frames before it in front, and
        drop the pictures that they make.
        """
        frames = latents.shape[2]
        x = rearrange(latents.to(self.dtype), "b c t h w -> b t c h w")
        before = torch.cat([x[:, :1], x[:, :-1]], dim=1)  # the first latent frame stands for its own past
        x = self.conv_in(rearrange([x, before], "n b t c h w -> (b t) (n c) h w"))
        deep = self.down(x)
        told = self.text(states.to(self.dtype), mask).repeat_interleave(frames, dim=0)
        for block, bend in zip(self.blocks, told[..., None, None].unbind(1), strict=True):
            scale, shift = bend.unbind(1)
            deep = block(deep * (1 + scale) + shift)
        x = self.last(x + F.pixel_shuffle(self.up(deep), 2))
        pictures = rearrange(
            self.conv_out(F.silu(x)),
            "(b t) (n c i j) h w -> b c (t n) (h i) (w j)",
            t=frames, n=_FRAMES, c=3, i=_UPSCALE, j=_UPSCALE,
        )  # fmt: skip
        # The first latent frame stands for one video frame, the last of its four.
        pictures = pictures[:, :, _FRAMES - 1 :]
        return pictures if self.training else pictures.clamp(-1, 1)


class _TextModulation(nn.Module):
    """Text states -> a scale and a shift a channel for every block; at initialisation they change nothing."""

    def __init__(self, text_dim: int, channels: int, num_blocks: int) -> None:
        super().__init__()
        self.channels, self.num_blocks = channels, num_blocks
        self.scores = nn.Linear(text_dim, _QUERIES)
        self.content = nn.Linear(text_dim, _READ)
        self.mix = nn.Linear(_QUERIES * _READ, channels)
        self.out = nn.Linear(channels, num_blocks * 2 * channels)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """States (B, L, D) and mask (B, L) -> (B, blocks, 2, channels)."""
        scores = self.scores(states).float().masked_fill(mask[..., None] == 0, -torch.inf)
        read = torch.einsum("blq,blr->bqr", scores.softmax(dim=1).to(states.dtype), self.content(states))
        told = self.out(F.silu(self.mix(read.flatten(1))))
        return told.view(-1, self.num_blocks, 2, self.channels)


class _Block(nn.Module):
    """A residual pair of 3x3 convolutions; no norm, which at this size costs more than it gives."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.silu(self.conv1(F.silu(x))))
