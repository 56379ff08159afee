"""STDiT3 (the video diffusion transformer of Open-Sora v1.2) with ARLON's semantic injection as an optional
part.

One class serves the released 1.2 B checkpoint and our small model. Without injection it has the released keys
and reproduces the reference's outputs; with injection at initialisation its output is the same, bit for bit.

Choices of our own: text padding is masked instead of packed (equal result, no host synchronisation); rotary
and position tables, and the timestep itself, stay in float32 in a bfloat16 model; pixel sizes may be omitted.

Legend: B batch, C channels, T latent frames, H W latent height and width, h w patches along them, N tokens, D
width.
"""

from __future__ import annotations

import math
from functools import partial

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from einops import rearrange
from torch import Tensor, nn

from arlon_core.models.embeddings import (
    CaptionEmbedder,
    NumberEmbedder,
    PatchEmbed3D,
    PooledText,
    RotaryEmbedding,
    as_vector,
    attention_mask,
    position_embedding,
    repeat_to_batch,
)
from arlon_core.models.semantic_injection import SemanticCondition, SemanticInjection
from arlon_core.models.stdit_blocks import BlockInputs, FinalLayer, STDiT3Block

PIXELS_PER_LATENT = 8  # both VAEs (Open-Sora v1.2's and ours) shrink height and width by 8


class STDiT3(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Spatial and temporal blocks in turn, conditioned on text, timestep, frames per second and coarse
    latents.

    Config names follow Open-Sora v1.2. `enable_*` flags are accepted so that the released config.json loads,
    and change nothing: torch picks the kernels. Ours are: injection_adapters: number of latent adapters; 0
    builds no injection at all.
    injection_width: hidden width of each block's injection MLP (None: half of hidden_size).
    injection_kind: "adaptive_norm", or "mlp" for the adapter that the paper compares it with.
    uncertainty_probability: share of samples whose coarse features are resampled in training.
    coarse_channels: channels of the coarse latents (None: in_channels).
    pooled_text: the mean of the text tokens modulates all blocks together with the timestep, as pooled
    prompts do in Stable Diffusion 3; with text attention alone our small model hardly read its text.
    local_mlp: a depthwise convolution inside every MLP, so that each patch sees those around it.
    whole_steps: a note for whoever samples: its velocity was distilled to lead over a whole step of the
    schedule, so Euler's steps are exact, and to look at the step before as well would overshoot.

    Raises ValueError for sizes that do not divide and for `skip_y_embedder`.
    """

    _supports_gradient_checkpointing = True

    @register_to_config
    def __init__(
        self,
        input_size: tuple[int | None, int | None, int | None] = (None, None, None),
        input_sq_size: int = 512,
        in_channels: int = 4,
        patch_size: tuple[int, int, int] = (1, 2, 2),
        hidden_size: int = 1152,
        depth: int = 28,
        num_heads: int = 16,
        mlp_ratio: float = 4.0,
        class_dropout_prob: float = 0.1,
        pred_sigma: bool = True,
        drop_path: float = 0.0,
        caption_channels: int = 4096,
        model_max_length: int = 300,
        qk_norm: bool = True,
        enable_flash_attn: bool = False,
        enable_layernorm_kernel: bool = False,
        enable_sequence_parallelism: bool = False,
        only_train_temporal: bool = False,
        freeze_y_embedder: bool = False,
        skip_y_embedder: bool = False,
        injection_adapters: int = 0,
        injection_width: int | None = None,
        injection_kind: str = "adaptive_norm",
        uncertainty_probability: float = 0.5,
        coarse_channels: int | None = None,
        pooled_text: bool = False,
        local_mlp: bool = False,
        whole_steps: bool = False,
    ) -> None:
        super().__init__()
        _check_sizes(hidden_size, num_heads, skip_y_embedder)
        self.gradient_checkpointing = False
        self.patch_size: tuple[int, int, int] = (patch_size[0], patch_size[1], patch_size[2])
        self.out_channels = in_channels * 2 if pred_sigma else in_channels

        self.rope = RotaryEmbedding(hidden_size // num_heads)
        self.x_embedder = PatchEmbed3D(self.patch_size, in_channels, hidden_size)
        self.t_embedder = NumberEmbedder(hidden_size)
        self.fps_embedder = NumberEmbedder(hidden_size)
        self.t_block = nn.Sequential(nn.SiLU(), nn.Linear(hidden_size, 6 * hidden_size))
        self.y_embedder = CaptionEmbedder(caption_channels, hidden_size, model_max_length, class_dropout_prob)
        self.text_pooling = PooledText(hidden_size) if pooled_text else None

        block = partial(STDiT3Block, hidden_size, num_heads, mlp_ratio, qk_norm, local_mlp=local_mlp)
        rates = torch.linspace(0, drop_path, depth, device="cpu").tolist()
        self.spatial_blocks = nn.ModuleList(block(temporal=False, drop_path=rate) for rate in rates)
        self.temporal_blocks = nn.ModuleList(block(temporal=True, drop_path=rate) for rate in rates)
        self.final_layer = FinalLayer(hidden_size, math.prod(self.patch_size) * self.out_channels)
        self.semantic_injection: SemanticInjection | None = None
        if injection_adapters:
            self.semantic_injection = SemanticInjection(
                coarse_channels or in_channels,
                self.patch_size,
                hidden_size,
                depth,
                injection_adapters,
                injection_width,
                uncertainty_probability,
                injection_kind,
            )
        self.initialize_weights()
        if only_train_temporal:
            self.requires_grad_(False)
            self.temporal_blocks.requires_grad_(True)
        if freeze_y_embedder:
            self.y_embedder.requires_grad_(False)

    def initialize_weights(self) -> None:
        """All of the initialisation in one place.

        every Linear                          Xavier uniform, zero bias
        patch convolutions                    torch's default
        fps_embedder's second Linear          zero
        text_pooling                          zero
        depthwise convolutions                zero, where they are made
        temporal attn, cross_attn, mlp out    zero (a temporal block starts as identity)
        scale_shift_table                     N(0, 1) / sqrt(D), drawn where they are made
        null caption                          N(0, 1) / sqrt(C), likewise
        injection gates                       zero (scale and shift of the injection are not)
        """
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        nn.init.zeros_(self.fps_embedder.last.weight)
        if self.text_pooling is not None:
            nn.init.zeros_(self.text_pooling.proj.weight)
        for block in self.temporal_blocks:
            assert isinstance(block, STDiT3Block)
            for last in (block.attn.proj, block.cross_attn.proj, block.mlp.fc2):
                nn.init.zeros_(last.weight)
        if self.semantic_injection is not None:
            self.semantic_injection.close_gates()

    def forward(
        self,
        x: Tensor,
        timestep: Tensor,
        y: Tensor,
        mask: Tensor | None = None,
        x_mask: Tensor | None = None,
        fps: Tensor | float | None = None,
        height: Tensor | float | None = None,
        width: Tensor | float | None = None,
        coarse_latents: Tensor | SemanticCondition | None = None,
        coarse_mask: Tensor | None = None,
    ) -> Tensor:
        """Velocity of rectified flow (and unused variances where `pred_sigma`): [B, C', T, H, W] float32.

        x [B, C, T, H, W] noisy latents; timestep [B] in 0..1000; y [B, 1, L, caption_channels] text features;
        mask [B or a divisor of it, L] of 0 and 1 over text tokens; x_mask [B, T] bool, False on condition
        frames (clean, seen by all, modulated with timestep 0); fps, height, width: a number or one for each
        sample, the last two in pixels of the video (None: 8 times the latent size); coarse_latents: F of x's
        grid, or what `encode_coarse_latents` made of it (None gives the plain STDiT3); coarse_mask [B] bool:
        False drops F.

        Raises ValueError where fps is missing or conditions do not fit x.
        """
        batch, _, *size = x.shape
        dtype = self.x_embedder.proj.weight.dtype
        grid = self._patch_grid(size)
        condition = self._as_condition(coarse_latents, coarse_mask, size)

        tokens = self.x_embedder(x.to(dtype))  # (B, N, D)
        tokens = self._add_positions(tokens, grid, size, height, width)
        text, text_mask = self.y_embedder(y.to(dtype)), attention_mask(mask, batch)
        t, t0 = self._embed_time(timestep, fps, batch, with_zero=x_mask is not None)
        if self.text_pooling is not None:
            told = self.text_pooling(text, text_mask)
            t, t0 = t + told, None if t0 is None else t0 + told
        x_mask = None if x_mask is None else x_mask.bool()
        cos, sin = self.rope(grid[0])
        inputs = BlockInputs(
            text=text,
            text_mask=text_mask,
            modulation=self._block_modulation(t, t0, x_mask),
            cos=cos,
            sin=sin,
            grid=grid,
        )

        for i, (spatial, temporal) in enumerate(zip(self.spatial_blocks, self.temporal_blocks, strict=True)):
            tokens = self._run_block(spatial, tokens, inputs)
            tokens = self._run_block(temporal, tokens, inputs, condition, i)

        return self._unpatchify(self.final_layer(tokens, t, t0, x_mask), grid, size).float()

    def encode_coarse_latents(
        self, coarse_latents: Tensor, coarse_mask: Tensor | None = None, precompute: bool = False
    ) -> SemanticCondition:
        """Encode F [B, C, T, H, W] for `forward`, once for all denoising steps.

        coarse_mask [B] bool: False makes that sample run as the plain STDiT3 (dropping F in training, or a
        guidance half without F). precompute: also keep every block's gate, scale and shift (3 * depth * N * D
        numbers), which saves their MLPs at each step. Random in training mode. Raises ValueError if the model
        has no injection.
        """
        injection = self.semantic_injection
        if injection is None:
            raise ValueError("This STDiT3 was built without semantic injection (injection_adapters=0).")
        condition = SemanticCondition(injection.encode(coarse_latents), coarse_mask)
        if precompute:
            modulations = tuple(head(condition.tokens) for head in injection.heads)
            condition = condition._replace(modulations=modulations)
        return condition

    def null_caption(self, length: int | None = None) -> Tensor:
        """Text features of the unconditional half of guidance: [1, 1, length, caption_channels]."""
        return self.y_embedder.null_caption(length or self.config["model_max_length"])

    def freeze_base(self) -> None:
        """Leave only the injection trainable, as in the paper: the base transformer stays frozen."""
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(name.startswith("semantic_injection."))

    def _patch_grid(self, size: list[int]) -> tuple[int, int, int]:
        (pt, ph, pw), (frames, rows, columns) = self.patch_size, size
        return -(-frames // pt), -(-rows // ph), -(-columns // pw)

    def _as_condition(
        self, coarse_latents: Tensor | SemanticCondition | None, coarse_mask: Tensor | None, size: list[int]
    ) -> SemanticCondition | None:
        if coarse_latents is None:
            return None
        if isinstance(coarse_latents, SemanticCondition):
            return coarse_latents if coarse_mask is None else coarse_latents._replace(keep=coarse_mask)
        if list(coarse_latents.shape[2:]) != list(size):
            raise ValueError(
                f"Coarse latents of grid {list(coarse_latents.shape[2:])} do not fit {list(size)}."
            )
        return self.encode_coarse_latents(coarse_latents, coarse_mask)

    def _add_positions(
        self,
        tokens: Tensor,
        grid: tuple[int, int, int],
        size: list[int],
        height: Tensor | float | None,
        width: Tensor | float | None,
    ) -> Tensor:
        frames, rows, columns = grid
        pixels = [
            as_vector(latent * PIXELS_PER_LATENT if given is None else given, tokens.device)[0].float()
            for given, latent in zip((height, width), size[1:], strict=True)
        ]
        scale = (pixels[0] * pixels[1]).sqrt() / self.config["input_sq_size"]
        base = round((rows * columns) ** 0.5)
        positions = position_embedding(rows, columns, tokens.shape[-1], scale, base)
        return tokens + positions.to(tokens.dtype).repeat(1, frames, 1)

    def _embed_time(
        self, timestep: Tensor, fps: Tensor | float | None, batch: int, with_zero: bool
    ) -> tuple[Tensor, Tensor | None]:
        if fps is None:
            raise ValueError("STDiT3 needs the frames per second of the video (fps).")
        speed = self.fps_embedder(repeat_to_batch(as_vector(fps, timestep.device), batch))
        t = self.t_embedder(timestep) + speed
        return t, (self.t_embedder(torch.zeros_like(timestep)) + speed) if with_zero else None

    def _block_modulation(self, t: Tensor, t0: Tensor | None, x_mask: Tensor | None) -> Tensor:
        """[B, T, 6, D] chosen for each frame, or [B, 1, 6, D] where all frames have the same timestep."""
        modulation = rearrange(self.t_block(t), "b (k d) -> b 1 k d", k=6)
        if x_mask is None or t0 is None:
            return modulation
        at_zero = rearrange(self.t_block(t0), "b (k d) -> b 1 k d", k=6)
        return torch.where(x_mask[:, :, None, None], modulation, at_zero)

    def _run_block(
        self,
        block: nn.Module,
        tokens: Tensor,
        inputs: BlockInputs,
        condition: SemanticCondition | None = None,
        index: int = 0,
    ) -> Tensor:
        call = partial(self._call_block, block, index)
        if self.gradient_checkpointing and self._gradient_checkpointing_func and torch.is_grad_enabled():
            return self._gradient_checkpointing_func(call, tokens, inputs, condition)
        return call(tokens, inputs, condition)

    def _call_block(
        self,
        block: nn.Module,
        index: int,
        tokens: Tensor,
        inputs: BlockInputs,
        condition: SemanticCondition | None,
    ) -> Tensor:
        """A block with its injection, whose MLP is recomputed too under gradient checkpointing."""
        if condition is None or self.semantic_injection is None:
            return block(tokens, inputs)
        return block(tokens, inputs, self.semantic_injection.modulation(condition, index, tokens.shape[0]))

    def _unpatchify(self, x: Tensor, grid: tuple[int, int, int], size: list[int]) -> Tensor:
        (frames, rows, columns), (pt, ph, pw) = grid, self.patch_size
        pattern = "b (t h w) (pt ph pw c) -> b c (t pt) (h ph) (w pw)"
        x = rearrange(x, pattern, t=frames, h=rows, w=columns, pt=pt, ph=ph, pw=pw)
        return x[:, :, : size[0], : size[1], : size[2]]


def _check_sizes(hidden_size: int, num_heads: int, skip_y_embedder: bool) -> None:
    if hidden_size % num_heads or (hidden_size // num_heads) % 2:
        raise ValueError(f"hidden_size {hidden_size} must split into {num_heads} heads of even width.")
    if hidden_size % 4:
        raise ValueError(f"hidden_size {hidden_size} must be a multiple of 4 for the position embedding.")
    if skip_y_embedder:
        raise ValueError("skip_y_embedder is not supported: pass text features and let the model embed them.")
