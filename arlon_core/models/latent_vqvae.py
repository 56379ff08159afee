"""The latent VQ-VAE: video latents <-> one slice of tokens a latent frame, and the coarse latents F.

ARLON section 3.1 nests it inside the frozen video VAE: its decoder's output F lies on the same grid as the
latents and is what guides the diffusion transformer. The paper's layers are not published; these are ours.
It compresses space only, so that borders between prompts are exact. Encoder and decoder look back in time
(`temporal_context` latent frames) and never ahead.

Shapes: normalised latents and F (B, C, T, H, W), indices (B, T, h, w) with h = H / token_height.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from einops import rearrange
from torch import Tensor, nn

from arlon_core.models.quantizer import VectorQuantizer

_LEVEL_WIDTHS = (0.5, 0.75, 1.0, 1.5)  # of base_channels, from the latent grid to the token grid
# Of the mean square. van den Oord et al. 2017, section 3.2, say 0.25; in short runs on drawn episodes 0.06
# to 0.16 gave the same error with more of the codebook in use.
_COMMITMENT = 0.1


@dataclass
class VQOutput:
    """What a forward pass gives; the last three are scalars."""

    reconstruction: Tensor  # (B, C, T, H, W), the coarse latents F
    indices: Tensor  # (B, T, h, w)
    commitment_loss: Tensor  # already scaled: add it to the loss
    perplexity: Tensor
    usage: Tensor


class LatentVQVAE(ModelMixin, ConfigMixin):
    """Normalised latents -> indices -> coarse latents F."""

    @register_to_config
    def __init__(
        self,
        latent_channels: int = 16,
        token_height: int = 8,
        token_width: int = 8,
        base_channels: int = 128,
        codebook_size: int = 4096,
        code_dim: int = 8,
        temporal_context: int = 6,
        decay: float = 0.99,
    ) -> None:
        """`token_height` x `token_width` latent pixels make one token; `temporal_context` is even."""
        super().__init__()
        if temporal_context % 2:
            raise ValueError(
                f"temporal_context must be even (each convolution looks back 2), got {temporal_context}"
            )
        strides = _strides(token_height, token_width)
        widths = [8 * max(1, round(base_channels * share / 8)) for share in _LEVEL_WIDTHS]
        self.encoder = _Encoder(latent_channels, widths, strides, code_dim)
        self.quantizer = VectorQuantizer(codebook_size, code_dim, decay=decay)
        self.decoder = _Decoder(latent_channels, widths, strides, code_dim, temporal_context // 2)

    @property
    def context(self) -> int:
        """How many latent frames back the decoder looks: F of frame t depends on tokens t - context .. t."""
        return self.config.temporal_context

    def encode(self, latents: Tensor) -> Tensor:
        """Latents (B, C, T, H, W) -> indices (B, T, h, w). Raises ValueError if the grid does not divide."""
        return self.quantizer.encode(self._hidden(latents))

    def decode(self, indices: Tensor) -> Tensor:
        """Indices (B, T, h, w) -> coarse latents F (B, C, T, H, W)."""
        return self._decode_codes(self.quantizer.lookup(indices))

    def forward(self, latents: Tensor, weights: Tensor | None = None) -> VQOutput:
        """Latents (B, C, T, H, W), and optional weights of latent pixels (B, T, H, W) -> VQOutput.

        The weights (subject masks) reach the commitment loss and the codebook, as their mean over a token.
        """
        if weights is not None:
            weights = F.avg_pool2d(weights.float(), (self.config.token_height, self.config.token_width))
        quantized = self.quantizer(self._hidden(latents), weights)
        return VQOutput(
            reconstruction=self._decode_codes(quantized.codes),
            indices=quantized.indices,
            commitment_loss=_COMMITMENT * quantized.commitment_loss,
            perplexity=quantized.perplexity,
            usage=quantized.usage,
        )

    def _hidden(self, latents: Tensor) -> Tensor:
        """Latents -> vectors to quantise (B, T, h, w, D)."""
        frames, height, width = latents.shape[2:]
        rows, columns = self.config.token_height, self.config.token_width
        if height % rows or width % columns:
            raise ValueError(f"latents of {height}x{width} do not divide into tokens of {rows}x{columns}")
        x = rearrange(latents.to(self.dtype), "b c t h w -> (b t) c h w")
        return rearrange(self.encoder(x, frames), "(b t) d h w -> b t h w d", t=frames)

    def _decode_codes(self, codes: Tensor) -> Tensor:
        frames = codes.shape[1]
        x = rearrange(codes.to(self.dtype), "b t h w d -> (b t) d h w")
        return rearrange(self.decoder(x, frames), "(b t) c h w -> b c t h w", t=frames)


class _Encoder(nn.Module):
    """Latent grid to token grid: a residual block and a strided projection a level, time at the end."""

    def __init__(
        self, channels: int, widths: list[int], strides: list[tuple[int, int]], code_dim: int
    ) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(channels, widths[0], 3, padding=1)
        self.blocks = nn.ModuleList(_ResidualBlock(width) for width in widths[:-1])
        self.downs = nn.ModuleList(
            nn.Conv2d(a, b, stride, stride) for a, b, stride in zip(widths, widths[1:], strides, strict=False)
        )
        self.time = _TemporalBlock(widths[-1])
        self.norm_out = _norm(widths[-1])
        self.conv_out = nn.Conv2d(widths[-1], code_dim, 1)

    def forward(self, x: Tensor, frames: int) -> Tensor:
        x = self.conv_in(x)
        for block, down in zip(self.blocks, self.downs, strict=True):
            x = down(block(x))
        return self.conv_out(F.silu(self.norm_out(self.time(x, frames))))


class _Decoder(nn.Module):
    """Token grid to latent grid; the temporal blocks sit at the coarse levels, where they cost little.

    Several frames of tokens together place a moving subject better than one frame can.
    """

    def __init__(
        self,
        channels: int,
        widths: list[int],
        strides: list[tuple[int, int]],
        code_dim: int,
        temporal_blocks: int,
    ) -> None:
        super().__init__()
        top = widths[-1]
        self.conv_in = nn.Conv2d(code_dim, top, 1)
        # One temporal block goes to the next level, the others to the token grid.
        self.times = nn.ModuleList(_TemporalBlock(top) for _ in range(max(0, temporal_blocks - 1)))
        self.mix = _ResidualBlock(top)
        self.late_time = _TemporalBlock(widths[-2]) if temporal_blocks else None
        self.ups = nn.ModuleList(
            _Up(b, a, stride)
            for a, b, stride in reversed(list(zip(widths, widths[1:], strides, strict=False)))
        )
        self.blocks = nn.ModuleList(_ResidualBlock(width) for width in reversed(widths[:-1]))
        self.last = _ResidualBlock(widths[0])
        self.norm_out = _norm(widths[0])
        self.conv_out = nn.Conv2d(widths[0], channels, 3, padding=1)

    def forward(self, x: Tensor, frames: int) -> Tensor:
        x = self.conv_in(x)
        for time in self.times:
            x = time(x, frames)
        x = self.mix(x)
        for level, (up, block) in enumerate(zip(self.ups, self.blocks, strict=True)):
            x = up(x)
            if level == 0 and self.late_time is not None:
                x = self.late_time(x, frames)
            x = block(x)
        return self.conv_out(F.silu(self.norm_out(self.last(x))))


class _ResidualBlock(nn.Module):
    """Two 3x3 convolutions within a frame."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = _norm(channels), _norm(channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))


class _TemporalBlock(nn.Module):
    """A residual causal convolution over time (this frame and the two before), as a pointwise product.

    Before the first frame it sees the first frame again: nothing in the world moves before a film begins.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = _norm(channels)
        self.mix = nn.Conv2d(3 * channels, channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor, frames: int) -> Tensor:
        h = rearrange(F.silu(self.norm(x)), "(b t) c h w -> b t c h w", t=frames)
        padded = torch.cat([h[:, :1], h[:, :1], h], dim=1)
        triple = torch.cat([padded[:, :-2], padded[:, 1:-1], h], dim=2)
        return x + self.out(F.silu(self.mix(rearrange(triple, "b t c h w -> (b t) c h w"))))


class _Up(nn.Module):
    """A linear map to the finer grid: each position becomes stride_h x stride_w positions."""

    def __init__(self, channels: int, out_channels: int, stride: tuple[int, int]) -> None:
        super().__init__()
        self.stride = stride
        self.proj = nn.Conv2d(channels, out_channels * stride[0] * stride[1], 1)

    def forward(self, x: Tensor) -> Tensor:
        rows, columns = self.stride
        return rearrange(self.proj(x), "b (c i j) h w -> b c (h i) (w j)", i=rows, j=columns)


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(math.gcd(8, channels), channels)


def _strides(token_height: int, token_width: int) -> list[tuple[int, int]]:
    """Three strides, fine to coarse, whose products are the sizes of a token: 8 -> 2, 2, 2; 14 -> 2, 1, 7."""
    return list(zip(_factors(token_height), _factors(token_width), strict=True))


def _factors(size: int) -> list[int]:
    factors: list[int] = []
    rest = size
    while len(factors) < 2 and rest % 2 == 0 and rest > 2:
        factors.append(2)
        rest //= 2
    return [*factors, *[1] * (2 - len(factors)), rest]
