"""Fixtures that several test modules share."""

from __future__ import annotations

import os
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


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline folder of the preset `tiny` with random weights."""
    from arlon_core.evaluation.random_model import write_random_model
    from arlon_core.presets import PRESETS

    folder = tmp_path_factory.mktemp("models") / "tiny"
    write_random_model(folder, PRESETS["tiny"], CAPTIONS, num_inference_steps=2)
    return folder


@pytest.fixture(scope="session")
def tiny_pipeline(tiny_folder: Path):
    """The pipeline of `tiny_folder`. Shared: do not change it.

    On the CPU, or where ARLON_TEST_DEVICE says, so that the engine's laws can be put to a GPU as well.
    """
    from arlon_core.pipeline import ArlonPipeline

    return ArlonPipeline.from_pretrained(tiny_folder, device=os.environ.get("ARLON_TEST_DEVICE", "cpu"))


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
