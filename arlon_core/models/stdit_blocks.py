"""The block of STDiT3 and its parts: attention, text attention, modulation and the final layer.

Legend: B batch, T latent frames, S patches in a frame, N = T*S tokens (frame by frame, row-major), D width, L
text tokens. Key names are those of the released Open-Sora v1.2 checkpoint. A modulation has a row for each
latent frame ([B, T, k, D]) where condition frames differ from generated ones, else one row for all of them
([B, 1, k, D]).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from arlon_core.models.embeddings import Mlp, apply_rotary
from arlon_core.models.semantic_injection import InjectionModulation, inject

EPS = 1e-6


class BlockInputs(NamedTuple):
    """What every block of one forward pass sees beside the tokens."""

    text: Tensor  # [B, L, D]
    text_mask: Tensor | None  # [B, 1, 1, L] bool, True where a text token is real
    modulation: Tensor  # [B, T or 1, 6, D]
    cos: Tensor  # [T, head_dim / 2] rotary tables
    sin: Tensor
    grid: tuple[int, int, int]  # T, and rows and columns of patches in a frame


class RMSNorm(nn.Module):
    """Root-mean-square norm over the last axis, computed in float32."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * F.rms_norm(x.float(), self.weight.shape, eps=EPS).to(x.dtype)


def layer_norm(x: Tensor) -> Tensor:
    """Layer norm over the last axis without learned scale and shift."""
    return F.layer_norm(x, x.shape[-1:], eps=EPS)


def modulate_frames(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """x [B, N, D] -> x * (1 + scale) + shift, with shift and scale [B, T or 1, D] given for each frame."""
    frames = rearrange(x, "b (t s) d -> b t s d", t=shift.shape[1])
    return (frames * (1 + scale[:, :, None]) + shift[:, :, None]).flatten(1, 2)


def gate_frames(x: Tensor, gate: Tensor) -> Tensor:
    """x [B, N, D] times gate [B, T or 1, D] of its frame."""
    return (rearrange(x, "b (t s) d -> b t s d", t=gate.shape[1]) * gate[:, :, None]).flatten(1, 2)


def drop_path(x: Tensor, probability: float, training: bool) -> Tensor:
    """Stochastic depth: drop the branch x of whole samples while training, and scale up the rest."""
    if probability == 0.0 or not training:
        return x
    kept = torch.rand(x.shape[0], 1, 1, device=x.device) >= probability
    return x * kept.to(x.dtype) / (1 - probability)


class SelfAttention(nn.Module):
    """Attention inside each sequence [batch, length, D]; rotary positions where tables are given."""

    def __init__(self, width: int, num_heads: int, qk_norm: bool) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(width, width * 3)
        self.q_norm = RMSNorm(width // num_heads) if qk_norm else nn.Identity()
        self.k_norm = RMSNorm(width // num_heads) if qk_norm else nn.Identity()
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor, rotary: tuple[Tensor, Tensor] | None = None) -> Tensor:
        qkv = rearrange(
            self.qkv(x), "b n (three heads d) -> three b heads n d", three=3, heads=self.num_heads
        )
        q, k, v = qkv.unbind(0)
        q, k = self.q_norm(q), self.k_norm(k)
        if rotary is not None:
            q, k = apply_rotary(q, *rotary), apply_rotary(k, *rotary)
        attended = F.scaled_dot_product_attention(q, k, v)
        return self.proj(rearrange(attended, "b heads n d -> b n (heads d)"))


class TextAttention(nn.Module):
    """Attention from tokens to their own sample's text; padding is masked, so it weighs exactly nothing."""

    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.q_linear = nn.Linear(width, width)
        self.kv_linear = nn.Linear(width, width * 2)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor, text: Tensor, text_mask: Tensor | None) -> Tensor:
        q = rearrange(self.q_linear(x), "b n (heads d) -> b heads n d", heads=self.num_heads)
        kv = rearrange(
            self.kv_linear(text), "b l (two heads d) -> two b heads l d", two=2, heads=self.num_heads
        )
        attended = F.scaled_dot_product_attention(q, kv[0], kv[1], attn_mask=text_mask)
        return self.proj(rearrange(attended, "b heads n d -> b n (heads d)"))


class LocalMlp(nn.Module):
    """An MLP whose hidden units also see the same unit of the eight patches around them.

    The depthwise convolution is that of SegFormer's Mix-FFN and of Sana. It is zero at first, so that trained
    weights without it can go on with it.
    """

    def __init__(self, in_features: int, hidden_features: int, out_features: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(in_features, hidden_features)
        self.depthwise = nn.Conv2d(
            hidden_features, hidden_features, 3, padding=1, groups=hidden_features, bias=False
        )
        self.fc2 = nn.Linear(hidden_features, out_features)
        nn.init.zeros_(self.depthwise.weight)

    def forward(self, x: Tensor, grid: tuple[int, int, int]) -> Tensor:
        """x [B, N, D] of `grid` -> [B, N, D']."""
        _, rows, columns = grid
        hidden = self.fc1(x)
        # A view: tokens lie channels last, as convolutions like it.
        pictures = rearrange(hidden, "b (t h w) d -> (b t) d h w", h=rows, w=columns)
        around = rearrange(self.depthwise(pictures), "(b t) d h w -> b (t h w) d", b=len(x))
        return self.fc2(F.gelu(hidden + around, approximate="tanh"))


class STDiT3Block(nn.Module):
    """Self-attention (within frames, or along time), [injection], text attention, MLP."""

    def __init__(
        self,
        width: int,
        num_heads: int,
        mlp_ratio: float = 4.0,
        qk_norm: bool = True,
        temporal: bool = False,
        drop_path: float = 0.0,
        local_mlp: bool = False,
    ) -> None:
        super().__init__()
        self.temporal = temporal
        self.drop_path = drop_path
        self.attn = SelfAttention(width, num_heads, qk_norm)
        self.cross_attn = TextAttention(width, num_heads)
        self.mlp = (LocalMlp if local_mlp else Mlp)(width, int(width * mlp_ratio), width)
        self.scale_shift_table = nn.Parameter(torch.randn(6, width) / width**0.5)

    def forward(self, x: Tensor, inputs: BlockInputs, injection: InjectionModulation | None = None) -> Tensor:
        """x [B, N, D] -> [B, N, D]; `injection` (temporal blocks) modulates right after self-attention."""
        modulation = self.scale_shift_table + inputs.modulation
        shift1, scale1, gate1, shift2, scale2, gate2 = modulation.unbind(2)  # each (B, T or 1, D)

        branch = self._attend(modulate_frames(layer_norm(x), shift1, scale1), inputs)
        x = x + drop_path(gate_frames(branch, gate1), self.drop_path, self.training)
        if injection is not None:
            x = inject(x, injection)
        x = x + self.cross_attn(x, inputs.text, inputs.text_mask)
        branch = self._feed_forward(modulate_frames(layer_norm(x), shift2, scale2), inputs)
        return x + drop_path(gate_frames(branch, gate2), self.drop_path, self.training)

    def _feed_forward(self, x: Tensor, inputs: BlockInputs) -> Tensor:
        return self.mlp(x, inputs.grid) if isinstance(self.mlp, LocalMlp) else self.mlp(x)

    def _attend(self, x: Tensor, inputs: BlockInputs) -> Tensor:
        batch, frames = x.shape[0], inputs.grid[0]
        if self.temporal:
            x = rearrange(x, "b (t s) d -> (b s) t d", t=frames).contiguous()
            x = self.attn(x, (inputs.cos, inputs.sin))
            return rearrange(x, "(b s) t d -> b (t s) d", b=batch)
        x = self.attn(rearrange(x, "b (t s) d -> (b t) s d", t=frames))
        return rearrange(x, "(b t) s d -> b (t s) d", b=batch)


class FinalLayer(nn.Module):
    """Tokens -> the numbers of their patch, modulated by the timestep alone."""

    def __init__(self, width: int, patch_numbers: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, patch_numbers)
        self.scale_shift_table = nn.Parameter(torch.randn(2, width) / width**0.5)

    def forward(self, x: Tensor, t: Tensor, t0: Tensor | None = None, x_mask: Tensor | None = None) -> Tensor:
        """x [B, N, D], t and t0 [B, D], x_mask [B, T] bool.

        Condition frames (x_mask False) are normalised and modulated twice, first with t, then with t0.
        Upstream does so too; sampler and loss throw these outputs away, but parity with the reference needs
        them.
        """
        shift, scale = (self.scale_shift_table + t[:, None]).unsqueeze(1).unbind(2)  # (B, 1, D)
        x = modulate_frames(layer_norm(x), shift, scale)
        if x_mask is not None and t0 is not None:
            shift0, scale0 = (self.scale_shift_table + t0[:, None]).unsqueeze(1).unbind(2)
            condition = modulate_frames(layer_norm(x), shift0, scale0)
            frames = x_mask.shape[1]
            generated = rearrange(x_mask, "b t -> b t 1 1")
            x, condition = (rearrange(z, "b (t s) d -> b t s d", t=frames) for z in (x, condition))
            x = torch.where(generated, x, condition).flatten(1, 2)
        return self.linear(x)
