"""Batches of captions: the same from every worker, for every start, and other ones for every process."""

from __future__ import annotations

import gc
from itertools import islice

import pytest
import torch

from arlon_core.models.text_encoder import train_tokenizer
from arlon_core.training.caption_batches import (
    EPISODE_FRAMES,
    CaptionBatch,
    CaptionBatches,
    examples,
    training_script,
)
from arlon_core.world.captions import TRAINING_PHRASING
from arlon_core.world.script import sample_script


@pytest.fixture(scope="module")
def batches() -> CaptionBatches:
    captions = [example.text for index in range(40) for example in examples(training_script(0, 0, index))]
    return CaptionBatches(train_tokenizer(captions, vocab_size=400), 96, batch_size=16, seed=0, rank=0)


def same(one: CaptionBatch, other: CaptionBatch) -> bool:
    pairs = zip(
        (one.ids, one.mask, *one.targets.values()),
        (other.ids, other.mask, *other.targets.values()),
        strict=True,
    )
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_step_has_one_batch_whoever_makes_it(batches: CaptionBatches, workers: int):
    gc.collect()  # a forked worker that collects other tests' film decoders would wait for their threads
    made = list(islice(batches.from_step(5, workers), 6))
    assert all(same(batch, batches[5 + number]) for number, batch in enumerate(made))
    assert not same(made[0], made[1])


def test_loaders_leave_the_common_random_numbers_alone(batches: CaptionBatches):
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    next(batches.from_step(0, 0))
    assert torch.equal(torch.rand(1), expected)


def test_every_process_reads_captions_of_its_own(batches: CaptionBatches):
    other = CaptionBatches(batches.tokenizer, 96, batch_size=16, seed=0, rank=1)
    assert not same(batches[0], other[0])


def test_half_of_the_episodes_are_told_loosely():
    def tidy(index: int) -> bool:
        script = training_script(0, 0, index)
        return script == sample_script(script.seed, EPISODE_FRAMES, phrasing=TRAINING_PHRASING)

    assert 80 < sum(map(tidy, range(200))) < 120
