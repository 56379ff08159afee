"""The judge for selection and for the studio's meter: convolutions in space, then in time. Our own.

For each attribute and frame it looks somewhere (a softmax over the page), keeps what is there and where that
was, and reads the attribute from the nine of them together: a path tells an action better than any one place.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import register_to_config
from einops import rearrange
from torch import Tensor, nn

from arlon_core.models.judge import ATTRIBUTES, WINDOW, Judge, Reading, apply_heads, label_heads

_NEIGHBOURS = 3  # frames that `with_neighbours` puts side by side
_PLACE = 4  # numbers that say where it looked: x, y and the spread of each


class ConvJudge(Judge):
    """Four levels of (2+1)D convolutions, one look an attribute and frame, one small network an attribute."""

    @register_to_config
    def __init__(
        self,
        height: int = 128,
        width: int = 224,
        widths: tuple[int, ...] = (32, 64, 128, 192),
        feature_dim: int = 48,
        hidden_size: int = 96,
    ) -> None:
        """height, width: of the pictures it looks at; widths: channels a level, each at half the size."""
        super().__init__()
        self.conv_in = nn.Conv2d(3, widths[0], 4, stride=2, padding=1)
        self.levels = nn.ModuleList(_Level(a, b) for a, b in zip(widths, (*widths[1:], None), strict=True))
        top = widths[-1]
        self.norm_out = _norm(top)
        self.scores = nn.Conv2d(top, len(ATTRIBUTES), 1)
        self.contents = nn.Conv2d(top, feature_dim * len(ATTRIBUTES), 1)
        path = WINDOW * (feature_dim + _PLACE)
        self.paths = nn.ModuleList(nn.Sequential(nn.Linear(path, hidden_size), nn.GELU()) for _ in ATTRIBUTES)
        self.heads = label_heads(hidden_size)

    def read(self, pictures: Tensor) -> Reading:
        """Pictures (B, T, 3, H, W) in [-1, 1] -> Reading."""
        batch = len(pictures)
        x = self.conv_in(pictures.flatten(0, 1))
        for level in self.levels:
            x = level(x, batch)
        x = F.silu(self.norm_out(x))
        looks = rearrange(self.scores(x), "(b t) a h w -> b t a h w", b=batch)
        weights = looks.float().flatten(-2).softmax(-1).to(x.dtype)  # (B, T, A, H*W)
        values = rearrange(self.contents(x), "(b t) (a d) h w -> b t a (h w) d", b=batch, a=len(ATTRIBUTES))
        features = torch.einsum("btap,btapd->btad", weights, values)
        seen = torch.cat([features, _places(weights, looks.shape[-2:])], dim=-1)
        paths = rearrange(seen, "b t a d -> a b (t d)")
        content = torch.stack([net(path) for net, path in zip(self.paths, paths, strict=True)], dim=1)
        embedding = rearrange(x, "(b t) c h w -> b c (t h w)", b=batch).mean(-1)
        return Reading(
            apply_heads(self.heads, content), _normalised(features), embedding, weights.view_as(looks)
        )


class _Level(nn.Module):
    """A residual block in the page, one in time, and the step to the next level, if there is one."""

    def __init__(self, channels: int, out_channels: int | None) -> None:
        super().__init__()
        self.norm1, self.norm2, self.norm3 = _norm(channels), _norm(channels), _norm(channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.time = nn.Conv2d(_NEIGHBOURS * channels, channels, 1)
        self.down = (
            None if out_channels is None else nn.Conv2d(channels, out_channels, 4, stride=2, padding=1)
        )

    def forward(self, x: Tensor, batch: int) -> Tensor:
        """(B*T, C, H, W) -> (B*T, C', H/2, W/2)."""
        x = x + self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))
        frames = rearrange(F.silu(self.norm3(x)), "(b t) c h w -> b t c h w", b=batch)
        x = x + self.time(with_neighbours(frames).flatten(0, 1))
        return x if self.down is None else self.down(x)


def with_neighbours(frames: Tensor) -> Tensor:
    """Frames (B, T, C, h, w) -> (B, T, 3C, h, w): the one before, this one, the one after.

    The first and the last frame are their own neighbours.
    """
    before = torch.cat([frames[:, :1], frames[:, :-1]], 1)
    after = torch.cat([frames[:, 1:], frames[:, -1:]], 1)
    return torch.cat([before, frames, after], 2)


def _places(weights: Tensor, size: torch.Size) -> Tensor:
    """Weights (B, T, A, H*W) over a page -> mean x and y in -1..1, and the spread of each: (B, T, A, 4)."""
    rows, columns = size
    y, x = torch.meshgrid(
        torch.linspace(-1, 1, rows, device=weights.device),
        torch.linspace(-1, 1, columns, device=weights.device),
        indexing="ij",
    )
    grid = torch.stack([x.flatten(), y.flatten()], -1).to(weights.dtype)  # (H*W, 2)
    mean = weights @ grid
    spread = (weights @ grid.square() - mean.square()).clamp_min(0)
    return torch.cat([mean, spread], -1)


def _normalised(features: Tensor) -> Tensor:
    return F.layer_norm(features.float(), features.shape[-1:])


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(math.gcd(8, channels), channels)
