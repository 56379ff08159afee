"""FLOPs of a render, stage by stage, counted where its seconds are.

A report that also counts: every block that the engine times is run under torch's counter. Counted are matrix
products, convolutions and attention (a multiplication and an addition are two), as they are carried out; what
they leave out is in NOT_COUNTED.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from arlon_core.generation.report import STAGES, RenderReport

Shape = Sequence[int]

NOT_COUNTED = (
    "norms, activations, softmax, additions, interpolation and table look-ups",
    "drawing a token from its logits, and noise",
    "everything outside torch: colour conversion, hashing and encoding of pictures",
)
NOTES = (
    "attention counts the whole square of queries and keys, also where a causal mask halves it",
    "a pass that draws tokens counts whole, with those that were guessed wrong and are drawn again",
    "on a GPU tokens are counted without the CUDA graph that runs them, which looks at its whole cache "
    "through a mask",
)


@dataclass
class StageFlops(RenderReport):
    """A render's report that counts FLOPs. Its seconds are those of a render that is being counted."""

    flops: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STAGES, 0))

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time and the FLOPs of the block to `stage`. Not for blocks inside one another."""
        counter = FlopCounterMode(display=False, custom_mapping=_on_cpu())
        with super().timed(stage), counter:
            yield
        self.flops[stage] += counter.get_total_flops()


def attention_flops(
    query: Sequence[int], key: Sequence[int], value: Sequence[int], *_: Any, **__: Any
) -> int:
    """FLOPs of attention with queries (B, H, N, D), keys (B, _, M, D) and values (B, _, M, E)."""
    *batch, queries, dim = query
    return 2 * math.prod(batch) * queries * key[-2] * (dim + value[-1])


def linear_flops(x: Sequence[int], weight: Sequence[int], *_: Any, **__: Any) -> int:
    """FLOPs of a matrix (out, in) on rows (..., in)."""
    return 2 * math.prod(x) * weight[0]


@cache
def _on_cpu() -> dict[Any, Any]:
    """torch counts every fused attention and every product but these of the CPU."""
    counted: dict[Any, Any] = {torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: attention_flops}
    if torch.backends.mkldnn.is_available():
        counted[torch.ops.mkldnn._linear_pointwise] = linear_flops
    return counted
