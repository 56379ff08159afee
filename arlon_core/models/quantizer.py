"""Vector quantisation with a codebook that follows its data by moving averages (EMA).

van den Oord et al. 2017, "Neural Discrete Representation Learning", section 3 and appendix A.1 (EMA updates).
Codes live on the unit sphere and are compared by cosine, as in ViT-VQGAN (Yu et al. 2022, section 3.2): our
choice, since ARLON's quantiser is not published. Codes that nothing uses are moved onto fresh data.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn


class Quantized(NamedTuple):
    """Codes that stand for the input, with what training needs to know about them."""

    codes: Tensor  # (..., D), unit length; gradients pass straight through to the input
    indices: Tensor  # (...), int64
    commitment_loss: Tensor  # scalar, not yet scaled by its weight
    perplexity: Tensor  # scalar, of the codes hit in this batch
    usage: Tensor  # scalar, share of the codebook in use, by the moving averages


class VectorQuantizer(nn.Module):
    """A codebook of `codebook_size` unit vectors of `code_dim`.

    In training mode every call moves the codebook. `decay` is that of the moving averages. A code whose
    average number of hits falls below `revival_threshold` times the mean of all codes is dead: it moves onto
    a random vector of the batch. Statistics are summed over all processes when torch.distributed runs.
    """

    codebook: Tensor
    hits: Tensor
    sums: Tensor

    def __init__(
        self, codebook_size: int, code_dim: int, *, decay: float = 0.99, revival_threshold: float = 0.03
    ) -> None:
        super().__init__()
        self.codebook_size, self.code_dim = codebook_size, code_dim
        self.decay, self.revival_threshold = decay, revival_threshold
        codebook = F.normalize(torch.randn(codebook_size, code_dim), dim=-1)
        self.register_buffer("codebook", codebook)
        # No hits at first: the first batch revives every code, so the codebook starts on the data.
        self.register_buffer("hits", torch.zeros(codebook_size))
        self.register_buffer("sums", torch.zeros(codebook_size, code_dim))

    def encode(self, x: Tensor) -> Tensor:
        """Vectors (..., D) -> indices (...) of the nearest codes."""
        return self._nearest(F.normalize(x.float(), dim=-1))

    def lookup(self, indices: Tensor) -> Tensor:
        """Indices (...) -> codes (..., D) of unit length, in the dtype of the codebook."""
        return F.embedding(indices, self.codebook)

    def forward(self, x: Tensor, weights: Tensor | None = None) -> Quantized:
        """Vectors (..., D), and a weight for each (...) -> their codes.

        Weights count in the commitment loss and in the moving averages, so that rare and important vectors
        (small subjects) get their share of the codebook.
        """
        unit = F.normalize(x.float(), dim=-1)
        indices = self._nearest(unit)
        codes = F.embedding(indices, self.codebook).float()
        weights = torch.ones_like(unit[..., 0]) if weights is None else weights.to(unit)
        distance = (unit - codes.detach()).square().sum(-1)
        commitment = (weights * distance).sum() / weights.sum().clamp_min(1e-8)
        with torch.no_grad():
            perplexity = self._perplexity(indices)
            if self.training:
                self._update(unit.detach().reshape(-1, self.code_dim), indices.flatten(), weights.flatten())
            usage = (self.hits > self.revival_threshold * self.hits.mean()).float().mean()
        return Quantized(unit + (codes - unit).detach(), indices, commitment, perplexity, usage)

    def _nearest(self, unit: Tensor) -> Tensor:
        # In fp32 on every device and under autocast: a tie broken by rounding would change the tokens.
        with torch.autocast(unit.device.type, enabled=False):
            flat = unit.reshape(-1, self.code_dim)
            codebook = F.normalize(self.codebook.float(), dim=-1).T
            # In pieces, so that a whole film does not need a (tokens x codes) matrix at once.
            nearest = [(piece @ codebook).argmax(-1) for piece in flat.split(1 << 15)]
            return torch.cat(nearest).view(unit.shape[:-1])

    def _perplexity(self, indices: Tensor) -> Tensor:
        ones = torch.ones_like(indices, dtype=self.hits.dtype).flatten()
        counts = _summed(torch.zeros_like(self.hits).index_add_(0, indices.flatten(), ones))
        share = counts / counts.sum()
        return torch.exp(-(share * share.clamp_min(1e-12).log()).sum())

    @torch.no_grad()
    def _update(self, unit: Tensor, indices: Tensor, weights: Tensor) -> None:
        """Move each code towards the mean of the vectors it stands for, and revive the dead ones."""
        weights = weights.to(unit)
        hits = _summed(torch.zeros_like(self.hits).index_add_(0, indices, weights))
        sums = _summed(torch.zeros_like(self.sums).index_add_(0, indices, weights[:, None] * unit))
        self.hits.lerp_(hits, 1 - self.decay)
        self.sums.lerp_(sums, 1 - self.decay)

        mean_hits = hits.mean()
        dead = self.hits < self.revival_threshold * mean_hits
        fresh = self._fresh_codes(unit, weights)
        # A revived code gets a quarter of the mean: some 200 steps to prove itself before it can die again.
        self.hits.copy_(torch.where(dead, 0.25 * mean_hits, self.hits))
        self.sums.copy_(torch.where(dead[:, None], 0.25 * mean_hits * fresh, self.sums))
        self.codebook.copy_(F.normalize(self.sums, dim=-1))

    def _fresh_codes(self, unit: Tensor, weights: Tensor) -> Tensor:
        """Random vectors of the batch, (codebook_size, D), by weight, a little apart from one another."""
        chosen = torch.multinomial(weights.clamp_min(1e-6), self.codebook_size, replacement=True)
        fresh = unit[chosen] + 0.01 * torch.randn_like(self.codebook)
        fresh = F.normalize(fresh, dim=-1)
        if dist.is_available() and dist.is_initialized():
            dist.broadcast(fresh, src=0)
        return fresh


def _summed(x: Tensor) -> Tensor:
    """The sum over all processes, in place."""
    if dist.is_available() and dist.is_initialized():
        dist.all_reduce(x)
    return x
