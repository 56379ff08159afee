"""The tokenizer, the small text encoder and the attribute reader."""

from __future__ import annotations

import random

import pytest
import torch
from transformers import AutoTokenizer

from arlon_core.models.attribute_reader import AttributeReader
from arlon_core.models.known_words import unknown_words
from arlon_core.models.text_encoder import (
    build_text_encoder,
    encode_texts,
    train_tokenizer,
    with_typos,
)

CAPTIONS = [
    "A red hot-air balloon rises over green hills at dawn.",
    "Then night falls and snow begins to fall.",
    "The camera follows a small blue boat.",
]


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(iter(CAPTIONS), vocab_size=320)


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    return build_text_encoder(320, d_model=16, num_layers=2, num_heads=2, d_kv=8, d_ff=32).eval()


@pytest.mark.parametrize("text", ["zebra", "日本の猫", "émile 🎈", "tab\there", "</s> <pad>", "x" * 30])
def test_any_text_has_tokens_and_none_is_unknown(tokenizer, text):
    ids = tokenizer(text).input_ids
    assert len(ids) > 1
    assert tokenizer.unk_token_id not in ids
    assert ids[-1] == tokenizer.eos_token_id
    assert ids.count(tokenizer.eos_token_id) == 1
    assert tokenizer.decode(ids[:-1]).strip() == text.lower()


def test_case_does_not_matter(tokenizer):
    assert tokenizer("A RED Balloon").input_ids == tokenizer("a red balloon").input_ids


def test_trained_words_are_short_and_the_vocabulary_is_bounded(tokenizer):
    assert len(tokenizer) <= 320
    assert len(tokenizer("balloon").input_ids) < len(tokenizer("nwollab").input_ids)


def test_tokenizer_survives_saving_with_its_words(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    text = "A zebra </s> rises"
    assert loaded(text).input_ids == tokenizer(text).input_ids
    assert unknown_words(loaded.init_kwargs["known_words"], text) == ["zebra"]


def test_states_do_not_depend_on_the_other_texts(tokenizer, encoder):
    together, mask = encode_texts(tokenizer, encoder, CAPTIONS)
    assert together.shape == (3, 96, 16)
    for i, caption in enumerate(CAPTIONS):
        alone, _ = encode_texts(tokenizer, encoder, [caption])
        torch.testing.assert_close(alone[0], together[i])
        assert mask[i].sum() == len(tokenizer(caption).input_ids)
        assert not together[i, mask[i] == 0].any()


def test_long_texts_are_cut_and_still_end(tokenizer, encoder):
    states, mask = encode_texts(tokenizer, encoder, ["red balloon " * 100], max_length=20)
    assert states.shape[1] == mask.sum() == 20
    ids = tokenizer("red balloon " * 100, truncation=True, max_length=20).input_ids
    assert ids[-1] == tokenizer.eos_token_id


def test_typos_are_small_and_repeatable():
    text = CAPTIONS[0]
    wrong = [with_typos(text, random.Random(seed)) for seed in range(50)]
    assert wrong == [with_typos(text, random.Random(seed)) for seed in range(50)]
    assert sum(typo != text for typo in wrong) > 40
    assert len(set(wrong)) > 30
    for typo in wrong:
        assert abs(len(typo) - len(text)) <= 4
        assert len(typo.split()) == len(text.split())
    assert with_typos("a b c", random.Random(0)) == "a b c"


def test_the_reader_gives_one_more_class_and_ignores_padding():
    torch.manual_seed(0)
    reader = AttributeReader(text_dim=16, attributes={"colour": 9, "place": 8}).eval()
    states, mask = torch.randn(2, 6, 16), torch.tensor([[1, 1, 1, 0, 0, 0], [1] * 6])
    logits = reader(states, mask)
    assert {name: tuple(value.shape) for name, value in logits.items()} == {
        "colour": (2, 10), "place": (2, 9), "full": (2, 2)
    }  # fmt: skip
    states[0, 3:] = 100
    torch.testing.assert_close(reader(states, mask)["colour"], logits["colour"])
    assert reader.is_full(states, mask).shape == (2,)


def test_the_reader_learns_which_word_is_there(tokenizer, encoder, tmp_path):
    torch.manual_seed(0)
    states, mask = encode_texts(tokenizer, encoder, CAPTIONS)
    reader = AttributeReader(text_dim=16, attributes={"colour": 2})
    target = {"colour": torch.tensor([0, 2, 1]), "full": torch.tensor([1, 0, 1])}
    optimizer = torch.optim.Adam(reader.parameters(), lr=1e-2)
    for _ in range(60):
        logits = reader(states, mask)
        loss = sum(torch.nn.functional.cross_entropy(logits[name], target[name]) for name in target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    reader.eval().save_pretrained(tmp_path)
    loaded = AttributeReader.from_pretrained(tmp_path).eval()
    assert loaded(states, mask)["colour"].argmax(-1).tolist() == [0, 2, 1]
    assert loaded.is_full(states, mask).tolist() == [True, False, True]


def test_a_reader_cannot_have_an_attribute_named_like_its_own_bit():
    with pytest.raises(ValueError, match="full"):
        AttributeReader(text_dim=4, attributes={"full": 2})
