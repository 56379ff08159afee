"""Streaming decode of a film: chunks equal the whole, and a warm start equals a carried one, bit for bit."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from arlon_core.generation.decode import FilmDecoder, to_uint8
from arlon_core.models.video_vae import decode_normalised


@pytest.fixture(scope="module")
def latents(tiny_pipeline) -> torch.Tensor:
    channels, height, width = tiny_pipeline.latent_size
    count = FilmDecoder(tiny_pipeline.vae).warm_up + 12
    return torch.randn(channels, count, height, width, generator=torch.Generator().manual_seed(0)).half()


def unwanted(start: int, stop: int) -> torch.Tensor:
    raise AssertionError("a decoder that goes on needs no latents from before")


def decode_all(pipe, latents: torch.Tensor, cuts: list[int]) -> np.ndarray:
    decoder, borders = FilmDecoder(pipe.vae), [0, *cuts, latents.shape[1]]
    parts = [decoder.frames(latents[:, a:b], a, unwanted) for a, b in pairwise(borders)]
    return np.concatenate(parts)


def test_pieces_equal_the_whole(tiny_pipeline, latents: torch.Tensor):
    short = latents[:, :9]
    frames = decode_all(tiny_pipeline, short, [1, 5, 6])
    assert len(frames) == 4 * 9 - 3
    assert np.array_equal(frames, decode_all(tiny_pipeline, short, []))
    whole = to_uint8(decode_normalised(tiny_pipeline.vae, short[None])[0])
    assert np.abs(frames.astype(int) - whole).max() <= 2


@pytest.mark.parametrize("behind", [3, 0])
def test_a_warm_start_equals_a_carried_one(tiny_pipeline, latents: torch.Tensor, behind: int):
    decoder = FilmDecoder(tiny_pipeline.vae)
    start = decoder.warm_up + behind
    carried = decode_all(tiny_pipeline, latents[:, : start + 4], [start])[4 * start - 3 :]
    asked = []

    def before(first: int, stop: int) -> torch.Tensor:
        asked.append((first, stop))
        return latents[:, first:stop]

    warm = decoder.frames(latents[:, start : start + 4], start, before)
    assert asked == [(behind, start)]
    assert np.array_equal(warm, carried)


def test_the_warm_up_has_an_effect(tiny_pipeline, latents: torch.Tensor):
    """Were the decoder not warmed up, the frames would differ: the law above is not empty."""
    decoder = FilmDecoder(tiny_pipeline.vae)
    start = decoder.warm_up
    right = decode_all(tiny_pipeline, latents[:, : start + 2], [start])[4 * start - 3 :]
    zeros = torch.zeros_like(latents)
    cold = decoder.frames(latents[:, start : start + 2], start, lambda a, b: zeros[:, a:b])
    assert not np.array_equal(right, cold)
