"""The judge for reports: a strided stem and a transformer with attention split into space and time.

Divided space-time attention is TimeSformer's (Bertasius et al. 2021), the convolutional stem is that of Xiao
et al. 2021 (early convolutions). Each attribute is a learned query that looks at every frame. Within the stem
frames are matched (`frame_matching`): a calm world moves by a pixel or two from frame to frame, which
attention between patches of 16 pixels finds late.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import register_to_config
from einops import rearrange
from torch import Tensor, nn

from arlon_core.models.frame_matching import FrameMatching
from arlon_core.models.judge import ATTRIBUTES, WINDOW, Judge, Reading, apply_heads, label_heads

_MATCHED = 2  # the layer of the stem that frames are matched before: at a quarter of the pictures' size


class TransformerJudge(Judge):
    """Stem of four halvings, blocks of spatial and temporal attention, queries an attribute."""

    @register_to_config
    def __init__(
        self,
        height: int = 128,
        width: int = 224,
        stem_widths: tuple[int, ...] = (32, 64, 128, 160),
        num_layers: int = 4,
        num_heads: int = 5,
    ) -> None:
        """height, width: of the pictures it looks at; the last of stem_widths is the width of the model."""
        super().__init__()
        dim = stem_widths[-1]
        self.stem = nn.ModuleList(
            nn.Conv2d(a, b, 3, stride=2, padding=1)
            for a, b in zip((3, *stem_widths[:-1]), stem_widths, strict=True)
        )
        self.matching = FrameMatching(stem_widths[_MATCHED - 1])
        rows, columns = -(-height // 16), -(-width // 16)  # each halving rounds up
        self.space = nn.Parameter(0.02 * torch.randn(rows * columns, dim))
        self.time = nn.Parameter(0.02 * torch.randn(WINDOW, dim))
        self.blocks = nn.ModuleList(_Block(dim, num_heads) for _ in range(num_layers))
        self.norm_out = nn.LayerNorm(dim)
        self.queries = nn.Parameter(0.02 * torch.randn(len(ATTRIBUTES), dim))
        self.look = nn.MultiheadAttention(dim, num_heads, batch_first=True)
        self.mix = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, dim), nn.GELU())
        self.heads = label_heads(dim)

    def read(self, pictures: Tensor) -> Reading:
        """Pictures (B, T, 3, H, W) in [-1, 1] -> Reading."""
        batch = len(pictures)
        x = self.stem[0](pictures.flatten(0, 1))
        for number, conv in enumerate(self.stem[1:], 1):
            x = F.gelu(x)
            x = conv(self.matching(x, batch) if number == _MATCHED else x)
        tokens = rearrange(x, "(b t) d h w -> b t (h w) d", b=batch)
        tokens = tokens + self.space + self.time[:, None]
        for block in self.blocks:
            tokens = block(tokens)
        tokens = self.norm_out(tokens)
        frames = rearrange(tokens, "b t n d -> (b t) n d")
        queries = self.queries.to(frames.dtype).expand(len(frames), -1, -1)
        seen, looks = self.look(queries, frames, frames)
        looks = looks.view(*tokens.shape[:2], len(ATTRIBUTES), *x.shape[-2:])
        features = rearrange(seen, "(b t) a d -> b t a d", b=batch)
        content = self.mix(features).mean(1)
        normalised = F.layer_norm(features.float(), features.shape[-1:])
        return Reading(apply_heads(self.heads, content), normalised, tokens.mean((1, 2)), looks)


class _Block(nn.Module):
    """Attention over time at each place, attention over the page in each frame, and a feed-forward."""

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2, self.norm3 = nn.LayerNorm(dim), nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.temporal, self.spatial = _Attention(dim, num_heads), _Attention(dim, num_heads)
        self.feed = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, N, D) -> the same."""
        across = rearrange(self.norm1(x), "b t n d -> b n t d")
        x = x + rearrange(self.temporal(across), "b n t d -> b t n d")
        x = x + self.spatial(self.norm2(x))
        return x + self.feed(self.norm3(x))


class _Attention(nn.Module):
    """Self-attention along the second last dimension of (B, M, N, D)."""

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = rearrange(self.qkv(x), "b m n (three h d) -> three (b m) h n d", three=3, h=self.num_heads)
        y = F.scaled_dot_product_attention(q, k, v)
        return self.out(rearrange(y, "(b m) h n d -> b m n (h d)", b=len(x)))
