"""The token transformer and its lean sampling loop, held to transformers' own `generate()`."""

from __future__ import annotations

import pytest
import torch

from arlon_core.models import token_decoding
from arlon_core.models.token_decoding import SamplingConfig, TokenDecoder, embed_prefill, sample_token
from arlon_core.models.token_layout import block_layout, episode_layout
from arlon_core.models.token_transformer import (
    IGNORE,
    TokenTransformer,
    TokenTransformerConfig,
    batch_layouts,
)

CODES, TEXT, ROWS, COLS = 32, 8, 2, 3
PER_FRAME = ROWS * COLS
BORDERS, LENGTHS = [0, 3, 7], [4, 3]
FRAMES = 3  # of the block that the tests decode


@pytest.fixture(scope="module")
def model() -> TokenTransformer:
    torch.manual_seed(0)
    config = TokenTransformerConfig(
        codebook_size=CODES, text_dim=TEXT, token_rows=ROWS, token_cols=COLS, initializer_range=0.3,
        hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
    )  # fmt: skip
    model = TokenTransformer(config).eval()
    torch.nn.init.normal_(model.null_text)
    return model.requires_grad_(False)


@pytest.fixture(scope="module")
def film() -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Codes of all frames (N,), and each segment's text states."""
    generator = torch.Generator().manual_seed(1)
    codes = torch.randint(CODES, (BORDERS[-1] * PER_FRAME,), generator=generator)
    return codes, [torch.randn(length, TEXT, generator=generator) for length in LENGTHS]


def layout(stop: int = 3 + FRAMES):
    return block_layout(BORDERS, LENGTHS, 3, stop, tokens_per_frame=PER_FRAME)


def episode_logits(model, codes, states, lengths=LENGTHS):
    """Logits (S, V) of a whole film as one training sequence, and its layout."""
    items = episode_layout(BORDERS, lengths, tokens_per_frame=PER_FRAME)
    batch = batch_layouts([items])
    padded = torch.nn.utils.rnn.pad_sequence(states, batch_first=True)[None]
    embeds = model.embed_layouts(batch, codes[None], padded)
    return model(inputs_embeds=embeds, position_ids=batch.position).logits[0], items


def teacher_forced(model, film, tokens, *, drop_text=False):
    """Logits (n, V) of the training forward for a block's tokens (n,)."""
    codes, states = film
    codes = codes.clone()
    codes[3 * PER_FRAME : 3 * PER_FRAME + len(tokens)] = tokens
    items = layout()
    batch = batch_layouts([items])
    padded = torch.nn.utils.rnn.pad_sequence(states, batch_first=True)[None]
    embeds = model.embed_layouts(batch, codes[None], padded, drop_text=drop_text)
    logits = model(inputs_embeds=embeds, position_ids=batch.position).logits[0]
    return logits[items.prefill - 1 : items.prefill - 1 + len(tokens)]


def decode(model, film, sampling, uniforms=None) -> torch.Tensor:
    codes, states = film
    embeds, positions = embed_prefill(model, layout(), codes, states, guidance=sampling.guidance_scale != 1)
    uniforms = torch.zeros(FRAMES * PER_FRAME) if uniforms is None else uniforms
    return torch.cat(list(TokenDecoder(model, 128).frames(embeds, positions, uniforms, sampling)))


# -- the model ------------------------------------------------------------------------------------------


@torch.no_grad()
def test_changing_a_token_changes_no_logits_before_it(model, film):
    codes, states = film
    before, items = episode_logits(model, codes, states)
    for token in (0, 7, 20, 41):
        other = codes.clone()
        other[token] = (other[token] + 1) % CODES
        after, _ = episode_logits(model, other, states)
        at = items.token.index(token)
        torch.testing.assert_close(after[:at], before[:at])
        assert (after[at] - before[at]).abs().max() > 1e-3


@torch.no_grad()
def test_another_prompt_changes_nothing_before_it(model, film):
    codes, states = film
    before, items = episode_logits(model, codes, states)
    after, _ = episode_logits(model, codes, [states[0], states[1].flip(0) * 2])
    at = items.text.index(1)
    torch.testing.assert_close(after[:at], before[:at])
    assert (after[-1] - before[-1]).abs().max() > 1e-3


@torch.no_grad()
def test_padding_and_company_change_no_logits(model, film):
    codes, states = film
    padded = torch.nn.utils.rnn.pad_sequence(states, batch_first=True)[None].expand(2, -1, -1, -1)
    long = episode_layout(BORDERS, LENGTHS, tokens_per_frame=PER_FRAME)
    short = block_layout(BORDERS, LENGTHS, 0, 2, tokens_per_frame=PER_FRAME)
    both = batch_layouts([short, long], length=80)
    logits = model(
        inputs_embeds=model.embed_layouts(both, codes[None].expand(2, -1), padded), position_ids=both.position
    ).logits
    alone = batch_layouts([short])
    expected = model(
        inputs_embeds=model.embed_layouts(alone, codes[None], padded[:1]), position_ids=alone.position
    ).logits
    torch.testing.assert_close(logits[0, : len(short)], expected[0], atol=1e-5, rtol=1e-5)
    assert both.lengths.tolist() == [len(short), len(long)]


@torch.no_grad()
def test_the_causal_forward_equals_transformers_own_under_an_explicit_mask(model, film):
    codes, states = film
    batch = batch_layouts([layout()])
    padded = torch.nn.utils.rnn.pad_sequence(states, batch_first=True)[None]
    embeds = model.embed_layouts(batch, codes[None], padded)
    size = embeds.shape[1]
    mask = torch.ones(size, size, dtype=torch.bool).tril()[None, None]
    ours = model(inputs_embeds=embeds, position_ids=batch.position).logits
    theirs = model(inputs_embeds=embeds, position_ids=batch.position, attention_mask=mask).logits
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


def test_targets_are_the_next_tokens_and_the_end(model, film):
    codes, _ = film
    batch = batch_layouts([episode_layout(BORDERS, LENGTHS, tokens_per_frame=PER_FRAME)], length=60)
    targets = model.targets(batch, codes[None])[0].tolist()
    first, second = BORDERS[1] * PER_FRAME, BORDERS[2] * PER_FRAME
    known = codes.tolist()
    expected = [IGNORE] * 3 + known[:first] + [CODES] + [IGNORE] * 2 + known[first:second] + [CODES]
    assert targets == expected + [IGNORE] * (60 - len(expected))


def test_positions_are_required(model):
    with pytest.raises(ValueError, match="position_ids"):
        model(input_ids=torch.zeros(1, 3, dtype=torch.long))


def test_it_learns_one_batch(film):
    torch.manual_seed(0)
    model = TokenTransformer(
        TokenTransformerConfig(
            codebook_size=CODES, text_dim=TEXT, token_rows=ROWS, token_cols=COLS,
            hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
        )
    )  # fmt: skip
    codes, states = film
    batch = batch_layouts([episode_layout(BORDERS, LENGTHS, tokens_per_frame=PER_FRAME)])
    padded = torch.nn.utils.rnn.pad_sequence(states, batch_first=True)[None]
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(60):
        embeds = model.embed_layouts(batch, codes[None], padded)
        logits = model(inputs_embeds=embeds, position_ids=batch.position).logits
        loss = torch.nn.functional.cross_entropy(
            logits[0], model.targets(batch, codes[None])[0], ignore_index=IGNORE
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.3


def test_save_and_load_keep_logits(model, film, tmp_path):
    model.save_pretrained(tmp_path)
    loaded = TokenTransformer.from_pretrained(tmp_path).eval()
    assert loaded.config.tokens_per_frame == PER_FRAME
    tokens = torch.zeros(FRAMES * PER_FRAME, dtype=torch.long)
    torch.testing.assert_close(teacher_forced(loaded, film, tokens), teacher_forced(model, film, tokens))
    assert not list(tmp_path.glob("*.bin"))


# -- the lean loop --------------------------------------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize("columns", [False, True], ids=["vectors", "columns"])
def test_the_lean_loop_equals_generate_on_any_processor(model, film, columns, monkeypatch):
    monkeypatch.setattr(token_decoding, "_columns_are_faster", lambda: columns)
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
    """The lean loop's logits at each of its steps, recorded while it decodes greedily."""
    codes, states = film
    embeds, positions = embed_prefill(model, layout(), codes, states, guidance=False)
    decoder, recorded = TokenDecoder(model, 128), []
    draw, advance = decoder._draw, decoder._advance

    def recording(logits, sampling):
        recorded.append(logits[0].clone())
        draw(logits, sampling)

    decoder._draw = recording  # type: ignore[method-assign]
    if masked:
        decoder._advance = lambda sampling, visible: advance(sampling, None)  # type: ignore[method-assign]
    frames = decoder.frames(embeds, positions, torch.zeros(len(tokens)), SamplingConfig(temperature=0))
    assert torch.equal(torch.cat(list(frames)), tokens)
    return torch.stack(recorded)


@torch.no_grad()
def test_a_masked_step_over_the_whole_cache_equals_a_sliced_one(model, film):
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


# -- sampling -------------------------------------------------------------------------------------------


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
    logits = torch.tensor([0.1, 0.2, 0.3, 0.4]).log()
    draws = [int(sample_token(logits, (torch.tensor([i + 0.5]) / 300), sampling)) for i in range(300)]
    share = torch.bincount(torch.tensor(draws), minlength=4) / 300
    torch.testing.assert_close(share, torch.tensor(expected, dtype=torch.float32), atol=0.01, rtol=0)


def test_the_largest_uniform_never_leaves_the_kept_codes():
    almost_one = torch.tensor([1 - 2**-24])
    logits = torch.cat([torch.zeros(100), torch.full((3,), -torch.inf)])
    assert int(sample_token(logits, almost_one, SamplingConfig())) < 100
    assert int(sample_token(logits, almost_one, SamplingConfig(top_p=0.5))) < 100


@pytest.mark.parametrize("wrong", [{"temperature": -1}, {"top_k": -1}, {"top_p": 0}, {"guidance_scale": -2}])
def test_impossible_sampling_is_refused(wrong):
    with pytest.raises(ValueError, match="sampling needs"):
        SamplingConfig(**wrong)
