"""Texts for training: strings in, frozen T5 states out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from transformers import AutoTokenizer, T5EncoderModel

from arlon_core.models.text_encoder import encode_texts
from arlon_core.training.components import load_frozen


class FrozenText:
    """The tokenizer and text encoder of a pipeline folder, frozen."""

    def __init__(self, components: Path, device: torch.device, max_length: int) -> None:
        self.encoder: T5EncoderModel = load_frozen(T5EncoderModel, components / "text_encoder", device)
        self.tokenizer = AutoTokenizer.from_pretrained(components / "tokenizer")
        self.max_length = max_length

    @torch.no_grad()
    def __call__(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """States (B, L, D) in fp32 and mask (B, L), padded to the longest allowed so that shapes stay."""
        with torch.autocast(self.encoder.device.type, enabled=False):
            return encode_texts(self.tokenizer, self.encoder, list(texts), max_length=self.max_length)
