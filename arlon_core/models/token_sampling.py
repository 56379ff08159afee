"""From logits to tokens: temperature, the likeliest few, guidance, and a uniform number for each draw.

Randomness comes in as uniform numbers that the caller draws on the CPU, so that a take depends on its key
alone and not on the device's generator.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_FEW = 512  # codes of 4,096 (our choice)


@dataclass(frozen=True)
class SamplingConfig:
    """How a token is drawn from logits.

    `temperature` 0 takes the likeliest; `top_k` 0 and `top_p` 1 leave all codes in; `guidance_scale` 1 means
    none. Raises ValueError for values outside these ranges.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    guidance_scale: float = 1.0

    def __post_init__(self) -> None:
        if self.temperature < 0 or self.top_k < 0 or not 0 < self.top_p <= 1 or self.guidance_scale < 0:
            raise ValueError(
                f"sampling needs temperature >= 0, top_k >= 0, 0 < top_p <= 1, guidance >= 0: {self}"
            )


def guided_logits(logits: Tensor, guidance_scale: float) -> Tensor:
    """Logits (2, n, V) of the conditional and the unconditional row -> (n, V); of one row alone, that row."""
    if len(logits) == 1 or guidance_scale == 1:
        return logits[0]
    return logits[1] + guidance_scale * (logits[0] - logits[1])


def sample_tokens(logits: Tensor, uniforms: Tensor, sampling: SamplingConfig) -> Tensor:
    """Logits (n, V) and uniform numbers (n,) in [0, 1) -> indices (n,), each by the inverse of its CDF."""
    if sampling.temperature == 0:
        return logits.argmax(-1)
    logits = logits.float()
    if sampling.temperature != 1:
        logits = logits / sampling.temperature
    order = None
    if 0 < sampling.top_k < logits.shape[-1]:
        logits, order = logits.topk(sampling.top_k)
    probabilities = logits.softmax(-1)
    if sampling.top_p < 1:
        if order is None:
            probabilities, order = _likeliest(probabilities, sampling.top_p)
        # The smallest set of likeliest codes whose probabilities reach top_p: the first one always stays.
        kept = probabilities.cumsum(-1) - probabilities < sampling.top_p
        probabilities = probabilities * kept
    cumulative = probabilities.cumsum(-1)
    # Rounding may push the threshold onto the total; the first code that reaches the total then stands.
    total = cumulative[:, -1:].contiguous()
    place = torch.searchsorted(cumulative, uniforms[:, None] * total, right=True)
    place = torch.minimum(place, torch.searchsorted(cumulative, total))
    return (place if order is None else order.gather(1, place))[:, 0]


def _likeliest(probabilities: Tensor, top_p: float) -> tuple[Tensor, Tensor]:
    """Probabilities (n, V) and their codes, falling: all of them, or so many that hold `top_p` in every row.

    On a CPU finding the first few takes a fifth of the time of sorting all. A recorded GPU pass cannot look
    whether they are enough, and need not.
    """
    if probabilities.device.type == "cpu":
        first, codes = probabilities.topk(min(_FEW, probabilities.shape[-1]))
        if bool((first.sum(-1) >= top_p).all()):
            return first, codes
    return probabilities.sort(descending=True, stable=True)
