"""Toy-size training on the CPU: every component, in the order in which they build on one another."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from filelock import FileLock

from arlon_core.training.config import train_config
from arlon_core.training.run import train

ORDER = ("text", "vae", "vqvae", "vqvae-coarse", "preview", "ar", "dit")


@pytest.fixture(scope="session")
def tiny_components(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline folder whose every component went through its training stage. Shared: do not change it.

    It takes a minute, so of the processes that run tests the first to ask makes it, and the others wait.
    """
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent  # each process has a folder in there
    folder, made = place / "tiny", place / "tiny-is-made"
    with FileLock(place / "tiny.lock"):
        if not made.exists():
            configs = [train_config(stage, "tiny", max_steps=2) for stage in ORDER]
            train(configs, folder / "components", folder / "runs", device="cpu")
            made.touch()
    return folder / "components"
