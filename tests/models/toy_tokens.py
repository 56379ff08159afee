"""A token transformer and a film of toy size, for the tests of the model and of its sampling loop."""

from __future__ import annotations

import torch
from torch import Tensor

from arlon_core.models.token_layout import Layout, block_layout
from arlon_core.models.token_transformer import TokenTransformer, TokenTransformerConfig, batch_layouts

CODES, TEXT, ROWS, COLS = 32, 8, 2, 3
PER_FRAME = ROWS * COLS
BORDERS, LENGTHS = [0, 3, 7], [4, 3]
FRAMES = 3  # of the block that the tests decode
Film = tuple[Tensor, list[Tensor]]


def new_model() -> TokenTransformer:
    """A token transformer of toy size, the same every time."""
    torch.manual_seed(0)
    config = TokenTransformerConfig(
        codebook_size=CODES, text_dim=TEXT, token_rows=ROWS, token_cols=COLS, initializer_range=0.3,
        hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
    )  # fmt: skip
    model = TokenTransformer(config).eval()
    torch.nn.init.normal_(model.null_text)
    return model.requires_grad_(False)


def new_film() -> Film:
    """Codes of all frames (N,), and each segment's text states."""
    generator = torch.Generator().manual_seed(1)
    codes = torch.randint(CODES, (BORDERS[-1] * PER_FRAME,), generator=generator)
    return codes, [torch.randn(length, TEXT, generator=generator) for length in LENGTHS]


def layout(stop: int = 3 + FRAMES) -> Layout:
    """Of the block that begins at the second segment."""
    return block_layout(BORDERS, LENGTHS, 3, stop, tokens_per_frame=PER_FRAME)


def teacher_forced(model: TokenTransformer, film: Film, tokens: Tensor, *, drop_text: bool = False) -> Tensor:
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
