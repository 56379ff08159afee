"""Keyed randomness: same key, same numbers; any other key, others; no running stream."""

from __future__ import annotations

import itertools

import torch

from arlon_core.generation.noise import LATENTS, TOKENS, chunk_noise, key_seed, keyed_generator

SHAPE = (4, 3, 6, 5)
GOLDEN_SEED = 7232480319497251852  # of (7, 1, 2, LATENTS)


def test_the_same_key_gives_the_same_noise_whatever_was_drawn_before():
    first = chunk_noise(SHAPE, seed=7, segment=1, chunk=2)
    chunk_noise((1, 9, 3, 3), seed=7, segment=1, chunk=1)
    torch.randn(100)
    assert torch.equal(first, chunk_noise(SHAPE, seed=7, segment=1, chunk=2))


def test_each_part_of_the_key_counts():
    keys = list(itertools.product((0, 1, 10), (0, 1, 10), (0, 1, 10), (LATENTS, TOKENS)))
    assert len({key_seed(*key) for key in keys}) == len(keys)


def test_the_key_means_the_same_in_every_release():
    """Takes are named by their seeds; a change here is a change of every film."""
    assert key_seed(7, 1, 2, LATENTS) == GOLDEN_SEED
    assert torch.Generator().manual_seed(GOLDEN_SEED).initial_seed() == GOLDEN_SEED


def test_a_shorter_chunk_starts_from_the_same_noise():
    long = chunk_noise(SHAPE, seed=3, segment=0, chunk=0)
    short = chunk_noise((SHAPE[0], 2, *SHAPE[2:]), seed=3, segment=0, chunk=0)
    assert torch.equal(long[:, :2], short)


def test_noise_is_standard_normal_on_the_cpu():
    noise = chunk_noise((16, 4, 20, 20), seed=0, segment=0, chunk=0)
    assert noise.device.type == "cpu"
    assert noise.dtype == torch.float32
    assert abs(noise.mean().item()) < 0.02
    assert abs(noise.std().item() - 1) < 0.02


def test_noise_leaves_the_global_generator_alone():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    chunk_noise(SHAPE, seed=1, segment=1, chunk=1)
    torch.rand(1, generator=keyed_generator(1, 2, 3, TOKENS))
    assert torch.equal(torch.rand(3), expected)
