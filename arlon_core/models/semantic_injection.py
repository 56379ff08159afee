"""ARLON's semantic injection: coarse latents F steer the temporal blocks of STDiT3 through a gated adaptive
norm.

Order of the parts as drawn in the paper's figure (arXiv 2410.20502): F -> projection -> N latent adapters ->
uncertainty sampling -> injection after temporal self-attention. The paper's formulae are not public, so these
are our choices: the adapters' width; `inject`'s formula and its place on the residual stream (the attention
branch of a fresh temporal block is zero, where a layer norm would be ill-conditioned); the two-layer MLP for
each block; and uncertainty sampling as a resampling of feature statistics.

Legend: B batch, T latent frames, H W latent height and width, N tokens of the patch grid, D width.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from arlon_core.models.embeddings import Mlp, PatchEmbed3D, repeat_to_batch

STATISTICS_EPS = 1e-6


class InjectionModulation(NamedTuple):
    """What one temporal block applies to every token: each [B, N, D]."""

    gate: Tensor
    scale: Tensor
    shift: Tensor


class SemanticCondition(NamedTuple):
    """Coarse latents, encoded once for all denoising steps (nothing here depends on the timestep).

    tokens: [B', N, D]. keep: [B'] of 0 and 1, or None for all 1; 0 turns the injection of that sample off.
    modulations: one for each temporal block where they were computed in advance, else None.
    A condition with fewer samples than the batch is repeated, like the text mask under guidance.
    """

    tokens: Tensor
    keep: Tensor | None = None
    modulations: tuple[InjectionModulation, ...] | None = None


def inject(x: Tensor, modulation: InjectionModulation) -> Tensor:
    """Gated adaptive norm of tokens x [B, N, D]: x + gate * ((1 + scale) * LN(x) + shift)."""
    gate, scale, shift = modulation
    normed = F.layer_norm(x, x.shape[-1:], eps=1e-6)
    return x + gate * ((1 + scale) * normed + shift)


def resample_statistics(features: Tensor, probability: float) -> Tensor:
    """Uncertainty sampling: replace each sample's channel statistics by ones drawn around them.

    features [B, N, D]. Mean and deviation over N are shifted by normal noise whose size is their own spread
    over the batch (the form of "DSU" domain generalisation; the paper only says that noise is drawn from the
    distribution of the coarse latents' features). Each sample is changed with the given probability; a batch
    of one stays as it is.
    """
    batch = features.shape[0]
    values = features.float()
    mean = values.mean(dim=1, keepdim=True)  # (B, 1, D)
    deviation = (values.var(dim=1, keepdim=True, correction=0) + STATISTICS_EPS).sqrt()
    mean_spread = mean.detach().var(dim=0, keepdim=True, correction=0).sqrt()
    deviation_spread = deviation.detach().var(dim=0, keepdim=True, correction=0).sqrt()
    new_mean = mean + torch.randn_like(mean) * mean_spread
    new_deviation = deviation + torch.randn_like(deviation) * deviation_spread
    resampled = (values - mean) / deviation * new_deviation + new_mean
    chosen = torch.rand(batch, 1, 1, device=features.device) < probability
    return torch.where(chosen, resampled.to(features.dtype), features)


class LatentAdapter(nn.Module):
    """Residual MLP on the condition tokens (Linear, GELU, Linear, as drawn in the paper)."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.mlp = Mlp(width, hidden, width)

    def forward(self, tokens: Tensor) -> Tensor:
        return tokens + self.mlp(tokens)


class InjectionHead(nn.Module):
    """MLP_i: condition tokens [B, N, D] -> gate, scale and shift of temporal block i."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.mlp = Mlp(width, hidden, width * 3)

    def forward(self, tokens: Tensor) -> InjectionModulation:
        return InjectionModulation(*self.mlp(tokens).chunk(3, dim=-1))

    def close_gate(self) -> None:
        """Zero the gate alone: scale and shift start at random, so that its first gradient depends on F."""
        width = self.mlp.fc2.out_features // 3
        nn.init.zeros_(self.mlp.fc2.weight[:width])
        nn.init.zeros_(self.mlp.fc2.bias[:width])


class AdditionHead(nn.Module):
    """The paper's "MLP adapter", for comparison: what it gives is added to tokens that stay as they are.

    As a modulation that is an adaptive norm whose gate is 1 and whose scale is -1: x + MLP(c).
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.mlp = Mlp(width, hidden, width)

    def forward(self, tokens: Tensor) -> InjectionModulation:
        shift = self.mlp(tokens)
        return InjectionModulation(torch.ones_like(shift), -torch.ones_like(shift), shift)

    def close_gate(self) -> None:
        """Zero the output layer, as adapters start."""
        nn.init.zeros_(self.mlp.fc2.weight)
        nn.init.zeros_(self.mlp.fc2.bias)


HEADS = {"adaptive_norm": InjectionHead, "mlp": AdditionHead}


class SemanticInjection(nn.Module):
    """Everything that ARLON adds to STDiT3; all its parameters live under this one module.

    kind: one of HEADS, how the condition acts on a block. Raises ValueError for another.
    """

    def __init__(
        self,
        in_channels: int,
        patch_size: tuple[int, int, int],
        width: int,
        depth: int,
        adapters: int,
        hidden: int | None = None,
        uncertainty_probability: float = 0.5,
        kind: str = "adaptive_norm",
    ) -> None:
        super().__init__()
        if kind not in HEADS:
            raise ValueError(f"There is no injection {kind!r}; choose one of {', '.join(HEADS)}.")
        self.uncertainty_probability = uncertainty_probability
        self.projection = PatchEmbed3D(patch_size, in_channels, width)
        self.adapters = nn.ModuleList(LatentAdapter(width, width) for _ in range(adapters))
        self.heads = nn.ModuleList(HEADS[kind](width, hidden or width // 2) for _ in range(depth))

    def close_gates(self) -> None:
        with torch.no_grad():
            for head in self.heads:
                assert isinstance(head, InjectionHead | AdditionHead)
                head.close_gate()

    def encode(self, coarse_latents: Tensor) -> Tensor:
        """F [B, C, T, H, W] -> condition tokens [B, N, D]; noisy statistics in training only."""
        tokens = self.projection(coarse_latents.to(self.projection.proj.weight.dtype))
        for adapter in self.adapters:
            tokens = adapter(tokens)
        if self.training and self.uncertainty_probability > 0:
            tokens = resample_statistics(tokens, self.uncertainty_probability)
        return tokens

    def modulation(self, condition: SemanticCondition, block: int, batch: int) -> InjectionModulation:
        """Gate, scale and shift of one temporal block for a batch that is a multiple of the condition's."""
        if condition.modulations is not None:
            modulation = condition.modulations[block]
        else:
            modulation = self.heads[block](condition.tokens)
        modulation = InjectionModulation(*(repeat_to_batch(part, batch) for part in modulation))
        if condition.keep is None:
            return modulation
        keep = repeat_to_batch(condition.keep, batch)[:, None, None].to(modulation.gate.dtype)
        return modulation._replace(gate=modulation.gate * keep)
