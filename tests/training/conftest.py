"""Toy-size training on the CPU: every component, in the order in which they build on one another."""

from __future__ import annotations

from pathlib import Path

import pytest

from arlon_core.training.config import train_config
from arlon_core.training.run import train

ORDER = ("text", "vae", "vqvae", "vqvae-coarse", "preview", "ar", "dit", "judge", "judge-report")


@pytest.fixture(scope="session")
def tiny_components(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline folder whose every component went through its training stage."""
    folder = tmp_path_factory.mktemp("tiny")
    configs = [train_config(stage, "tiny", max_steps=2) for stage in ORDER]
    train(configs, folder / "components", folder / "runs", device="cpu")
    return folder / "components"
