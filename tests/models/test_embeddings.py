"""Position, rotary and timestep embeddings against the reference code's outputs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from arlon_core.models.embeddings import (
    PatchEmbed3D,
    RotaryEmbedding,
    apply_rotary,
    position_embedding,
    repeat_to_batch,
    rotary_tables,
    sinusoidal_embedding,
)

CASES = load_file(Path(__file__).parents[1] / "goldens" / "stdit3_tiny_cases.safetensors")


def test_timestep_embedding():
    torch.testing.assert_close(
        sinusoidal_embedding(CASES["tembed.in"]), CASES["tembed.freq256"], atol=1e-4, rtol=0
    )


@pytest.mark.parametrize("scale", [0.625, torch.tensor(0.625)])
def test_position_embedding(scale):
    expected = CASES["posemb.h3_w4_scale0.625_base3"]
    torch.testing.assert_close(position_embedding(3, 4, 64, scale, 3), expected, atol=1e-4, rtol=0)


def test_rotary_embedding():
    turned = apply_rotary(CASES["rope.in"], *rotary_tables(6, 16))
    torch.testing.assert_close(turned, CASES["rope.out"], atol=1e-4, rtol=0)


def test_rotary_products_depend_on_distance_alone():
    torch.manual_seed(0)
    q, k = torch.randn(16), torch.randn(16)
    tables = rotary_tables(10, 16)
    turned_q, turned_k = (apply_rotary(x.expand(10, 16), *tables) for x in (q, k))
    products = turned_q @ turned_k.T
    torch.testing.assert_close(products[:-3, :-3], products[3:, 3:], atol=1e-4, rtol=1e-4)


def test_tables_stay_exact_in_bfloat16():
    rope = RotaryEmbedding(16)
    expected = rope(120)
    rope.to(torch.bfloat16)
    for table, exact in zip(rope(120), expected, strict=True):
        assert torch.equal(table, exact)


def test_patch_embedding_equals_its_convolution():
    torch.manual_seed(0)
    embed = PatchEmbed3D((1, 2, 2), 4, 8)
    x = torch.randn(2, 4, 3, 4, 6)
    torch.testing.assert_close(embed(x), embed.proj(x).flatten(2).transpose(1, 2))


def test_repeat_to_batch_tiles():
    assert repeat_to_batch(torch.tensor([1, 2]), 4).tolist() == [1, 2, 1, 2]
    with pytest.raises(ValueError, match="cannot be repeated"):
        repeat_to_batch(torch.tensor([1, 2]), 3)
