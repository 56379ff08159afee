"""Texts for training: strings in, frozen T5 states out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from transformers import AutoTokenizer, T5EncoderModel

from arlon_core.models.text_encoder import encode_texts
from arlon_core.training.components import load_frozen
from arlon_core.training.episodes import EpisodeSegment


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

    def of_segments(
        self, segments: Sequence[Sequence[EpisodeSegment]], most: int | None = None
    ) -> tuple[Tensor, list[list[int]]]:
        """States (B, K, L, D) of the texts of B episodes, and how many of the L each text has.

        K is `most`, or the most segments of an episode; states of segments that are not there are 0.
        """
        states, mask = self([segment.text for episode in segments for segment in episode])
        most = most or max(len(episode) for episode in segments)
        padded = states.new_zeros(len(segments), most, *states.shape[1:])
        lengths, row = [], 0
        for place, episode in enumerate(segments):
            rows = slice(row, row + len(episode))
            padded[place, : len(episode)] = states[rows]
            lengths.append(mask[rows].sum(1).tolist())
            row += len(episode)
        return padded, lengths
