"""The small text encoder of `storyworld`: T5's encoder with a tokenizer of its own.

The tokenizer is a lower-casing byte-level BPE, so that any string of any script has tokens and none is lost.
It carries the list of words it was trained on (`known_words` reads texts by it), so that a person can be told
the words that the model has never seen.
Shapes: texts B, tokens L, width D.
"""

from __future__ import annotations

import random
import re
import string
from collections import Counter
from collections.abc import Iterable, Sequence

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from torch import Tensor
from transformers import PreTrainedTokenizerFast, T5Config, T5EncoderModel
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from arlon_core.models.known_words import text_words

MAX_LENGTH = 96  # tokens of a text, <eos> included
_PAD, _EOS, _UNK = "<pad>", "</s>", "<unk>"
_WORD = re.compile(r"[^\W\d_]+")


def build_text_encoder(
    vocab_size: int = 2500,
    d_model: int = 256,
    num_layers: int = 4,
    num_heads: int = 8,
    d_kv: int = 32,
    d_ff: int = 512,
    dropout_rate: float = 0.1,
) -> T5EncoderModel:
    """A new T5 encoder (Raffel et al. 2020, v1.1: gated GELU); the defaults are the shipped sizes."""
    config = T5Config(
        vocab_size=vocab_size,
        d_model=d_model,
        num_layers=num_layers,
        num_heads=num_heads,
        d_kv=d_kv,
        d_ff=d_ff,
        dropout_rate=dropout_rate,
        feed_forward_proj="gated-gelu",
        pad_token_id=0,
        eos_token_id=1,
        is_encoder_decoder=False,
        use_cache=False,
    )
    return T5EncoderModel(config)


def train_tokenizer(captions: Iterable[str], vocab_size: int = 2500) -> PreTrainedTokenizerFast:
    """Captions -> a tokenizer of at most `vocab_size` tokens that ends every text with </s>.

    The words of the captions stay with it (`tokenizer.init_kwargs["known_words"]`, saved in its
    configuration).
    """
    words: Counter[str] = Counter()

    def counted() -> Iterable[str]:
        for caption in captions:
            words.update(text_words(caption))
            yield caption

    tokenizer = Tokenizer(models.BPE(unk_token=_UNK))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[_PAD, _EOS, _UNK],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(counted(), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {_EOS}", pair=None, special_tokens=[(_EOS, tokenizer.token_to_id(_EOS))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=_PAD,
        eos_token=_EOS,
        unk_token=_UNK,
        model_max_length=MAX_LENGTH,
        clean_up_tokenization_spaces=False,
        split_special_tokens=True,  # a user who types "</s>" means the characters
        known_words=sorted(words),
    )


@torch.no_grad()
def encode_texts(
    tokenizer: PreTrainedTokenizerBase,
    text_encoder: T5EncoderModel,
    texts: Sequence[str],
    *,
    max_length: int | None = MAX_LENGTH,
) -> tuple[Tensor, Tensor]:
    """Texts -> states (B, L, D) in the encoder's dtype and a mask (B, L) of int64, 1 for real tokens.

    L is `max_length` (longer texts are cut), or that of the longest text when it is None. States of padding
    are zero. Each text is padded apart from the others' lengths, so its states do not depend on its company
    when `max_length` is given.
    """
    padding = "longest" if max_length is None else "max_length"
    length = max_length or MAX_LENGTH
    batch = tokenizer(list(texts), padding=padding, truncation=True, max_length=length, return_tensors="pt")
    device = text_encoder.device
    ids, mask = (batch[name].to(device, non_blocking=True) for name in ("input_ids", "attention_mask"))
    states = text_encoder(input_ids=ids, attention_mask=mask).last_hidden_state
    return states * mask[..., None].to(states.dtype), mask


def with_typos(text: str, rng: random.Random) -> str:
    """The text with a typing error in about one word of six, in one at least.

    A letter is dropped, doubled, replaced, or changes places with the next; words under three letters are
    left as they are.
    """
    spans = [match.span() for match in _WORD.finditer(text) if match.end() - match.start() >= 3]
    if not spans:
        return text
    count = max(1, round(len(spans) * rng.uniform(0, 1 / 3)))
    for start, stop in sorted(rng.sample(spans, min(count, len(spans))), reverse=True):
        text = text[:start] + _misspelt(text[start:stop], rng) + text[stop:]
    return text


def _misspelt(word: str, rng: random.Random) -> str:
    at = rng.randrange(len(word) - 1)
    head, letter, following, tail = word[:at], word[at], word[at + 1], word[at + 2 :]
    kind = rng.randrange(4)
    if kind == 0:
        return head + following + tail
    if kind == 1:
        return head + letter + letter + following + tail
    if kind == 2:
        return head + rng.choice(string.ascii_lowercase) + following + tail
    return head + following + letter + tail
