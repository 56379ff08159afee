"""Mask strategies against the reference code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from arlon_core.models.masks import (
    append_generated,
    apply_mask_strategy,
    parse_mask_strategy,
    snap_to_grid,
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
