"""Pictures of the steps: what they show, and that no bit of the film depends on them."""

from __future__ import annotations

from copy import copy

import numpy as np
import pytest
import torch

from arlon_core.generation.decode import to_uint8
from arlon_core.generation.events import SegmentReady, StepDone
from arlon_core.generation.preview import PICTURES, chunk_pictures, clean_estimate
from arlon_core.generation.render import render
from arlon_core.models.flow_path import add_noise
from arlon_core.models.rectified_flow import sample_steps
from arlon_core.story import Segment, Story

STORY = Story((Segment("A red balloon rises.", 1.5), Segment("Then night falls.", 0.8)), seed=5)


def test_the_estimate_is_the_truth_when_the_velocity_is():
    """A velocity that points at x_0 from everywhere: every step's estimate is x_0."""
    generator = torch.Generator().manual_seed(0)
    clean, noise = torch.randn(2, 1, 4, 3, 5, 6, generator=generator)
    times = torch.tensor([1000.0, 700.0, 250.0])
    before = add_noise(clean, noise, times[:1])
    for step in sample_steps(lambda *_: clean - noise, before, times):
        assert torch.allclose(clean_estimate(before, step.latents, times, step.number), clean, atol=1e-5)
        before = step.latents


def test_the_last_estimate_is_the_result_and_kept_frames_stay():
    before, after = torch.randn(2, 1, 4, 3, 5, 6, generator=torch.Generator().manual_seed(0))
    after[:, :, 0] = before[:, :, 0]
    times = torch.tensor([1000.0, 400.0])
    assert torch.allclose(clean_estimate(before, after, times, 1), after, atol=1e-6)
    assert torch.equal(clean_estimate(before, after, times, 0)[:, :, 0], before[:, :, 0])


@pytest.mark.parametrize(("overlap", "new", "chosen"), [(2, 4, [2, 3, 5]), (0, 7, [1, 3, 6]), (2, 1, [2])])
def test_pictures_are_those_of_the_new_frames(tiny_pipeline, overlap: int, new: int, chosen: list[int]):
    """As the decoder shows them in one go: the last picture of each chosen latent frame."""
    decoder = tiny_pipeline.preview_decoder
    shape = (1, 4, overlap + new, 8, 14)
    latents = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    text = tiny_pipeline.encode_prompt("A red balloon rises.")
    whole = to_uint8(decoder(latents, text.states, text.mask)[0])
    expected = whole[[4 * frame for frame in chosen]]
    pictures = chunk_pictures(decoder, latents, overlap, text)
    assert pictures.shape == (min(PICTURES, new), 32, 56, 3)
    assert np.abs(pictures.astype(int) - expected).max() <= 1


def test_a_single_first_frame_has_a_picture(tiny_pipeline):
    latents = torch.randn((1, 4, 1, 8, 14), generator=torch.Generator().manual_seed(0))
    text = tiny_pipeline.encode_prompt("A red balloon rises.")
    assert chunk_pictures(tiny_pipeline.preview_decoder, latents, 0, text).shape == (1, 32, 56, 3)


def test_no_bit_of_the_film_depends_on_previews(tiny_pipeline):
    hashes = []
    for previews in (False, True):
        events = list(render(tiny_pipeline, STORY, with_animatic=False, previews=previews, steps=3))
        hashes.append([event.frame_hash for event in events if isinstance(event, SegmentReady)])
        shown = [event.preview is not None for event in events if isinstance(event, StepDone)]
        assert shown == [previews] * len(shown)
    assert hashes[0] == hashes[1]


def test_without_a_preview_decoder_there_are_none(tiny_pipeline):
    pipe = copy(tiny_pipeline)
    pipe.preview_decoder = None
    events = list(render(pipe, STORY, with_animatic=False, previews=True))
    assert all(event.preview is None for event in events if isinstance(event, StepDone))
