"""The preview stage: which clips a step learns from, and what counts in them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from arlon_core.presets import PRESETS
from arlon_core.training.config import train_config
from arlon_core.training.episodes import EpisodeSource
from arlon_core.training.stage import Setting
from arlon_core.training.stages.preview import PreviewStage

CPU = torch.device("cpu")

pytestmark = pytest.mark.slow


def make_stage(components: Path, batch_size: int = 4) -> PreviewStage:
    config = train_config("preview", "tiny", batch_size=batch_size)
    source = EpisodeSource(PRESETS["tiny"], config.pool, CPU, seed=0, rank=0)
    return PreviewStage(config, Setting(CPU, 0, components), source)


def test_a_clip_is_learned_from_in_three_steps(tiny_components: Path):
    stage = make_stage(tiny_components)
    batches = [stage.batch(step).pictures for step in range(4)]
    assert [len(batch) for batch in batches] == [4, 8, 12, 12]
    assert torch.equal(batches[2][:4], batches[0])
    assert torch.equal(batches[3], torch.cat([batches[2][4:], batches[3][8:]]))
    assert not torch.equal(batches[3][8:], batches[3][4:8])


def test_a_resumed_run_sees_the_batch_of_an_unbroken_one(tiny_components: Path):
    stage = make_stage(tiny_components)
    for step in range(5):
        stage.batch(step)
    straight, resumed = stage.batch(5), make_stage(tiny_components).batch(5)
    for name in ("latents", "states", "mask", "pictures", "subject"):
        assert torch.equal(getattr(straight, name), getattr(resumed, name)), name


def test_latents_are_those_of_training_also_in_an_evaluation_of_lower_precision(tiny_components: Path):
    stage = make_stage(tiny_components)
    trained = stage._held_out_clips(2).latents
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(stage._held_out_clips(2).latents, trained)


def test_a_subject_counts_for_more_than_as_much_of_the_page(tiny_components: Path):
    stage = make_stage(tiny_components)
    batch = stage.batch(0)
    assert batch.subject.shape == batch.pictures[:, :1].shape
    on = (batch.subject > 0.5).float()
    elsewhere = on.flip(-1) * (batch.subject == 0)
    assert on.sum() >= elsewhere.sum() > 100

    def loss(where: torch.Tensor) -> float:
        pictures = batch.pictures + 0.1 * where
        return stage.loss(lambda *_: pictures, batch)["loss"].item() / where.sum().item()

    assert loss(on) > 3 * loss(elsewhere)
    assert stage.loss(lambda *_: batch.pictures, batch)["loss"] == 0


def test_what_is_measured_of_subjects_is_measured_there(tiny_components: Path):
    stage = make_stage(tiny_components)
    with torch.no_grad():
        found = stage.evaluate(stage.model.eval())
    assert set(found) == {
        f"{what}_{of}" for what in ("psnr", "subject") for of in ("latents", "coarse", "coarse_mistold")
    }
    assert all(0 < value < 60 for value in found.values())
