"""Every objective can be learned: each stage drives the loss of one batch down, at toy size."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from arlon_core.training.config import train_config
from arlon_core.training.episodes import EpisodeSource
from arlon_core.training.stage import Setting
from arlon_core.training.stages import stage_class

pytestmark = pytest.mark.slow

# What is left of the loss after the steps; the DiT starts from a zero gate and learns most slowly.
LEFT = {
    "text": (40, 0.5),
    "vae": (12, 0.75),
    "vqvae": (60, 0.6),
    "vqvae-coarse": (60, 0.7),
    "preview": (40, 0.6),
    "ar": (60, 0.6),
    "dit": (60, 0.6),
    "judge": (40, 0.6),
    "judge-report": (40, 0.6),
}


@pytest.mark.parametrize("name", LEFT)
def test_it_overfits_one_batch(name: str, tiny_components: Path):
    steps, left = LEFT[name]
    config = train_config(name, "tiny")
    device = torch.device("cpu")
    source = EpisodeSource(config.preset, config.pool, device, seed=0, rank=0)
    torch.manual_seed(0)
    stage = stage_class(name)(config, Setting(device, 0, tiny_components), source)
    optimizer = torch.optim.AdamW(stage.model.parameters(), lr=3e-3)
    batch = stage.batch(0)
    losses = []
    for _ in range(steps):
        torch.manual_seed(0)  # the same noise every time: what is learned is this batch
        loss = stage.loss(stage.model, batch)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < left * losses[0], losses[:: steps // 5]


def test_a_share_of_the_windows_of_a_vqvae_begins_a_film(tiny_components: Path):
    """Its first latent frame stands for one video frame, those after it for four."""
    config = train_config("vqvae", "tiny", batch_size=200)
    device = torch.device("cpu")
    source = EpisodeSource(config.preset, config.pool, device, seed=0, rank=0)
    stage = stage_class("vqvae")(config, Setting(device, 0, tiny_components), source)
    latents, subject = stage.batch(0)
    assert latents.shape[2] == subject.shape[1] == 8
    first = torch.cat([source.group(index).latents[:, :, 0] for index in stage.pool.indices])
    begin = (latents[:, None, :, 0] == first).flatten(2).all(2).any(1).float().mean()
    assert 0.15 < begin < 0.5, "15%, and those that fall there by chance"
