"""The lean sampling loop, held to transformers' own `generate()` and to the training forward."""

from __future__ import annotations

import pytest
import torch

from arlon_core.models.token_decoding import TokenDecoder, embed_prefill
from arlon_core.models.token_sampling import SamplingConfig
from arlon_core.models.token_transformer import TokenTransformer
from tests.models.toy_tokens import (
    CODES,
    FRAMES,
    PER_FRAME,
    Film,
    layout,
    new_film,
    new_model,
    teacher_forced,
)


@pytest.fixture(scope="module")
def model() -> TokenTransformer:
    return new_model()


@pytest.fixture(scope="module")
def film() -> Film:
    return new_film()


def decode(model, film, sampling, uniforms=None, guess=None, **options) -> torch.Tensor:
    codes, states = film
    embeds, positions = embed_prefill(model, layout(), codes, states, guidance=sampling.guidance_scale != 1)
    uniforms = torch.zeros(FRAMES * PER_FRAME) if uniforms is None else uniforms
    decoder = TokenDecoder(model, 128, **options)
    return torch.cat(list(decoder.frames(embeds, positions, uniforms, sampling, guess)))


@torch.no_grad()
def test_the_lean_loop_equals_generate(model, film):
    codes, states = film
    embeds, positions = embed_prefill(model, layout(), codes, states, guidance=False)
    count = FRAMES * PER_FRAME
    oracle = model.generate(
        inputs_embeds=embeds, position_ids=positions[None], max_new_tokens=count, do_sample=False,
        suppress_tokens=[CODES], output_logits=True, return_dict_in_generate=True,
    )  # fmt: skip
    tokens = decode(model, film, SamplingConfig(temperature=0))
    assert torch.equal(tokens, oracle.sequences[0])
    # Step by step: the logits of the training forward, of generate() and of the lean loop are one.
    expected = torch.stack(oracle.logits, dim=1)[0]
    torch.testing.assert_close(teacher_forced(model, film, tokens), expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(lean_logits(model, film, tokens), expected[:, :CODES], atol=1e-4, rtol=0)


def lean_logits(model, film, tokens, *, masked=False) -> torch.Tensor:
    """The logits that each of the lean loop's tokens was drawn from, recorded while it decodes greedily."""
    codes, states = film
    embeds, positions = embed_prefill(model, layout(), codes, states, guidance=False)
    decoder = TokenDecoder(model, 128)
    recorded = torch.zeros(len(tokens) + 2 * decoder.lookahead, CODES)
    draw, advance = decoder._draw, decoder._advance

    def recording(logits, sampling):
        known = int(decoder._known)
        recorded[known : known + logits.shape[1]] = logits[0]  # the last to be written is the one that counts
        draw(logits, sampling)

    decoder._draw = recording  # type: ignore[method-assign]
    if masked:
        decoder._advance = lambda sampling, visible: advance(sampling, decoder._room)  # type: ignore[method-assign]
    frames = decoder.frames(embeds, positions, torch.zeros(len(tokens)), SamplingConfig(temperature=0))
    assert torch.equal(torch.cat(list(frames)), tokens)
    return recorded[: len(tokens)]


@torch.no_grad()
def test_a_masked_pass_over_the_whole_cache_equals_a_sliced_one(model, film):
    """What the CUDA graph runs (fixed shapes, a mask) against what the CPU runs."""
    tokens = decode(model, film, SamplingConfig(temperature=0))
    sliced, masked = (lean_logits(model, film, tokens, masked=masked) for masked in (False, True))
    torch.testing.assert_close(masked, sliced, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_guidance_pushes_away_from_the_null_text(model, film):
    """Greedy tokens under guidance are the likeliest under uncond + scale * (cond - uncond)."""
    tokens = decode(model, film, SamplingConfig(temperature=0, guidance_scale=3.0))
    conditional = teacher_forced(model, film, tokens)
    unconditional = teacher_forced(model, film, tokens, drop_text=True)
    guided = unconditional + 3.0 * (conditional - unconditional)
    assert torch.equal(tokens, guided[:, :CODES].argmax(-1))
    assert not torch.equal(tokens, decode(model, film, SamplingConfig(temperature=0)))


@torch.no_grad()
def test_guidance_of_one_is_the_conditional_row_alone(model, film):
    codes, states = film
    embeds, positions = embed_prefill(model, layout(), codes, states, guidance=True)
    uniforms, sampling = torch.rand(FRAMES * PER_FRAME), SamplingConfig()
    decoder = TokenDecoder(model, 128)
    both = torch.cat(list(decoder.frames(embeds, positions, uniforms, sampling)))
    alone = torch.cat(list(decoder.frames(embeds[:1], positions, uniforms, sampling)))
    assert torch.equal(both, alone)


def test_the_same_uniforms_give_the_same_tokens_and_a_decoder_can_be_used_again(model, film):
    sampling, uniforms = SamplingConfig(top_k=10, top_p=0.9), torch.rand(FRAMES * PER_FRAME)
    first = decode(model, film, sampling, uniforms)
    assert torch.equal(first, decode(model, film, sampling, uniforms))
    assert not torch.equal(first, decode(model, film, sampling, 1 - uniforms))
    codes, states = film
    decoder = TokenDecoder(model, 128)
    embeds, positions = embed_prefill(model, layout(), codes, states, guidance=False)
    next(decoder.frames(embeds, positions, uniforms, sampling))  # cancelled after one latent frame
    assert torch.equal(torch.cat(list(decoder.frames(embeds, positions, uniforms, sampling))), first)


def test_a_block_that_does_not_fit_is_refused(model, film):
    codes, states = film
    embeds, positions = embed_prefill(model, layout(), codes, states, guidance=False)
    with pytest.raises(ValueError, match="do not fit"):
        next(TokenDecoder(model, 30).frames(embeds, positions, torch.rand(18), SamplingConfig()))
    with pytest.raises(ValueError, match="unconditional"):
        next(
            TokenDecoder(model, 128).frames(
                embeds, positions, torch.rand(18), SamplingConfig(guidance_scale=2)
            )
        )


@pytest.mark.parametrize("sampling", [SamplingConfig(), SamplingConfig(top_k=8, guidance_scale=2.0)])
def test_however_far_it_looks_and_whatever_it_guesses_the_tokens_are_those_of_one_at_a_time(
    model, film, sampling
):
    uniforms = torch.rand(FRAMES * PER_FRAME, generator=torch.Generator().manual_seed(4))
    one_at_a_time = decode(model, film, sampling, uniforms, lookahead=1)
    right, wrong = one_at_a_time[:PER_FRAME], (one_at_a_time[:PER_FRAME] + 1) % CODES
    for lookahead in (2, PER_FRAME - 1, PER_FRAME, 10 * PER_FRAME):
        for guess in (None, right, wrong):
            assert torch.equal(
                decode(model, film, sampling, uniforms, guess, lookahead=lookahead), one_at_a_time
            )


def test_a_frame_that_was_guessed_right_takes_one_pass(model, film, monkeypatch):
    codes, states = film
    embeds, positions = embed_prefill(model, layout(), codes, states, guidance=False)
    uniforms = torch.rand(FRAMES * PER_FRAME, generator=torch.Generator().manual_seed(4))
    passes, advance = [], TokenDecoder._advance
    monkeypatch.setattr(TokenDecoder, "_advance", lambda *args: passes.append(advance(*args)))

    def first_frame(guess, lookahead):
        passes.clear()
        decoder = TokenDecoder(model, 128, lookahead=lookahead)
        return next(decoder.frames(embeds, positions, uniforms, SamplingConfig(), guess)), len(passes)

    right, one_at_a_time = first_frame(None, lookahead=1)
    assert one_at_a_time == PER_FRAME - 1
    assert first_frame(right, lookahead=PER_FRAME)[1] == 1
    assert first_frame((right + 1) % CODES, lookahead=PER_FRAME)[1] > 1
