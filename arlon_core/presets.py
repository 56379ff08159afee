"""The sizes of every component, as data: one literal a preset, no torch.

`storyworld` is what we train and ship, `tiny` is the same architecture at toy size (tests, rehearsals on a
CPU). They differ in these numbers only; the code path is one. The paper's scale is not among them yet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Sizes = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Constructor arguments of each component, and the grid they share."""

    name: str
    fps: int
    height: int
    width: int
    overlap: int  # clean latent frames at the start of a chunk
    max_new: int  # new latent frames in a chunk
    init_noise_sigma: float = 1.0  # deviation of the noise that sampling starts from
    solver_order: int = 2  # of sampling: as sharp as Euler's steps, twice as many
    text_encoder: Sizes
    vae: Sizes
    vqvae: Sizes
    vqvae_coarse: Sizes
    token_transformer: Sizes
    transformer: Sizes
    preview: Sizes = field(default_factory=dict)
    judge: Sizes = field(default_factory=dict)
    judge_report: Sizes = field(default_factory=dict)

    @property
    def latent_height(self) -> int:
        """Rows of the latent grid: the VAE compresses space by 8."""
        return self.height // 8

    @property
    def latent_width(self) -> int:
        """Columns of the latent grid."""
        return self.width // 8

    @property
    def tokens_per_frame(self) -> int:
        """Fine tokens in one latent frame."""
        rows = self.latent_height // self.vqvae["token_height"]
        return rows * (self.latent_width // self.vqvae["token_width"])


_VAE = {
    "base_dim": 32,
    "z_dim": 16,
    "dim_mult": [1, 2, 4],
    "num_res_blocks": 1,
    "temperal_downsample": [True, True],  # the library's spelling
    "in_channels": 12,
    "out_channels": 12,
    "patch_size": 2,
    "scale_factor_spatial": 8,
}

STORYWORLD = Preset(
    name="storyworld",
    fps=12,
    height=256,
    width=448,
    overlap=4,
    max_new=12,
    init_noise_sigma=1.06,  # sharper by a tenth, and no further from true films (docs/experiments.md)
    text_encoder={
        "d_model": 256,
        "num_layers": 4,
        "num_heads": 8,
        "d_kv": 32,
        "d_ff": 512,
        "vocab_size": 2500,
    },
    vae=_VAE,
    vqvae={"token_height": 8, "token_width": 8, "codebook_size": 4096, "base_channels": 128},
    vqvae_coarse={"token_height": 8, "token_width": 14, "codebook_size": 4096, "base_channels": 96},
    token_transformer={
        "hidden_size": 384,
        "num_hidden_layers": 6,
        "num_attention_heads": 6,
        "intermediate_size": 1024,
    },
    transformer={
        "hidden_size": 320,
        "depth": 6,
        "num_heads": 5,
        "mlp_ratio": 3.0,
        "patch_size": [1, 2, 2],
        "in_channels": 16,
        "pred_sigma": False,
        "caption_channels": 256,
        "model_max_length": 96,
        "qk_norm": True,
        "injection_adapters": 2,
        "pooled_text": True,
        "local_mlp": True,
    },
)

TINY = Preset(
    name="tiny",
    fps=12,
    height=64,
    width=112,
    overlap=2,
    max_new=4,
    text_encoder={"d_model": 32, "num_layers": 1, "num_heads": 2, "d_kv": 16, "d_ff": 64, "vocab_size": 600},
    vae={**_VAE, "base_dim": 8, "z_dim": 4, "dim_mult": [1, 2, 2]},
    vqvae={"token_height": 4, "token_width": 7, "codebook_size": 32, "base_channels": 16},
    vqvae_coarse={"token_height": 8, "token_width": 7, "codebook_size": 32, "base_channels": 16},
    token_transformer={
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
    },
    transformer={
        "hidden_size": 48,
        "depth": 1,
        "num_heads": 2,
        "patch_size": [1, 2, 2],
        "in_channels": 4,
        "pred_sigma": False,
        "caption_channels": 32,
        "model_max_length": 96,
        "qk_norm": True,
        "injection_adapters": 1,
        "pooled_text": True,
        "local_mlp": True,
    },
    preview={"channels": 16, "deep_channels": 16, "num_blocks": 1},
    judge={"height": 32, "width": 56, "widths": [8, 8, 16, 16], "feature_dim": 8, "hidden_size": 16},
    judge_report={
        "height": 32,
        "width": 56,
        "stem_widths": [8, 8, 16, 16],
        "num_layers": 1,
        "num_heads": 2,
    },
)

PRESETS = {preset.name: preset for preset in (STORYWORLD, TINY)}
