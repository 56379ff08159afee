"""A pipeline of any preset's sizes with seeded random weights: to rehearse with, and to measure speed with.

What a model of these sizes costs, its weights do not change; so speed can be measured before anything is
trained. Its films show nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from arlon_core.models.attribute_reader import AttributeReader
from arlon_core.models.folders import save_component
from arlon_core.models.latent_vqvae import LatentVQVAE
from arlon_core.models.preview_decoder import PreviewDecoder
from arlon_core.models.stdit import STDiT3
from arlon_core.models.text_encoder import build_text_encoder, train_tokenizer
from arlon_core.models.token_transformer import TokenTransformer, TokenTransformerConfig
from arlon_core.models.video_vae import build_video_vae
from arlon_core.pipeline import assemble, quiet_libraries
from arlon_core.presets import Preset


def write_random_model(folder: Path, preset: Preset, captions: Sequence[str], **defaults: Any) -> None:
    """Write a pipeline folder as training would leave it, with random weights: the same ones every time.

    captions: what the tokenizer learns its words from. defaults: of sampling, such as
    ``num_inference_steps``. Every weight gets noise on top of its initialisation, so that gates and other
    zeros are open too.
    """
    generator = torch.Generator().manual_seed(0)
    with quiet_libraries(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        tokenizer = train_tokenizer(captions, vocab_size=preset.text_encoder["vocab_size"])
        tokenizer.save_pretrained(folder / "tokenizer")
        for name, component in _components(preset, len(tokenizer)).items():
            _add_noise(component, generator)
            save_component(component, folder / name)
    assemble(folder, preset, **defaults)


def _components(preset: Preset, vocab_size: int) -> dict[str, Any]:
    """Every component that has weights, newly made."""
    text_dim, channels = preset.text_encoder["d_model"], preset.vae["z_dim"]
    return {
        "text_encoder": build_text_encoder(**{**preset.text_encoder, "vocab_size": vocab_size}),
        "attribute_reader": AttributeReader(text_dim=text_dim, attributes={"colour": 3}),
        "token_transformer": TokenTransformer(
            TokenTransformerConfig(
                codebook_size=preset.vqvae["codebook_size"],
                text_dim=text_dim,
                token_rows=preset.latent_height // preset.vqvae["token_height"],
                token_cols=preset.latent_width // preset.vqvae["token_width"],
                **preset.token_transformer,
            )
        ),
        "latent_vqvae": LatentVQVAE(latent_channels=channels, **preset.vqvae),
        "preview_decoder": PreviewDecoder(latent_channels=channels, text_dim=text_dim, **preset.preview),
        "transformer": STDiT3(**preset.transformer),
        "vae": build_video_vae(**preset.vae),
    }


@torch.no_grad()
def _add_noise(component: torch.nn.Module, generator: torch.Generator) -> None:
    for parameter in component.parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        scale = 0.3 / parameter[0].numel() ** 0.5 if parameter.ndim > 1 else 0.05
        parameter.add_(noise * scale)
