"""Stage `text`: the tokenizer and the small T5 encoder, trained to read attributes out of captions.

AR and DiT share this encoder, frozen, so that each of them can be retrained alone. It reads captions with the
grammar's synonyms, tidy and loose ones, some with typing errors, and composed texts (style, description,
change), so that words with one meaning come out alike, and a change counts more than the description before.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast, T5EncoderModel

from arlon_core.models.attribute_reader import AttributeReader
from arlon_core.models.folders import save_component, tidy
from arlon_core.models.text_encoder import build_text_encoder, train_tokenizer
from arlon_core.training.caption_batches import (
    EPISODE_FRAMES,
    CaptionBatch,
    CaptionBatches,
    examples,
    training_script,
)
from arlon_core.training.config import TrainConfig
from arlon_core.training.episodes import EpisodeSource
from arlon_core.training.stage import Setting, Stage
from arlon_core.world.captions import TRAINING_PHRASING, Phrasing
from arlon_core.world.legibility import NOT_ASKED
from arlon_core.world.script import HELD_OUT, sample_script
from arlon_core.world.unseen_captions import UNSEEN_PHRASING
from arlon_core.world.vocabulary import LABELS

_TOKENIZER_EPISODES = 12_000
_MOST_WORKERS = 12  # processes that write captions for a GPU


class TextReading(nn.Module):
    """Encoder and reader in one forward, so that a data-parallel wrapper sees both."""

    def __init__(self, encoder: T5EncoderModel, reader: AttributeReader) -> None:
        super().__init__()
        self.encoder, self.reader = encoder, reader

    def forward(self, ids: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Token ids and mask (B, L) -> logits of each attribute (B, classes)."""
        states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        return self.reader(states, mask)


class TextStage(Stage):
    """Trains tokenizer, text encoder and attribute reader together."""

    component = "text_encoder"

    def __init__(self, config: TrainConfig, setting: Setting, source: EpisodeSource) -> None:
        super().__init__(config, setting, source)
        sizes = config.preset.text_encoder
        episodes = _TOKENIZER_EPISODES if config.preset.name != "tiny" else 200
        # Of the first process's episodes, in all of them: they train one encoder, so words are the same ids.
        scripts = (training_script(config.seed, 0, index) for index in range(episodes))
        captions = (example.text for script in scripts for example in examples(script))
        self.tokenizer: PreTrainedTokenizerFast = train_tokenizer(captions, vocab_size=sizes["vocab_size"])
        length = config.preset.transformer["model_max_length"]
        self.batches = CaptionBatches(self.tokenizer, length, config.batch_size, config.seed, setting.rank)
        self._made: Iterator[CaptionBatch] = iter(())
        self._next = -1  # the step whose batch comes out of it next
        encoder = build_text_encoder(**{**sizes, "vocab_size": len(self.tokenizer)})
        classes = {name: len(values) for name, values in LABELS.items()}
        self.model = TextReading(encoder, AttributeReader(text_dim=sizes["d_model"], attributes=classes))

    def batch(self, step: int) -> CaptionBatch:
        """Captions with the class of every attribute, made ahead by other processes where there is a GPU."""
        if step != self._next:
            on_gpu = self.setting.device.type == "cuda"
            workers = min(_MOST_WORKERS, (os.cpu_count() or 1) - 1) if on_gpu else 0
            self._made = self.batches.from_step(step, workers)
        self._next = step + 1
        return next(self._made).to(self.setting.device)

    def loss(self, model: nn.Module, batch: CaptionBatch) -> dict[str, Tensor]:
        logits = model(batch.ids, batch.mask)
        losses = [F.cross_entropy(logits[name].float(), target) for name, target in batch.targets.items()]
        return {"loss": torch.stack(losses).mean()}

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Accuracies on tidy captions, and on shapes that training never sees.

        On tidy ones alone, a reader that has learned the shapes looks perfect.
        """
        unseen = self._accuracies(model, UNSEEN_PHRASING)
        tidy_ones = self._accuracies(model, TRAINING_PHRASING)
        return tidy_ones | {f"unseen_{name}": value for name, value in unseen.items()}

    def _accuracies(self, model: nn.Module, phrasing: Phrasing) -> dict[str, float]:
        scripts = [sample_script(HELD_OUT + i, EPISODE_FRAMES, phrasing=phrasing) for i in range(300)]
        held_out = [example for script in scripts for example in examples(script)]
        right: dict[str, list[Tensor]] = {}
        for start in range(0, len(held_out), 512):
            batch = self.batches.collate(held_out[start : start + 512]).to(self.setting.device)
            logits = model.forward(batch.ids, batch.mask)
            for name, target in batch.targets.items():
                asked = target != NOT_ASKED
                right.setdefault(name, []).append((logits[name].argmax(-1) == target)[asked].float())
        return {name: torch.cat(parts).mean().item() for name, parts in right.items()}

    def export(self, model: nn.Module, folder: Path) -> None:
        assert isinstance(model, TextReading)
        save_component(model.encoder, folder)
        save_component(model.reader, folder.parent / "attribute_reader")
        self.tokenizer.save_pretrained(folder.parent / "tokenizer")
        tidy(folder.parent / "tokenizer")
