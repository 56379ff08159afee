"""Training configurations: the schedule's shape, and refusals that name the mend."""

from __future__ import annotations

import pytest

from arlon_core.errors import ArlonError
from arlon_core.presets import PRESETS
from arlon_core.training.config import STAGES, learning_rate_at, train_config


def test_every_stage_has_a_configuration_at_every_preset():
    for preset in PRESETS:
        for stage in STAGES:
            assert train_config(stage, preset).stage == stage


def test_unknown_names_are_refused_with_the_choices():
    with pytest.raises(ArlonError, match="vqvae-coarse"):
        train_config("vaee")
    with pytest.raises(ArlonError, match="storyworld"):
        train_config("vae", "storyland")


def test_only_the_vae_has_a_decoder_to_train_alone():
    assert train_config("vae", decoder_only=True).decoder_only
    with pytest.raises(ArlonError, match="for vae"):
        train_config("ar", decoder_only=True)


def test_learning_rate_warms_up_and_comes_down():
    config = train_config("ar", max_steps=1000)
    rates = [learning_rate_at(config, step, 1000) for step in range(1001)]
    peak = rates.index(max(rates))
    assert peak in (config.warmup_steps - 1, config.warmup_steps)
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert rates[-1] == pytest.approx(config.learning_rate * config.final_learning_rate)


def test_tiny_preset_keeps_the_grid_laws():
    for preset in PRESETS.values():
        assert preset.height % 16 == 0
        assert preset.width % 16 == 0
        for vqvae in (preset.vqvae, preset.vqvae_coarse):
            assert preset.latent_height % vqvae["token_height"] == 0
            assert preset.latent_width % vqvae["token_width"] == 0
        assert preset.transformer["in_channels"] == preset.vae["z_dim"]
        assert preset.transformer["caption_channels"] == preset.text_encoder["d_model"]
