"""Several processes train one model: the same weights everywhere, different episodes, one export."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from arlon_core.training.config import train_config
from arlon_core.training.episodes import EpisodeSource, training_seed
from arlon_core.training.stage import Setting
from arlon_core.training.stages.text import TextStage
from arlon_core.world.script import HELD_OUT

CPU = torch.device("cpu")
ROOT = Path(__file__).parent.parent.parent


def test_processes_never_draw_the_same_episode():
    seeds = {training_seed(seed, rank, index) for seed in (0, 1) for rank in range(4) for index in range(500)}
    assert len(seeds) == 2 * 4 * 500
    assert max(seeds) < HELD_OUT


def test_processes_that_train_one_text_encoder_have_one_tokenizer(tmp_path: Path):
    config = train_config("text", "tiny")
    source = EpisodeSource(config.preset, config.pool, CPU, seed=0, rank=0)
    one, two = (TextStage(config, Setting(CPU, rank, tmp_path), source) for rank in (0, 1))
    assert one.tokenizer.get_vocab() == two.tokenizer.get_vocab()
    assert not torch.equal(one.batch(0).ids, two.batch(0).ids), "but they read different captions"


@pytest.mark.slow
def test_two_processes_train_together(tiny_components: Path, tmp_path: Path):
    folder = tmp_path / "components"
    folder.mkdir()
    (folder / "vae").symlink_to(tiny_components / "vae")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    stages = ["vqvae", "vqvae-coarse"]  # one after the other in the same processes
    command = ["-m", "arlon_core", "train", *stages, "--preset", "tiny", "--steps", "2", "--device", "cpu"]
    places = ["--components", str(folder), "--runs", str(tmp_path / "runs")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    subprocess.run(
        [*launch, *command, *places], cwd=ROOT, env=environment, check=True, capture_output=True, timeout=300
    )
    for stage, component in zip(stages, ("latent_vqvae", "latent_vqvae_coarse"), strict=True):
        report = json.loads((folder / "training" / f"{stage}.json").read_text())
        assert (report["processes"], report["steps"]) == (2, 2)
        assert (folder / component / "config.json").exists()
