"""Fixtures that several test modules share."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_configure() -> None:
    """One torch thread: toy tensors gain nothing from two, and lose much on a machine that is shared."""
    import torch

    torch.set_num_threads(1)


CAPTIONS = (
    "A red balloon rises over green hills at dawn.",
    "A blue fox walks left through a snowy forest at night.",
    "Then night falls and it begins to snow.",
    "A white boat drifts right across the sea while the camera follows.",
)


def write_tiny_model(folder: Path) -> None:
    """A pipeline folder of the preset `tiny`, as training would leave it, with seeded random weights.

    Every weight gets noise on top of its initialisation, so that gates and other zeros are open too.
    """
    import torch

    from arlon_core.models.attribute_reader import AttributeReader
    from arlon_core.models.folders import save_component
    from arlon_core.models.latent_vqvae import LatentVQVAE
    from arlon_core.models.preview_decoder import PreviewDecoder
    from arlon_core.models.stdit import STDiT3
    from arlon_core.models.text_encoder import build_text_encoder, train_tokenizer
    from arlon_core.models.token_transformer import TokenTransformer, TokenTransformerConfig
    from arlon_core.models.video_vae import build_video_vae
    from arlon_core.pipeline import assemble
    from arlon_core.presets import PRESETS

    preset = PRESETS["tiny"]
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    tokenizer = train_tokenizer(CAPTIONS, vocab_size=preset.text_encoder["vocab_size"])
    tokenizer.save_pretrained(folder / "tokenizer")
    text_dim, channels = preset.text_encoder["d_model"], preset.vae["z_dim"]
    components = {
        "text_encoder": build_text_encoder(**{**preset.text_encoder, "vocab_size": len(tokenizer)}),
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
    for name, component in components.items():
        with torch.no_grad():
            for parameter in component.parameters():
                noise = torch.randn(parameter.shape, generator=generator)
                scale = 0.3 / parameter[0].numel() ** 0.5 if parameter.ndim > 1 else 0.05
                parameter.add_(noise * scale)
        save_component(component, folder / name)
    assemble(folder, preset, num_inference_steps=2)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline folder of the preset `tiny` with random weights."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    write_tiny_model(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_pipeline(tiny_folder: Path):
    """The pipeline of `tiny_folder`, loaded onto the CPU. Shared: do not change it."""
    from arlon_core.pipeline import ArlonPipeline

    return ArlonPipeline.from_pretrained(tiny_folder, device="cpu")


@pytest.fixture(scope="session")
def tiny_judges(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of both judges of the preset `tiny`, with seeded random weights."""
    import torch

    from arlon_core.models.folders import save_component
    from arlon_core.models.judge_conv import ConvJudge
    from arlon_core.models.judge_transformer import TransformerJudge
    from arlon_core.presets import PRESETS

    folder = tmp_path_factory.mktemp("judges")
    torch.manual_seed(0)
    save_component(ConvJudge(**PRESETS["tiny"].judge), folder / "judge")
    save_component(TransformerJudge(**PRESETS["tiny"].judge_report), folder / "judge_report")
    return folder
