"""The token transformer: what each item may see, what it predicts, and that it learns."""

from __future__ import annotations

import pytest
import torch

from arlon_core.models.token_layout import block_layout, episode_layout
from arlon_core.models.token_transformer import (
    IGNORE,
    TokenTransformer,
    TokenTransformerConfig,
    batch_layouts,
)
from tests.models.toy_tokens import (
    BORDERS,
    CODES,
    COLS,
    FRAMES,
    LENGTHS,
    PER_FRAME,
    ROWS,
    TEXT,
    Film,
    layout,
    new_film,
    new_model,
    teacher_forced,
)  # fmt: skip


@pytest.fixture(scope="module")
def model() -> TokenTransformer:
    return new_model()


@pytest.fixture(scope="module")
def film() -> Film:
    return new_film()


def episode_logits(model, codes, states, lengths=LENGTHS):
    """Logits (S, V) of a whole film as one training sequence, and its layout."""
    items = episode_layout(BORDERS, lengths, tokens_per_frame=PER_FRAME)
    batch = batch_layouts([items])
    padded = torch.nn.utils.rnn.pad_sequence(states, batch_first=True)[None]
    embeds = model.embed_layouts(batch, codes[None], padded)
    return model(inputs_embeds=embeds, position_ids=batch.position).logits[0], items


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
