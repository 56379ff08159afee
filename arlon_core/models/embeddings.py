"""Embeddings of STDiT3: patches, positions, numbers (timestep, frames per second) and captions.

Legend: B batch, T latent frames, H W latent height and width, h w patches along them, S = h*w, D width, L
text tokens.

Every table (rotary angles, position embedding, sinusoids) is computed in float32 inside the forward pass,
whatever the model's dtype: they cost microseconds, and casting them to bfloat16 turns late positions by up to
0.4 rad.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

SINUSOID_WIDTH = 256
MAX_PERIOD = 10000.0


def sinusoidal_embedding(values: Tensor, width: int = SINUSOID_WIDTH) -> Tensor:
    """[N] numbers -> [N, width] float32: cosines first, then sines, periods from 2 pi to 2 pi * 10000."""
    half = width // 2
    steps = torch.arange(half, dtype=torch.float32, device=values.device)
    angles = values.float()[:, None] * torch.exp(-math.log(MAX_PERIOD) / half * steps)
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


def position_embedding(rows: int, columns: int, width: int, scale: Tensor | float, base: int) -> Tensor:
    """Sine and cosine embedding of a grid of patches, row-major: [1, rows * columns, width] float32.

    The first half of the channels encodes the column, the second half the row; each half is [sines, cosines].
    Coordinates are stretched so that a grid of any size covers `base` steps divided by `scale`
    (Open-Sora v1.2; `scale` is the side of the picture in units of the base picture's side).
    """
    device = scale.device if isinstance(scale, Tensor) else None
    frequencies = inverse_frequencies(width // 2, device)

    def axis(count: int) -> Tensor:
        coordinates = torch.arange(count, dtype=torch.float32, device=device) / scale * (base / count)
        angles = coordinates[:, None] * frequencies
        return torch.cat([angles.sin(), angles.cos()], dim=-1)  # (count, width / 2)

    along_rows = axis(rows)[:, None].expand(rows, columns, -1)
    along_columns = axis(columns)[None].expand(rows, columns, -1)
    return torch.cat([along_columns, along_rows], dim=-1).flatten(0, 1)[None]


def inverse_frequencies(width: int, device: torch.device | None = None) -> Tensor:
    """The width / 2 angular speeds 10000^(-2j / width), in float32."""
    return MAX_PERIOD ** (-torch.arange(0, width, 2, dtype=torch.float32, device=device) / width)


def rotary_tables(frames: int, head_dim: int, device: torch.device | None = None) -> tuple[Tensor, Tensor]:
    """Cosines and sines of rotary positions 0..frames-1: two [frames, head_dim / 2] in float32."""
    positions = torch.arange(frames, dtype=torch.float32, device=device)
    angles = positions[:, None] * inverse_frequencies(head_dim, device)
    return angles.cos(), angles.sin()


def apply_rotary(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn neighbouring channel pairs (0,1), (2,3), ... of x [..., frames, head_dim], keeping its dtype."""
    even, odd = x[..., 0::2], x[..., 1::2]
    turned = torch.stack([even * cos - odd * sin, odd * cos + even * sin], dim=-1)
    return turned.flatten(-2).to(x.dtype)


class RotaryEmbedding(nn.Module):
    """Holder of the released key `rope.freqs`, which repeats a formula: the tables never come from its value.

    So a checkpoint that lacks the key loads too, and a cast of the model to bfloat16 leaves positions exact.
    """

    def __init__(self, head_dim: int) -> None:
        super().__init__()
        self.head_dim = head_dim
        self.freqs = nn.Parameter(inverse_frequencies(head_dim), requires_grad=False)

    def forward(self, frames: int) -> tuple[Tensor, Tensor]:
        return rotary_tables(frames, self.head_dim, self.freqs.device)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        state_dict.setdefault(prefix + "freqs", inverse_frequencies(self.head_dim))
        super()._load_from_state_dict(state_dict, prefix, *args)


class PatchEmbed3D(nn.Module):
    """Latents [B, C, T, H, W] -> tokens [B, T' * h * w, D], zero-padded at the right, bottom and end."""

    def __init__(self, patch_size: tuple[int, int, int], in_channels: int, width: int) -> None:
        super().__init__()
        self.patch_size = patch_size
        self.proj = nn.Conv3d(in_channels, width, kernel_size=patch_size, stride=patch_size)

    def forward(self, x: Tensor) -> Tensor:
        x = pad_to_patches(x, self.patch_size)
        pt, ph, pw = self.patch_size
        # The windows do not overlap, so the convolution is one matrix product, which is faster on a CPU.
        patches = rearrange(x, "b c (t pt) (h ph) (w pw) -> b (t h w) (c pt ph pw)", pt=pt, ph=ph, pw=pw)
        return F.linear(patches, self.proj.weight.flatten(1), self.proj.bias)


def pad_to_patches(x: Tensor, patch_size: tuple[int, int, int]) -> Tensor:
    """Pad [B, C, T, H, W] with zeros behind the last frame, row and column, up to multiples of the patch."""
    pt, ph, pw = patch_size
    frames, height, width = x.shape[-3:]
    return F.pad(x, (0, -width % pw, 0, -height % ph, 0, -frames % pt))


class NumberEmbedder(nn.Module):
    """A number for each sample -> [B, D]; used for the timestep and for frames per second."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(SINUSOID_WIDTH, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, values: Tensor) -> Tensor:
        return self.mlp(sinusoidal_embedding(values).to(self.last.weight.dtype))

    @property
    def last(self) -> nn.Linear:
        last = self.mlp[2]
        assert isinstance(last, nn.Linear)
        return last


class Mlp(nn.Module):
    """Linear, tanh-GELU, Linear."""

    def __init__(self, in_features: int, hidden_features: int, out_features: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(in_features, hidden_features)
        self.fc2 = nn.Linear(hidden_features, out_features)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x), approximate="tanh"))


class CaptionEmbedder(nn.Module):
    """Text features [B, 1, L, C] -> [B, L, D]; in training some samples get the null caption instead."""

    def __init__(self, in_channels: int, width: int, max_length: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.y_proj = Mlp(in_channels, width, width)
        self.y_embedding: Tensor
        self.register_buffer("y_embedding", torch.randn(max_length, in_channels) / in_channels**0.5)

    def null_caption(self, length: int) -> Tensor:
        """The caption that stands for no text: [1, 1, length, C]; the null text is cut like any other."""
        return self.y_embedding[None, None, :length]

    def forward(self, y: Tensor) -> Tensor:
        if self.training and self.dropout > 0:
            dropped = torch.rand(y.shape[0], device=y.device) < self.dropout
            y = torch.where(dropped[:, None, None, None], self.null_caption(y.shape[2]).to(y.dtype), y)
        return self.y_proj(y.squeeze(1))


class PooledText(nn.Module):
    """Text tokens [B, L, D] -> their mean, projected [B, D], to join the timestep's vector; zero at first."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, width)

    def forward(self, text: Tensor, mask: Tensor | None) -> Tensor:
        """mask [B, 1, 1, L] bool, as `attention_mask` makes it; None where all tokens count."""
        if mask is None:
            return self.proj(text.mean(1))
        weights = mask[:, 0, 0, :, None].to(text.dtype)  # (B, L, 1)
        return self.proj((text * weights).sum(1) / weights.sum(1).clamp_min(1))


def repeat_to_batch(x: Tensor, batch: int) -> Tensor:
    """Tile x along its first axis up to `batch` rows ([a, b] -> [a, b, a, b]).

    Raises ValueError where `batch` is no multiple of x's rows.
    """
    rows = x.shape[0]
    if rows == batch:
        return x
    if batch % rows:
        raise ValueError(f"{rows} rows of conditions cannot be repeated to a batch of {batch}.")
    return x.repeat(batch // rows, *([1] * (x.ndim - 1)))


def attention_mask(mask: Tensor | None, batch: int) -> Tensor | None:
    """Text mask [B or a divisor, L] -> [B, 1, 1, L] bool; the unconditional half has the prompt's length."""
    return None if mask is None else repeat_to_batch(mask.bool().reshape(-1, 1, 1, mask.shape[-1]), batch)


def as_vector(value: Tensor | float, device: torch.device) -> Tensor:
    """One or more numbers as a vector; a Python number is filled in there, not copied over."""
    if isinstance(value, Tensor):
        return value.to(device).reshape(-1)
    return torch.full((1,), float(value), device=device)
