"""The autoregressive model over visual tokens: ARLON section 3.2 on transformers' Llama.

Layers, weights layout and `generate()` are LlamaForCausalLM's. Ours are the items it reads (`token_layout`):
a text state or a visual token, plus an embedding of the slot, that is of the row and column of the token that
comes next. Shapes: B sequences of S items, hidden width D, text states of width `text_dim`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from huggingface_hub.dataclasses import strict
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.modeling_outputs import CausalLMOutputWithPast

from arlon_core.models.token_layout import EOS_LABEL, NO_LABEL, Layout

IGNORE = -100  # what cross_entropy ignores


@strict
class TokenTransformerConfig(LlamaConfig):
    """A Llama configuration with the codebook, the text width and the token grid of a latent frame.

    `vocab_size` follows from `codebook_size`: the codes and, last, <eos>.
    """

    model_type = "arlon_token_transformer"

    codebook_size: int = 4096
    text_dim: int = 256
    token_rows: int = 4
    token_cols: int = 7
    vocab_size: int = 4097
    hidden_size: int = 384
    intermediate_size: int = 1024
    num_hidden_layers: int = 6
    num_attention_heads: int = 6
    max_position_embeddings: int = 2048
    bos_token_id: int | None = None
    eos_token_id: int | list[int] | None = None
    tie_word_embeddings: bool = True

    def __post_init__(self, **kwargs: Any) -> None:
        self.vocab_size = self.codebook_size + 1
        self.eos_token_id = self.codebook_size
        super().__post_init__(**kwargs)

    @property
    def tokens_per_frame(self) -> int:
        """Visual tokens in one latent frame."""
        return self.token_rows * self.token_cols


@dataclass(frozen=True)
class LayoutBatch:
    """Layouts as tensors (B, S), padded at the end with items that nothing sees and that predict nothing."""

    text: Tensor  # segment of a text item, 0 for tokens
    text_offset: Tensor
    token: Tensor  # index of a visual token in the film, 0 for texts
    is_text: Tensor  # bool
    position: Tensor
    label: Tensor  # token index, EOS_LABEL or NO_LABEL
    lengths: Tensor  # (B,), items before the padding

    def to(self, device: torch.device | str) -> LayoutBatch:
        """The same batch on `device`."""
        return LayoutBatch(
            **{name: tensor.to(device, non_blocking=True) for name, tensor in vars(self).items()}
        )


def batch_layouts(layouts: Sequence[Layout], length: int | None = None) -> LayoutBatch:
    """Layouts -> one LayoutBatch of `length` items, by default that of the longest.

    A fixed `length` keeps shapes, and so compiled code, the same from batch to batch. Raises ValueError when
    a layout is longer.
    """
    longest = max(len(layout) for layout in layouts)
    length = longest if length is None else length
    if longest > length:
        raise ValueError(f"a layout of {longest} items does not fit into {length}")

    def column(name: str, fill: int) -> Tensor:
        table = np.full((len(layouts), length), fill, dtype=np.int64)  # ten times faster than nested lists
        for row, layout in zip(table, layouts, strict=True):
            row[: len(layout)] = getattr(layout, name)
        return torch.from_numpy(table)

    text, token = column("text", -1), column("token", 0)
    return LayoutBatch(
        text=text.clamp_min(0),
        text_offset=column("text_offset", 0),
        token=token.clamp_min(0),
        is_text=text >= 0,
        position=column("position", 0),
        label=column("label", NO_LABEL),
        lengths=torch.tensor([len(layout) for layout in layouts]),
    )


class TokenTransformer(LlamaForCausalLM):
    """LlamaForCausalLM that reads layouts of text states and visual tokens."""

    config_class = TokenTransformerConfig

    def __init__(self, config: TokenTransformerConfig) -> None:
        super().__init__(config)
        self.text_projection = nn.Linear(config.text_dim, config.hidden_size)
        self.null_text = nn.Parameter(torch.zeros(config.hidden_size))
        self.row_embedding = nn.Embedding(config.token_rows, config.hidden_size)
        self.col_embedding = nn.Embedding(config.token_cols, config.hidden_size)
        self.post_init()

    # -- embeddings -------------------------------------------------------------------------------------

    def embed_slots(self, positions: Tensor) -> Tensor:
        """Positions (...) -> embeddings (..., D) of the place in the frame that comes next."""
        slot = positions % self.config.tokens_per_frame
        cols = self.config.token_cols
        return self.row_embedding(slot // cols) + self.col_embedding(slot % cols)

    def embed_tokens(self, codes: Tensor, positions: Tensor) -> Tensor:
        """Codebook indices and positions (B, S) -> input embeddings (B, S, D)."""
        return self.model.embed_tokens(codes) + self.embed_slots(positions)

    def embed_layouts(
        self, batch: LayoutBatch, codes: Tensor, text_states: Tensor, drop_text: Tensor | bool = False
    ) -> Tensor:
        """Layouts, flat codes (B, N), text states (B, K, L, text_dim) of K segments -> inputs (B, S, D).

        `drop_text` (B,), or one bool for all, marks sequences whose texts become the learned null embedding:
        classifier-free guidance.
        """
        states = self.text_projection(text_states.to(self.text_projection.weight.dtype))  # (B, K, L, D)
        rows = torch.arange(len(batch.text), device=states.device)[:, None]
        texts = states[rows, batch.text, batch.text_offset]
        drop = torch.as_tensor(drop_text, device=states.device).view(-1, 1, 1)
        texts = torch.where(drop, self.null_text.to(texts.dtype), texts)
        # An empty film has no code to look up; its layouts hold texts only.
        padded = codes if codes.shape[1] else F.pad(codes, (0, 1))
        visual = self.model.embed_tokens(padded.gather(1, batch.token)).to(texts.dtype)
        return torch.where(batch.is_text[..., None], texts, visual) + self.embed_slots(batch.position).to(
            texts.dtype
        )

    def targets(self, batch: LayoutBatch, codes: Tensor) -> Tensor:
        """What each item predicts: (B, S) vocabulary indices, IGNORE where it predicts nothing."""
        labels = codes.gather(1, batch.label.clamp_min(0))
        labels = torch.where(batch.label == EOS_LABEL, self.config.codebook_size, labels)
        return torch.where(batch.label == NO_LABEL, IGNORE, labels)

    # -- forward ----------------------------------------------------------------------------------------

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        position_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        past_key_values: Any = None,
        use_cache: bool | None = None,
        **kwargs: Any,
    ) -> CausalLMOutputWithPast:
        """Input embeddings (B, S, D) or codes (B, S), and positions (B, S) -> logits (B, S, vocabulary).

        Codes as `input_ids` get their slot embedding here; that is how `generate()` goes on after a prefix of
        embeddings. Without cache and mask the sequences are plainly causal (padding belongs at the end).
        Raises ValueError without positions: they are not the places in the sequence.
        """
        if position_ids is None:
            raise ValueError("position_ids are needed: texts take up no positions, so they cannot be counted")
        if inputs_embeds is None:
            if input_ids is None:
                raise ValueError("either input_ids or inputs_embeds is needed")
            inputs_embeds = self.embed_tokens(input_ids, position_ids)
        if past_key_values is None and attention_mask is None and not use_cache:
            return CausalLMOutputWithPast(
                logits=self.lm_head(self.causal_states(inputs_embeds, position_ids))
            )
        return super().forward(
            inputs_embeds=inputs_embeds,
            position_ids=position_ids,
            attention_mask=attention_mask,
            past_key_values=past_key_values,
            use_cache=use_cache,
            **kwargs,
        )

    def causal_states(self, inputs_embeds: Tensor, position_ids: Tensor) -> Tensor:
        """The last hidden states (B, S, D) of plainly causal sequences, for training.

        LlamaModel's own forward reads repeated positions as several sequences packed into one and masks them
        apart, so it cannot be used here. Without a mask SDPA runs its causal flash kernel.
        """
        assert self.config._attn_implementation == "sdpa", "plain causal attention is SDPA's"
        hidden = inputs_embeds
        rotary = self.model.rotary_emb(hidden, position_ids=position_ids)
        for layer in self.model.layers:
            hidden = layer(hidden, attention_mask=None, position_embeddings=rotary, position_ids=position_ids)
        return self.model.norm(hidden)
