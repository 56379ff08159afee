"""From logits to tokens: the probabilities that even uniform numbers give, and what is refused."""

from __future__ import annotations

import pytest
import torch

from arlon_core.models import token_sampling
from arlon_core.models.token_sampling import SamplingConfig, sample_tokens


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        (SamplingConfig(), [0.1, 0.2, 0.3, 0.4]),
        (SamplingConfig(top_k=2), [0, 0, 3 / 7, 4 / 7]),
        (SamplingConfig(top_p=0.75), [0, 0.2 / 0.9, 0.3 / 0.9, 0.4 / 0.9]),
        (SamplingConfig(top_p=0.35), [0, 0, 0, 1]),
        (SamplingConfig(temperature=0.5), [1 / 30, 4 / 30, 9 / 30, 16 / 30]),
        (SamplingConfig(temperature=0), [0, 0, 0, 1]),
    ],
)
def test_even_uniforms_give_the_probabilities(sampling, expected):
    logits = torch.tensor([0.1, 0.2, 0.3, 0.4]).log().expand(300, -1)
    draws = sample_tokens(logits, (torch.arange(300) + 0.5) / 300, sampling)
    share = torch.bincount(draws, minlength=4) / 300
    torch.testing.assert_close(share, torch.tensor(expected, dtype=torch.float32), atol=0.01, rtol=0)


@pytest.mark.parametrize(
    "sampling", [SamplingConfig(), SamplingConfig(top_k=5), SamplingConfig(top_p=0.8, temperature=0.7)]
)
def test_a_draw_is_the_same_alone_and_in_company(sampling):
    generator = torch.Generator().manual_seed(0)
    logits, uniforms = torch.randn(40, 50, generator=generator) * 3, torch.rand(40, generator=generator)
    alone = [sample_tokens(logits[i : i + 1], uniforms[i : i + 1], sampling) for i in range(40)]
    assert torch.equal(sample_tokens(logits, uniforms, sampling), torch.cat(alone))


def test_the_largest_uniform_never_leaves_the_kept_codes():
    almost_one = torch.tensor([1 - 2**-24])
    logits = torch.cat([torch.zeros(100), torch.full((3,), -torch.inf)])[None]
    assert int(sample_tokens(logits, almost_one, SamplingConfig())) < 100
    assert int(sample_tokens(logits, almost_one, SamplingConfig(top_p=0.5))) < 100


@pytest.mark.parametrize("flat", [0.5, 4.0])
def test_few_codes_are_looked_at_only_where_they_are_enough(flat: float, monkeypatch: pytest.MonkeyPatch):
    """The draws are those among all codes, whether the likeliest few hold top_p or not."""
    generator = torch.Generator().manual_seed(0)
    logits, uniforms = torch.randn(200, 400, generator=generator) / flat, torch.rand(200, generator=generator)
    sampling = SamplingConfig(top_p=0.9)
    monkeypatch.setattr(token_sampling, "_FEW", 150)
    enough = logits.softmax(-1).topk(150)[0].sum(-1) >= 0.9
    assert enough.all() == (flat < 1)
    found = sample_tokens(logits, uniforms, sampling)
    monkeypatch.setattr(token_sampling, "_FEW", 400)
    assert torch.equal(found, sample_tokens(logits, uniforms, sampling))


@pytest.mark.parametrize("wrong", [{"temperature": -1}, {"top_k": -1}, {"top_p": 0}, {"guidance_scale": -2}])
def test_impossible_sampling_is_refused(wrong):
    with pytest.raises(ValueError, match="sampling needs"):
        SamplingConfig(**wrong)
