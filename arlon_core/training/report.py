"""The report beside a trained component: what somebody needs to repeat the run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from arlon_core.generation.report import code_commit
from arlon_core.training.config import TrainConfig


def write_report(
    folder: Path, config: TrainConfig, device: torch.device, progress: Mapping[str, Any]
) -> None:
    """Write `STAGE.json` into `folder`: commit, hardware, configuration and how far the run has come.

    progress: steps, time, processes, the held-out curve up to now; goes into the report as it is.
    """
    cuda = device.type == "cuda"
    report = {
        "stage": config.stage,
        "commit": code_commit(),
        "hardware": torch.cuda.get_device_name() if cuda else "CPU",
        "torch": torch.__version__,
        **progress,
        "config": asdict(config),
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{config.stage}.json").write_text(json.dumps(report, indent=2) + "\n")
