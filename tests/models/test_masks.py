"""Mask strategies against the reference code, and the laws of training masks."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import torch

from arlon_core.models.masks import (
    MASK_TYPES,
    append_generated,
    apply_mask_strategy,
    parse_mask_strategy,
    sample_chunk_shape,
    snap_to_grid,
    training_mask,
    training_masks,
)

GOLDEN = json.loads((Path(__file__).parents[1] / "goldens" / "mask_strategy.json").read_text())


@pytest.mark.parametrize(("strategy", "groups"), GOLDEN["parse_mask_strategy"].items())
def test_parse(strategy, groups):
    assert [list(group) for group in parse_mask_strategy(strategy)] == groups


@pytest.mark.parametrize("case", GOLDEN["apply_mask_strategy"])
def test_apply(case):
    """Every reference frame carries its own number, so that the result names its source."""
    references = [
        (torch.arange(count) + 1.0 + 100 * i).reshape(1, count, 1, 1)
        for i, count in enumerate(case["ref_lengths"])
    ]
    noise = torch.zeros(1, 1, case["T"], 1, 1)
    latents, mask = apply_mask_strategy(noise, [references], [case["strategy"]], case["loop"], case["align"])
    assert latents.flatten().tolist() == case["z_source"]
    assert mask[0].tolist() == case["mask"]
    assert not noise.any()


def test_append_generated():
    golden = GOLDEN["append_generated"]
    inputs = golden["inputs"]
    made = [
        append_generated(strategy, len(refs), inputs["loop_i"], inputs["cond_len"], inputs["edit"])
        for strategy, refs in zip(inputs["strategies"], inputs["refs"], strict=True)
    ]
    assert made == golden["strategies"]


@pytest.mark.parametrize("bad", ["0,0,0,0,1,0,7", "x", "0,,1", "0,0,0,0,1,2"])
def test_bad_strategies_are_named(bad):
    with pytest.raises(ValueError, match=f"Mask group '{bad}'"):
        parse_mask_strategy(f"0;{bad}")


def test_missing_reference_is_named():
    with pytest.raises(ValueError, match="names reference 1"):
        apply_mask_strategy(torch.zeros(1, 1, 5, 1, 1), [[torch.ones(1, 1, 1, 1)]], ["0,1"])


def test_snapping_goes_up_only_into_a_whole_group():
    assert [snap_to_grid(value, 5, 15) for value in (0, 2, 3, 7, 8, 13, 14)] == [0, 0, 5, 5, 10, 10, 10]


@pytest.mark.parametrize("kind", MASK_TYPES)
@pytest.mark.parametrize("frames", [1, 2, 3, 4, 15])
def test_some_frame_is_always_learned_and_a_given_one_where_there_is_room(kind, frames):
    rng = random.Random(0)
    for _ in range(50):
        mask = training_mask(frames, kind, overlap=4, rng=rng)
        assert len(mask) == frames
        assert any(mask)
        if frames > 1 and kind not in ("random", "interpolate"):
            assert not all(mask)
        if frames == 1:
            assert mask == [True]


def test_shapes_of_training_masks():
    rng = random.Random(0)
    assert training_mask(16, "overlap", 4, rng) == [False] * 4 + [True] * 12
    assert training_mask(3, "overlap", 4, rng) == [False] * 2 + [True]
    assert training_mask(5, "image_head", 4, rng) == [False] + [True] * 4
    assert training_mask(5, "image_head_tail", 4, rng) == [False, True, True, True, False]
    interpolated = training_mask(6, "interpolate", 4, rng)
    assert interpolated in ([True, False] * 3, [False, True] * 3)
    for _ in range(50):
        given = training_mask(16, "quarter_head", 4, rng).index(True)
        assert 1 <= given <= 4
    assert training_mask(5, None, 4, rng) == [True] * 5


def test_training_masks_follow_their_shares():
    masks = training_masks(2000, 8, 3, random.Random(0), {"overlap": 0.5})
    assert masks.dtype == torch.bool
    heads = (~masks[:, :3]).all(1) & masks[:, 3:].all(1)
    assert torch.equal(heads, ~masks.all(1))
    assert 900 < heads.sum() < 1100
    with pytest.raises(ValueError, match="Unknown mask type 'heads'"):
        training_masks(1, 8, 3, random.Random(0), {"heads": 0.5})
    with pytest.raises(ValueError, match="above 1"):
        training_masks(1, 8, 3, random.Random(0), {"overlap": 0.9, "random": 0.2})


def test_chunk_shapes_cover_what_the_story_loop_makes():
    rng = random.Random(0)
    shapes = [sample_chunk_shape(rng) for _ in range(3000)]
    assert {shape.new for shape in shapes} == set(range(1, 13))
    assert {shape.overlap for shape in shapes} == {0, 1, 2, 3, 4}
    assert sum(shape == (4, 12) for shape in shapes) > 1000
