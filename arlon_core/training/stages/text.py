"""Stage `text`: the tokenizer and the small T5 encoder, trained to read attributes out of captions.

AR and DiT share this encoder, frozen, so that each of them can be retrained alone. It reads captions with the
grammar's synonyms, tidy and loose ones, some with typing errors, and composed texts (style, description,
change), so that words with one meaning come out alike, and a change counts more than the description before.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast, T5EncoderModel

from arlon_core.models.attribute_reader import AttributeReader
from arlon_core.models.folders import save_component, tidy
from arlon_core.models.text_encoder import build_text_encoder, train_tokenizer, with_typos
from arlon_core.training.config import TrainConfig
from arlon_core.training.episodes import EpisodeSource, episode_segments, training_seed
from arlon_core.training.stage import Setting, Stage
from arlon_core.world.captions import TRAINING_PHRASING, Phrasing
from arlon_core.world.legibility import NOT_ASKED
from arlon_core.world.loose_captions import LOOSE_PHRASING
from arlon_core.world.said import change_labels, composed_labels
from arlon_core.world.script import HELD_OUT, Script, sample_script
from arlon_core.world.unseen_captions import UNSEEN_PHRASING
from arlon_core.world.vocabulary import LABELS, Attributes, label_indices

_EPISODE_FRAMES = 189  # enough for three or four segments
_TOKENIZER_EPISODES = 12_000
_TYPO_SHARE = 0.15
_LOOSE_SHARE = 0.5  # of episodes have captions as loose as people's (our choice)


@dataclass(frozen=True)
class Example:
    """A text, and the class of each attribute in it; the class after the last says "not mentioned"."""

    text: str
    labels: dict[str, int]
    full: bool


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
        captions = (example.text for index in range(episodes) for example in examples(self._script(index)))
        self.tokenizer: PreTrainedTokenizerFast = train_tokenizer(captions, vocab_size=sizes["vocab_size"])
        encoder = build_text_encoder(**{**sizes, "vocab_size": len(self.tokenizer)})
        classes = {name: len(values) for name, values in LABELS.items()}
        self.model = TextReading(encoder, AttributeReader(text_dim=sizes["d_model"], attributes=classes))

    def batch(self, step: int) -> tuple[tuple[Tensor, Tensor], dict[str, Tensor]]:
        """Token ids with their mask, and the class of every attribute."""
        rng = random.Random(f"text/{self.config.seed}/{self.setting.rank}/{step}")
        chosen: list[Example] = []
        while len(chosen) < self.config.batch_size:
            chosen.extend(examples(self._script(rng.randrange(1 << 26))))
        batch = [self._misspelt(example, rng) for example in chosen[: self.config.batch_size]]
        return self._tokens([example.text for example in batch]), self._targets(batch)

    def loss(
        self, model: nn.Module, batch: tuple[tuple[Tensor, Tensor], dict[str, Tensor]]
    ) -> dict[str, Tensor]:
        tokens, targets = batch
        logits = model(*tokens)
        losses = [F.cross_entropy(logits[name].float(), target) for name, target in targets.items()]
        return {"loss": torch.stack(losses).mean()}

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Accuracies on tidy captions, and on shapes that training never sees.

        On tidy ones alone, a reader that has learned the shapes looks perfect.
        """
        unseen = self._accuracies(model, UNSEEN_PHRASING)
        tidy_ones = self._accuracies(model, TRAINING_PHRASING)
        return tidy_ones | {f"unseen_{name}": value for name, value in unseen.items()}

    def _accuracies(self, model: nn.Module, phrasing: Phrasing) -> dict[str, float]:
        scripts = [sample_script(HELD_OUT + i, _EPISODE_FRAMES, phrasing=phrasing) for i in range(300)]
        held_out = [example for script in scripts for example in examples(script)]
        right: dict[str, list[Tensor]] = {}
        for start in range(0, len(held_out), 512):
            batch = held_out[start : start + 512]
            logits = model.forward(*self._tokens([example.text for example in batch]))
            for name, target in self._targets(batch).items():
                asked = target != NOT_ASKED
                right.setdefault(name, []).append((logits[name].argmax(-1) == target)[asked].float())
        return {name: torch.cat(parts).mean().item() for name, parts in right.items()}

    def export(self, model: nn.Module, folder: Path) -> None:
        assert isinstance(model, TextReading)
        save_component(model.encoder, folder)
        save_component(model.reader, folder.parent / "attribute_reader")
        self.tokenizer.save_pretrained(folder.parent / "tokenizer")
        tidy(folder.parent / "tokenizer")

    # -- parts ------------------------------------------------------------------------------------------

    def _script(self, index: int) -> Script:
        seed = training_seed(self.config.seed, self.setting.rank, index)
        loose = random.Random(f"loose/{seed}").random() < _LOOSE_SHARE
        phrasing = LOOSE_PHRASING if loose else TRAINING_PHRASING
        return sample_script(seed, _EPISODE_FRAMES, phrasing=phrasing)

    def _misspelt(self, example: Example, rng: random.Random) -> Example:
        if rng.random() >= _TYPO_SHARE:
            return example
        return Example(with_typos(example.text, rng), example.labels, example.full)

    def _tokens(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        length = self.config.preset.transformer["model_max_length"]
        batch = self.tokenizer(texts, padding=True, truncation=True, max_length=length, return_tensors="pt")
        return batch["input_ids"].to(self.setting.device), batch["attention_mask"].to(self.setting.device)

    def _targets(self, batch: list[Example]) -> dict[str, Tensor]:
        columns = {name: [example.labels[name] for example in batch] for name in LABELS}
        columns["full"] = [int(example.full) for example in batch]
        return {name: torch.tensor(column, device=self.setting.device) for name, column in columns.items()}


def examples(script: Script) -> Iterator[Example]:
    """Every caption of an episode alone, and every change together with the description before it."""
    described: Attributes | None = None
    before: Attributes | None = None
    for segment, composed in zip(script.segments, episode_segments(script), strict=True):
        now = segment.attributes
        if segment.full or described is None:
            described = now
            yield Example(segment.caption, label_indices(now), True)
        else:
            assert before is not None
            yield Example(segment.caption, change_labels(before, now), False)
            yield Example(composed.text, composed_labels(described, before, now), True)
        before = now
