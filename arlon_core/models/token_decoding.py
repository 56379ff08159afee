"""The lean sampling loop of the token transformer: what runs instead of `generate()`, which tests hold it to.

One prefill, then one token at a time over a preallocated cache with fused weights: fp32 on a CPU, a CUDA
graph that holds a whole step (sampling included) on a GPU. Randomness comes in as uniform numbers that the
caller draws on the CPU, so that a take depends on its key alone and not on the device's generator.
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

from arlon_core.models.processor import processor_name
from arlon_core.models.token_layout import Layout
from arlon_core.models.token_transformer import TokenTransformer, batch_layouts


@dataclass(frozen=True)
class SamplingConfig:
    """How a token is drawn from logits.

    `temperature` 0 takes the likeliest; `top_k` 0 and `top_p` 1 leave all codes in; `guidance_scale` 1 means
    none. Raises ValueError for values outside these ranges.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    guidance_scale: float = 1.0

    def __post_init__(self) -> None:
        if self.temperature < 0 or self.top_k < 0 or not 0 < self.top_p <= 1 or self.guidance_scale < 0:
            raise ValueError(
                f"sampling needs temperature >= 0, top_k >= 0, 0 < top_p <= 1, guidance >= 0: {self}"
            )


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


def guided_logits(logits: Tensor, guidance_scale: float) -> Tensor:
    """Logits (2, V) of the conditional and the unconditional row -> (V,); of one row alone, that row."""
    if len(logits) == 1 or guidance_scale == 1:
        return logits[0]
    return logits[1] + guidance_scale * (logits[0] - logits[1])


def sample_token(logits: Tensor, uniform: Tensor, sampling: SamplingConfig) -> Tensor:
    """Logits (V,) and a uniform number (1,) in [0, 1) -> an index (1,), by the inverse of the CDF."""
    if sampling.temperature == 0:
        return logits.argmax(-1, keepdim=True)
    logits = logits.float()
    if sampling.temperature != 1:
        logits = logits / sampling.temperature
    order = None
    if 0 < sampling.top_k < len(logits):
        logits, order = logits.topk(sampling.top_k)
    elif sampling.top_p < 1:
        logits, order = logits.sort(descending=True, stable=True)
    probabilities = logits.softmax(-1)
    cumulative = probabilities.cumsum(-1)
    if sampling.top_p < 1:
        # The smallest set of likeliest codes whose probabilities reach top_p: the first one always stays.
        kept = cumulative - probabilities < sampling.top_p
        probabilities = probabilities * kept
        cumulative = probabilities.cumsum(-1)
    # Rounding may push the threshold onto the total; the first code that reaches the total then stands.
    total = cumulative[-1:]
    place = torch.searchsorted(cumulative, uniform * total, right=True)
    place = torch.minimum(place, torch.searchsorted(cumulative, total))
    return place if order is None else order.gather(0, place)


@dataclass(frozen=True)
class _Layer:
    """The matrices of one Llama layer, fused for single-token steps; norm weights are part of them."""

    qkv: Tensor
    out: Tensor
    gate_up: Tensor
    down: Tensor


class TokenDecoder:
    """Samples visual tokens with a static cache of `max_length` items.

    The weights are copied (fused) when it is made: make a new one after changing the model. One decode at a
    time: an unfinished `frames` iterator ends when the next begins.
    """

    def __init__(self, model: TokenTransformer, max_length: int = 1536, *, cuda_graph: bool = True) -> None:
        config = model.config
        if config.attention_bias or config.mlp_bias or config.hidden_act != "silu":
            raise ValueError("the lean loop is written for Llama layers without biases and with SiLU")
        self.config, self.max_length, self.device = config, max_length, model.device
        self._heads = config.num_attention_heads
        self._kv_heads = config.num_key_value_heads or self._heads
        self._head_dim = config.head_dim or config.hidden_size // self._heads
        self._use_graph = cuda_graph and self.device.type == "cuda"
        self._layers = [_fused(layer) for layer in model.model.layers]
        self._head = _after_norm(model.model.norm, model.lm_head.weight[: config.codebook_size])
        self._embedding = model.model.embed_tokens.weight.detach()
        # RMS norm divides by sqrt(|x|^2 / D + eps); times sqrt(D) that is hypot(|x|, sqrt(D eps)).
        self._norm_floor = self._embedding.new_tensor((config.rms_norm_eps * config.hidden_size) ** 0.5)
        with torch.no_grad():
            places = torch.arange(config.tokens_per_frame, device=self.device)
            self._slots = model.embed_slots(places)
            every = torch.arange(max_length, device=self.device)
            cos, sin = model.model.rotary_emb(self._slots, position_ids=every[None])
        first, second = sin[0].chunk(2, dim=-1)
        self._cos, self._sin = cos[0], torch.cat([-first, second], dim=-1)  # signed, for `_rotated`
        self._cache: list[tuple[Tensor, Tensor]] = []
        self._graphs: dict[tuple[int, SamplingConfig], torch.cuda.CUDAGraph] = {}
        # What one step hands to the next; on the device, so that a graph can replay without a word from us.
        self._token, self._index, self._position, self._count = (
            torch.zeros(1, dtype=torch.long, device=self.device) for _ in range(4)
        )
        self._uniforms = torch.zeros(max_length, device=self.device)
        self._tokens = torch.zeros(max_length, dtype=torch.long, device=self.device)

    @torch.inference_mode()
    def frames(
        self, inputs_embeds: Tensor, positions: Tensor, uniforms: Tensor, sampling: SamplingConfig
    ) -> Iterator[Tensor]:
        """Prefill embeddings (1 or 2, S, D), positions (S,) and uniforms (n * tokens_per_frame,) in [0, 1) ->
        the codes (tokens_per_frame,) of n latent frames, int64 on the CPU, each as soon as it is made.

        The second row is the unconditional one; without guidance it is left out. <eos> is never drawn. To
        cancel, stop iterating. Raises ValueError when the block does not fit the cache, and when guidance is
        asked for without a second row.
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
        self._index.fill_(len(positions))
        self._position.copy_(positions[-1:])
        self._count.zero_()
        self._draw(logits, sampling)
        for frame in range(0, count, per_frame):
            for item in range(max(1, frame), frame + per_frame):
                self._step(len(positions) + item, sampling)
            yield self._tokens[frame : frame + per_frame].clone().cpu()

    def _prefill(self, inputs_embeds: Tensor, positions: Tensor) -> Tensor:
        """Fill the cache with a sequence (B, S, D) and give the logits (B, codes) of what comes next."""
        if not self._cache or len(self._cache[0][0]) != len(inputs_embeds):
            self._allocate(len(inputs_embeds))
        length = len(positions)
        where = torch.arange(length, device=self.device)
        states = self._run(inputs_embeds.to(self._embedding.dtype), positions, where, length, None)
        return _linear(states[:, -1], self._head)

    def _allocate(self, batch: int) -> None:
        shape = (2, batch, self._kv_heads, self.max_length, self._head_dim)
        new = [torch.zeros(shape, dtype=self._embedding.dtype, device=self.device) for _ in self._layers]
        self._cache = [(keys, values) for keys, values in new]
        self._graphs.clear()  # they hold on to the old cache

    def _step(self, visible: int, sampling: SamplingConfig) -> None:
        """Feed the last token and draw the next; `visible` items are then in the cache."""
        if not self._use_graph:
            self._advance(sampling, visible)
            return
        key = (len(self._cache[0][0]), sampling)
        if key not in self._graphs:
            self._graphs[key] = self._capture(sampling)
        self._graphs[key].replay()

    def _capture(self, sampling: SamplingConfig) -> torch.cuda.CUDAGraph:
        """Record one step. The warm-up steps move the state on, so it is put back afterwards."""
        state = (self._token, self._index, self._position, self._count, self._tokens)
        saved = [tensor.clone() for tensor in state]
        stream = _recording_stream(self.device)
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(2):
                self._advance(sampling, None)
                for tensor, before in zip(state, saved, strict=True):
                    tensor.copy_(before)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=stream):
            self._advance(sampling, None)
        return graph

    def _advance(self, sampling: SamplingConfig, visible: int | None) -> None:
        """One step. `visible` None: look at the whole cache through a mask, so that shapes never change."""
        batch = len(self._cache[0][0])
        slot = self._slots[(self._position + 1) % self.config.tokens_per_frame]
        hidden = (self._embedding[self._token] + slot).expand(batch, 1, -1)
        mask = None
        if visible is None:
            visible = self.max_length
            mask = (torch.arange(visible, device=self.device) <= self._index)[None, None, None]
        states = self._run(hidden, self._position + 1, self._index, visible, mask)
        self._index += 1
        self._position += 1
        self._draw(_linear(states[:, -1], self._head), sampling)

    def _draw(self, logits: Tensor, sampling: SamplingConfig) -> None:
        """Sample the next token from logits (B, codes) and write it down."""
        guided = guided_logits(logits.float(), sampling.guidance_scale)
        token = sample_token(guided, self._uniforms[self._count], sampling)
        self._tokens.index_copy_(0, self._count, token)
        self._token.copy_(token)
        self._count += 1

    def _run(
        self, hidden: Tensor, positions: Tensor, where: Tensor, visible: int, mask: Tensor | None
    ) -> Tensor:
        """Items (B, n, D) at `positions` (n,) through all layers; their keys and values go to `where`."""
        cos, sin = self._cos[positions], self._sin[positions]
        heads, kv_heads, dim = self._heads, self._kv_heads, self._head_dim
        for layer, (keys, values) in zip(self._layers, self._cache, strict=True):
            x = _linear(self._normed(hidden), layer.qkv)
            x = x.unflatten(-1, (-1, dim)).transpose(1, 2)
            q_k, v = _rotated(x[:, : heads + kv_heads], cos, sin), x[:, heads + kv_heads :]
            keys.index_copy_(2, where, q_k[:, heads:])
            values.index_copy_(2, where, v)
            x = F.scaled_dot_product_attention(
                q_k[:, :heads], keys[:, :, :visible], values[:, :, :visible],
                attn_mask=mask, is_causal=len(where) > 1, enable_gqa=heads != kv_heads,
            )  # fmt: skip
            hidden = hidden + _linear(x.transpose(1, 2).flatten(2), layer.out)
            gate, up = _linear(self._normed(hidden), layer.gate_up).chunk(2, dim=-1)
            hidden = hidden + _linear(F.silu(gate).mul_(up), layer.down)
        return self._normed(hidden)

    def _normed(self, x: Tensor) -> Tensor:
        """RMS norm without its weight and without sqrt(D), which are part of the matrix that follows.

        Three small operations; F.rms_norm takes eight on a CPU.
        """
        return x / torch.hypot(torch.linalg.vector_norm(x, dim=-1, keepdim=True), self._norm_floor)


@cache
def _recording_stream(device: torch.device) -> torch.cuda.Stream:
    """Where steps are recorded. One a process: cuBLAS keeps 32 MiB for each stream it ever saw."""
    return torch.cuda.Stream(device)


def _linear(x: Tensor, weight: Tensor) -> Tensor:
    """F.linear. One item on a CPU may go through as two columns, where that is faster.

    What comes out then is a strided view of those columns: what follows does not mind, and a copy costs as
    much as an operation.
    """
    if x.device.type != "cpu" or (x.ndim == 3 and x.shape[1] > 1) or not _columns_are_faster():
        return F.linear(x, weight)
    rows = x.reshape(-1, x.shape[-1])
    columns = torch.cat([rows, rows]).T if len(rows) == 1 else rows.T
    return (weight @ columns).T[: len(rows)].view(*x.shape[:-1], -1)


@cache
def _columns_are_faster() -> bool:
    """Whether a matrix times two columns takes less time than times one vector.

    PyTorch's library (MKL) has a slow path for a vector on processors that are not Intel's: two columns take
    a half to a third of it there. On an Intel Xeon they take twice as long (6.2 ms for all matrices of a
    token, and 2.8). The processor's name decides, not a measurement: no token may depend on how busy the
    machine is.
    """
    return "Intel" not in processor_name()


def _rotated(x: Tensor, cos: Tensor, signed_sin: Tensor) -> Tensor:
    """Rotary positions on (B, H, n, d), in Llama's order of halves; the sines' first half is negated."""
    return torch.addcmul(x * cos, x.roll(x.shape[-1] // 2, dims=-1), signed_sin)


def _fused(layer: Any) -> _Layer:
    """The weights of a LlamaDecoderLayer."""
    attention, mlp = layer.self_attn, layer.mlp
    qkv = torch.cat([attention.q_proj.weight, attention.k_proj.weight, attention.v_proj.weight])
    gate_up = torch.cat([mlp.gate_proj.weight, mlp.up_proj.weight])
    return _Layer(
        qkv=_after_norm(layer.input_layernorm, qkv),
        out=attention.o_proj.weight.detach(),
        gate_up=_after_norm(layer.post_attention_layernorm, gate_up),
        down=mlp.down_proj.weight.detach(),
    )


def _after_norm(norm: Any, weight: Tensor) -> Tensor:
    """A matrix (out, D) that takes over the weight of the norm before it, and the norm's sqrt(D)."""
    return (weight * (norm.weight * len(norm.weight) ** 0.5)).detach()
