"""Reads the world's attributes out of a text's T5 states.

It trains the text encoder (captions -> the script's attributes) and, at render time, tells a full description
from a change-only prompt. Our own: attention pooling with one learned query an attribute, and a linear head.
"""

from __future__ import annotations

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

FULL = "full"


class AttributeReader(ModelMixin, ConfigMixin):
    """Text states -> logits of each attribute."""

    @register_to_config
    def __init__(
        self, text_dim: int = 256, attributes: dict[str, int] | None = None, hidden_size: int = 128
    ) -> None:
        """`attributes` gives the classes of each; each gets one class more, the last: not mentioned."""
        super().__init__()
        # Saved configurations have their keys sorted, so the heads are too.
        attributes = dict(sorted((attributes or {}).items()))
        if FULL in attributes:
            raise ValueError(f"{FULL!r} is the reader's own output and cannot name an attribute")
        sizes = {**{name: count + 1 for name, count in attributes.items()}, FULL: 2}
        self.names = tuple(sizes)
        self.scores = nn.Linear(text_dim, len(sizes))
        self.content = nn.Sequential(nn.Linear(text_dim, hidden_size), nn.GELU())
        self.heads = nn.ModuleList(nn.Linear(hidden_size, size) for size in sizes.values())

    def forward(self, states: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """States (B, L, D) and mask (B, L), 1 for real tokens -> {attribute: logits (B, classes + 1)}.

        `"full"` has two classes: 0 a change, 1 a full description.
        """
        scores = self.scores(states).float().masked_fill(mask[..., None] == 0, -torch.inf)
        pooled = torch.einsum("bla,blh->bah", scores.softmax(dim=1).to(states.dtype), self.content(states))
        return {
            name: head(pooled[:, i])
            for i, (name, head) in enumerate(zip(self.names, self.heads, strict=True))
        }

    @torch.no_grad()
    def is_full(self, states: Tensor, mask: Tensor) -> Tensor:
        """Whether each text describes a whole picture (B,), bool, rather than a change to one."""
        return self.forward(states, mask)[FULL].argmax(-1).bool()
