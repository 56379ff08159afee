"""What stage `text` learns from: captions and composed texts, tokenised, with the attributes that they say.

Worker processes make the batches, since Python needs longer to write one than a GPU to learn from it. A batch
follows from (seed, rank, step) alone, whichever worker makes it.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from transformers import PreTrainedTokenizerFast

from arlon_core.models.text_encoder import with_typos
from arlon_core.training.episodes import episode_segments, training_seed
from arlon_core.world.captions import TRAINING_PHRASING
from arlon_core.world.loose_captions import LOOSE_PHRASING
from arlon_core.world.said import change_labels, composed_labels
from arlon_core.world.script import Script, sample_script
from arlon_core.world.vocabulary import LABELS, Attributes, label_indices

EPISODE_FRAMES = 189  # enough for three or four segments
_TYPO_SHARE = 0.15
_LOOSE_SHARE = 0.5  # of episodes have captions as loose as people's (our choice)
_MOST_STEPS = 1 << 40  # more than any run has


@dataclass(frozen=True)
class Example:
    """A text, and the class of each attribute in it; the class after the last says "not mentioned"."""

    text: str
    labels: dict[str, int]
    full: bool


@dataclass(frozen=True)
class CaptionBatch:
    """Token ids and mask (B, L), and the class of every attribute (B,)."""

    ids: Tensor
    mask: Tensor
    targets: dict[str, Tensor]

    def to(self, device: torch.device) -> CaptionBatch:
        """The same batch on `device`."""
        targets = {name: target.to(device) for name, target in self.targets.items()}
        return CaptionBatch(self.ids.to(device), self.mask.to(device), targets)


class CaptionBatches(Dataset[CaptionBatch]):
    """The batches of one process of one run, by number of the step."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerFast, max_length: int, batch_size: int, seed: int, rank: int
    ) -> None:
        self.tokenizer, self.max_length, self.batch_size = tokenizer, max_length, batch_size
        self.seed, self.rank = seed, rank

    def __getitem__(self, step: int) -> CaptionBatch:
        rng = random.Random(f"text/{self.seed}/{self.rank}/{step}")
        chosen: list[Example] = []
        while len(chosen) < self.batch_size:
            chosen.extend(examples(training_script(self.seed, self.rank, rng.randrange(1 << 26))))
        return self.collate([_misspelt(example, rng) for example in chosen[: self.batch_size]])

    def collate(self, batch: Sequence[Example]) -> CaptionBatch:
        """Examples, tokenised and padded."""
        texts = [example.text for example in batch]
        tokens = self.tokenizer(
            texts, padding=True, truncation=True, max_length=self.max_length, return_tensors="pt"
        )
        columns = {name: [example.labels[name] for example in batch] for name in LABELS}
        columns["full"] = [int(example.full) for example in batch]
        targets = {name: torch.tensor(column) for name, column in columns.items()}
        return CaptionBatch(tokens["input_ids"], tokens["attention_mask"], targets)

    def from_step(self, step: int, workers: int) -> Iterator[CaptionBatch]:
        """The batches of `step` and all later steps, made ahead by so many processes (0: by this one)."""
        steps: Iterable[int] = range(step, _MOST_STEPS)
        own = torch.Generator()  # or else a loader takes a number out of everybody's
        loader = DataLoader(
            self,
            batch_size=None,
            sampler=steps,
            num_workers=workers,
            worker_init_fn=_begin_worker,
            generator=own,
        )
        return iter(loader)


def _begin_worker(_: int) -> None:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # threads of its own do not survive the fork


def training_script(seed: int, rank: int, index: int) -> Script:
    """Number `index` of the episodes that a run reads; half of them tell their story loosely."""
    episode = training_seed(seed, rank, index)
    loose = random.Random(f"loose/{episode}").random() < _LOOSE_SHARE
    phrasing = LOOSE_PHRASING if loose else TRAINING_PHRASING
    return sample_script(episode, EPISODE_FRAMES, phrasing=phrasing)


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


def _misspelt(example: Example, rng: random.Random) -> Example:
    if rng.random() >= _TYPO_SHARE:
        return example
    return Example(with_typos(example.text, rng), example.labels, example.full)
