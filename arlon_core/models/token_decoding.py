"""The lean sampling loop of the token transformer: what runs instead of `generate()`, which tests hold it to.

One prefill, then passes over a preallocated cache with fused weights: fp32 on a CPU, a CUDA graph that holds
a whole pass (sampling included) on a GPU.

A pass reads the last token that is known and guesses at those after it, and draws what follows each. Every
token has a uniform number of its own, so what is drawn at a place depends only on the tokens before it: as
far as the guesses were right the draws are right, and so is the first draw after them. The others are the
guesses of the next pass: Jacobi decoding (Santilli et al., "Accelerating Transformer Inference for
Translation via Parallel Decoding", 2023; Teng et al., "Accelerating Auto-regressive Text-to-Image Generation
with Training-free Speculative Jacobi Decoding", 2024). A frame's first guess is the frame before it, which is
right for a third of the tokens (our choice). The film is that of one token at a time, in a quarter of the
passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from arlon_core.models.packed_linear import Linear, packed_linear
from arlon_core.models.token_layout import Layout
from arlon_core.models.token_sampling import SamplingConfig, guided_logits, sample_tokens
from arlon_core.models.token_transformer import TokenTransformer, batch_layouts

# Tokens that a pass draws at once. One more costs a CPU time and a GPU none, up to a frame's.
CPU_LOOKAHEAD = 12


def embed_prefill(
    model: TokenTransformer, layout: Layout, codes: Tensor, text_states: Sequence[Tensor], *, guidance: bool
) -> tuple[Tensor, Tensor]:
    """The prefill of a block: embeddings (1 or 2, S, D) and positions (S,).

    `codes` (N,) are the film's tokens so far, flat, and `text_states` the states (L_k, text_dim) of its
    segments, in the order that `layout` numbers them. With `guidance` a second row has null texts.
    """
    batch = batch_layouts([layout.prefix()]).to(model.device)
    states = pad_sequence(list(text_states), batch_first=True)[None].to(model.device)
    films = codes.to(model.device)[None]
    drops = (False, True) if guidance else (False,)
    rows = [model.embed_layouts(batch, films, states, drop_text=drop) for drop in drops]
    return torch.cat(rows), batch.position[0]


@dataclass(frozen=True)
class _Layer:
    """The products of one Llama layer, fused; norm weights are part of the matrices."""

    qkv: Linear
    out: Linear
    gate_up: Linear
    down: Linear


class TokenDecoder:
    """Samples visual tokens with a static cache of `max_length` items.

    The weights are copied (fused) when it is made: make a new one after changing the model. One decode at a
    time: an unfinished `frames` iterator ends when the next begins. `lookahead` is how many tokens a pass
    draws, a latent frame's at most; by default what is fastest on the device.
    """

    def __init__(
        self,
        model: TokenTransformer,
        max_length: int = 1536,
        *,
        lookahead: int | None = None,
        cuda_graph: bool = True,
    ) -> None:
        config = model.config
        if config.attention_bias or config.mlp_bias or config.hidden_act != "silu":
            raise ValueError("the lean loop is written for Llama layers without biases and with SiLU")
        self.config, self.max_length, self.device = config, max_length, model.device
        self._heads = config.num_attention_heads
        self._kv_heads = config.num_key_value_heads or self._heads
        self._head_dim = config.head_dim or config.hidden_size // self._heads
        self._use_graph = cuda_graph and self.device.type == "cuda"
        per_frame = config.tokens_per_frame
        lookahead = lookahead or (CPU_LOOKAHEAD if self.device.type == "cpu" else per_frame)
        self.lookahead = min(lookahead, per_frame)
        self._layers = [_fused(layer, self.lookahead) for layer in model.model.layers]
        codes = model.lm_head.weight[: config.codebook_size]
        self._head = packed_linear(_after_norm(model.model.norm, codes), self.lookahead)
        self._embedding = model.model.embed_tokens.weight.detach()
        # RMS norm divides by sqrt(|x|^2 / D + eps); times sqrt(D) that is hypot(|x|, sqrt(D eps)).
        self._norm_floor = self._embedding.new_tensor((config.rms_norm_eps * config.hidden_size) ** 0.5)
        self._room = max_length + self.lookahead  # the last pass may look beyond the block
        with torch.no_grad():
            self._slots = model.embed_slots(torch.arange(per_frame, device=self.device))
            self._every = torch.arange(self._room, device=self.device)
            cos, sin = model.model.rotary_emb(self._slots, position_ids=self._every[None])
        first, second = sin[0].chunk(2, dim=-1)
        self._cos, self._sin = cos[0], torch.cat([-first, second], dim=-1)  # signed, for `_rotated`
        self._cache: list[tuple[Tensor, Tensor]] = []
        self._graphs: dict[tuple[int, SamplingConfig], torch.cuda.CUDAGraph] = {}
        # What a pass needs to know, on the device, so that a graph can replay without a word from us: where
        # the block begins in the cache and in position, how many of its tokens are known, and the tokens.
        self._begin, self._position, self._known = (
            torch.zeros(1, dtype=torch.long, device=self.device) for _ in range(3)
        )
        self._uniforms = torch.zeros(self._room, device=self.device)
        self._tokens = torch.zeros(self._room + per_frame, dtype=torch.long, device=self.device)

    @torch.inference_mode()
    def frames(
        self,
        inputs_embeds: Tensor,
        positions: Tensor,
        uniforms: Tensor,
        sampling: SamplingConfig,
        guess: Tensor | None = None,
    ) -> Iterator[Tensor]:
        """Prefill embeddings (1 or 2, S, D), positions (S,) and uniforms (n * tokens_per_frame,) in [0, 1) ->
        the codes (tokens_per_frame,) of n latent frames, int64 on the CPU, each as soon as it is made.

        The second row is the unconditional one; without guidance it is left out. guess: codes that the first
        frame's may be like, such as those of the frame before; they only change how soon it is there. <eos>
        is never drawn. To cancel, stop iterating. Raises ValueError when the block does not fit the cache,
        and when guidance is asked for without a second row.
        """
        per_frame, count = self.config.tokens_per_frame, len(uniforms)
        if len(positions) + count > self.max_length:
            raise ValueError(
                f"{len(positions)} items and {count} tokens do not fit a cache of {self.max_length}"
            )
        guided = sampling.guidance_scale != 1
        if guided and len(inputs_embeds) < 2:
            raise ValueError("guidance needs the unconditional row as well")
        logits = self._prefill(inputs_embeds if guided else inputs_embeds[:1], positions)
        self._uniforms[:count] = uniforms.to(self.device, torch.float32)
        self._begin.fill_(len(positions))
        self._position.copy_(positions[-1:] + 1)
        self._known.zero_()
        self._tokens.zero_()
        if guess is not None:
            self._tokens[:per_frame] = guess.to(self.device)
        self._draw(logits, sampling)
        for frame in range(0, count, per_frame):
            while (known := int(self._known)) < frame + per_frame:
                self._step(len(positions) + known - 1 + self.lookahead, sampling)
            yield self._tokens[frame : frame + per_frame].clone().cpu()

    def _prefill(self, inputs_embeds: Tensor, positions: Tensor) -> Tensor:
        """Fill the cache with a sequence (B, S, D) and give the logits (B, 1, codes) of what comes next."""
        if not self._cache or len(self._cache[0][0]) != len(inputs_embeds):
            self._allocate(len(inputs_embeds))
        length = len(positions)
        states = self._run(
            inputs_embeds.to(self._embedding.dtype), positions, self._every[:length], length, None
        )
        return self._head(states[:, -1:])

    def _allocate(self, batch: int) -> None:
        shape = (2, batch, self._kv_heads, self._room, self._head_dim)
        new = [torch.zeros(shape, dtype=self._embedding.dtype, device=self.device) for _ in self._layers]
        self._cache = [(keys, values) for keys, values in new]
        self._graphs.clear()  # they hold on to the old cache

    def _step(self, visible: int, sampling: SamplingConfig) -> None:
        """One pass; `visible` items are then in the cache."""
        if not self._use_graph:
            self._advance(sampling, visible)
            return
        key = (len(self._cache[0][0]), sampling)
        if key not in self._graphs:
            self._graphs[key] = self._capture(sampling)
        self._graphs[key].replay()

    def _capture(self, sampling: SamplingConfig) -> torch.cuda.CUDAGraph:
        """Record one pass. The warm-up passes move the state on, so it is put back afterwards."""
        state = (self._known, self._tokens)
        saved = [tensor.clone() for tensor in state]
        stream = _recording_stream(self.device)
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(2):
                self._advance(sampling, self._room)
                for tensor, before in zip(state, saved, strict=True):
                    tensor.copy_(before)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=stream):
            self._advance(sampling, self._room)
        return graph

    def _advance(self, sampling: SamplingConfig, visible: int) -> None:
        """One pass over the first `visible` items of the cache: on a GPU all, so that shapes never change."""
        read = self._known - 1 + self._every[: self.lookahead]  # the last known token, and guesses
        where, positions = self._begin + read, self._position + read
        slots = self._slots[positions % self.config.tokens_per_frame]
        hidden = (self._embedding[self._tokens[read]] + slots).expand(len(self._cache[0][0]), -1, -1)
        mask = self._every[:visible] <= where[:, None]
        self._draw(self._head(self._run(hidden, positions, where, visible, mask)), sampling)

    def _draw(self, logits: Tensor, sampling: SamplingConfig) -> None:
        """Draw what follows the known tokens from logits (B, n, codes), and know it as far as it is right."""
        places = self._known + self._every[: logits.shape[1]]
        guided = guided_logits(logits.float(), sampling.guidance_scale)
        tokens = sample_tokens(guided, self._uniforms[places], sampling)
        right = tokens[:-1] == self._tokens[places[:-1]]
        self._tokens.index_copy_(0, places, tokens)
        self._tokens.index_copy_(0, places + self.config.tokens_per_frame, tokens)  # the next frame's guess
        self._known += 1 + right.long().cumprod(0).sum()

    def _run(
        self, hidden: Tensor, positions: Tensor, where: Tensor, visible: int, mask: Tensor | None
    ) -> Tensor:
        """Items (B, n, D) at `positions` (n,) through all layers; their keys and values go to `where`.

        mask (n, visible) says which of the cache each item sees; without one they see those before them.
        """
        cos, sin = self._cos[positions], self._sin[positions]
        heads, kv_heads, dim = self._heads, self._kv_heads, self._head_dim
        for layer, (keys, values) in zip(self._layers, self._cache, strict=True):
            x = layer.qkv(self._normed(hidden)).unflatten(-1, (-1, dim)).transpose(1, 2)
            q_k, v = _rotated(x[:, : heads + kv_heads], cos, sin), x[:, heads + kv_heads :]
            keys.index_copy_(2, where, q_k[:, heads:])
            values.index_copy_(2, where, v)
            x = F.scaled_dot_product_attention(
                q_k[:, :heads], keys[:, :, :visible], values[:, :, :visible],
                attn_mask=mask, is_causal=mask is None, enable_gqa=heads != kv_heads,
            )  # fmt: skip
            hidden = hidden + layer.out(x.transpose(1, 2).flatten(2))
            gate, up = layer.gate_up(self._normed(hidden)).chunk(2, dim=-1)
            hidden = hidden + layer.down(F.silu(gate).mul_(up))
        return self._normed(hidden)

    def _normed(self, x: Tensor) -> Tensor:
        """RMS norm without its weight and without sqrt(D), which are part of the matrix that follows.

        Three small operations; F.rms_norm takes eight on a CPU.
        """
        return x / torch.hypot(torch.linalg.vector_norm(x, dim=-1, keepdim=True), self._norm_floor)


@cache
def _recording_stream(device: torch.device) -> torch.cuda.Stream:
    """Where passes are recorded. One a process: cuBLAS keeps 32 MiB for each stream it ever saw."""
    return torch.cuda.Stream(device)


def _rotated(x: Tensor, cos: Tensor, signed_sin: Tensor) -> Tensor:
    """Rotary positions on (B, H, n, d), in Llama's order of halves; the sines' first half is negated."""
    return torch.addcmul(x * cos, x.roll(x.shape[-1] // 2, dims=-1), signed_sin)


def _fused(layer: Any, rows: int) -> _Layer:
    """The weights of a LlamaDecoderLayer, for passes of so many rows."""
    attention, mlp = layer.self_attn, layer.mlp
    qkv = torch.cat([attention.q_proj.weight, attention.k_proj.weight, attention.v_proj.weight])
    gate_up = torch.cat([mlp.gate_proj.weight, mlp.up_proj.weight])
    return _Layer(
        qkv=packed_linear(_after_norm(layer.input_layernorm, qkv), rows),
        out=packed_linear(attention.o_proj.weight.detach(), rows),
        gate_up=packed_linear(_after_norm(layer.post_attention_layernorm, gate_up), rows),
        down=packed_linear(mlp.down_proj.weight.detach(), rows),
    )


def _after_norm(norm: Any, weight: Tensor) -> Tensor:
    """A matrix (out, D) that takes over the weight of the norm before it, and the norm's sqrt(D)."""
    return (weight * (norm.weight * len(norm.weight) ** 0.5)).detach()
