"""Vector quantisation with a codebook that follows its data by moving averages (EMA).

van den Oord et al. 2017, "Neural Discrete Representation Learning", section 3 and appendix A.1 (EMA updates).
ARLON's quantiser is not published. Our choices, from short runs on drawn episodes: Euclidean distance rather
than cosine (a fifth more perplexity at the same error or less), few code dimensions (8 rather than 16 or 32),
and codes that nothing uses are moved onto fresh data.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

_CANDIDATES = 4  # codes that are compared exactly
_PIECE = 1 << 15  # vectors at a time, so that a whole film needs no (vectors x codes) matrix at once


class Quantized(NamedTuple):
    """Codes that stand for the input, with what training needs to know about them."""

    codes: Tensor  # (..., D); gradients pass straight through to the input
    indices: Tensor  # (...), int64
    commitment_loss: Tensor  # scalar, a mean over elements, not yet scaled by its weight
    perplexity: Tensor  # scalar, of the codes hit in this batch
    usage: Tensor  # scalar, share of the codebook in use, by the moving averages


class VectorQuantizer(nn.Module):
    """A codebook of `codebook_size` vectors of `code_dim`.

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
        self.register_buffer("codebook", torch.randn(codebook_size, code_dim))
        # No hits at first: the first batch revives every code, so the codebook starts on the data.
        self.register_buffer("hits", torch.zeros(codebook_size))
        self.register_buffer("sums", torch.zeros(codebook_size, code_dim))

    def encode(self, x: Tensor) -> Tensor:
        """Vectors (..., D) -> indices (...) of the nearest codes."""
        return self._nearest(x.float())

    def lookup(self, indices: Tensor) -> Tensor:
        """Indices (...) -> codes (..., D), in the dtype of the codebook."""
        return F.embedding(indices, self.codebook)

    def forward(self, x: Tensor, weights: Tensor | None = None) -> Quantized:
        """Vectors (..., D), and a weight for each (...) -> their codes.

        Weights count in the commitment loss and in the moving averages, so that rare and important vectors
        (small subjects) get their share of the codebook.
        """
        x = x.float()
        indices = self._nearest(x)
        codes = self.lookup(indices).float()
        weights = torch.ones_like(x[..., 0]) if weights is None else weights.to(x)
        distance = (x - codes.detach()).square().mean(-1)
        commitment = (weights * distance).sum() / weights.sum().clamp_min(1e-8)
        with torch.no_grad():
            perplexity = self._perplexity(indices)
            if self.training:
                self._update(x.detach().reshape(-1, self.code_dim), indices.flatten(), weights.flatten())
            usage = (self.hits > self.revival_threshold * self.hits.mean()).float().mean()
        return Quantized(x + (codes - x).detach(), indices, commitment, perplexity, usage)

    @torch.no_grad()
    def _nearest(self, x: Tensor) -> Tensor:
        """A matrix product finds candidates; exact distances decide, whatever precision the product had."""
        codebook = self.codebook.float()
        half_norms = 0.5 * codebook.square().sum(-1)
        nearest = []
        for piece in x.reshape(-1, self.code_dim).split(_PIECE):
            with torch.autocast(x.device.type, enabled=False):
                scores = piece @ codebook.T - half_norms
            candidates = scores.topk(min(_CANDIDATES, self.codebook_size)).indices
            distance = (piece[:, None] - codebook[candidates]).square().sum(-1)
            nearest.append(candidates.gather(1, distance.argmin(-1, keepdim=True))[:, 0])
        return torch.cat(nearest).view(x.shape[:-1])

    def _perplexity(self, indices: Tensor) -> Tensor:
        ones = torch.ones_like(indices, dtype=self.hits.dtype).flatten()
        counts = torch.zeros_like(self.hits).index_add_(0, indices.flatten(), ones)
        if self.training:  # evaluation may run in one process alone, where a sum over all would wait for ever
            counts = _summed(counts)
        share = counts / counts.sum()
        return torch.exp(-(share * share.clamp_min(1e-12).log()).sum())

    @torch.no_grad()
    def _update(self, x: Tensor, indices: Tensor, weights: Tensor) -> None:
        """Move each code towards the mean of the vectors it stands for, and revive the dead ones."""
        hits = _summed(torch.zeros_like(self.hits).index_add_(0, indices, weights))
        sums = _summed(torch.zeros_like(self.sums).index_add_(0, indices, weights[:, None] * x))
        self.hits.lerp_(hits, 1 - self.decay)
        self.sums.lerp_(sums, 1 - self.decay)

        mean_hits = hits.mean()
        dead = self.hits < self.revival_threshold * mean_hits
        # A revived code gets a quarter of the mean: some 200 steps to prove itself before it can die again.
        self.hits.copy_(torch.where(dead, 0.25 * mean_hits, self.hits))
        fresh = 0.25 * mean_hits * self._fresh_codes(x, weights)
        self.sums.copy_(torch.where(dead[:, None], fresh, self.sums))
        self.codebook.copy_(self.sums / self.hits.clamp_min(1e-8)[:, None])

    def _fresh_codes(self, x: Tensor, weights: Tensor) -> Tensor:
        """Random vectors of the batch (codebook_size, D), drawn by weight, a little apart from each other."""
        chosen = torch.multinomial(weights.clamp_min(1e-6), self.codebook_size, replacement=True)
        fresh = x[chosen] + 0.01 * x.std() * torch.randn_like(self.codebook)
        if dist.is_available() and dist.is_initialized():
            dist.broadcast(fresh, src=0)
        return fresh


def _summed(x: Tensor) -> Tensor:
    """The sum over all processes, in place."""
    if dist.is_available() and dist.is_initialized():
        dist.all_reduce(x)
    return x
