"""The report beside a trained component: what somebody needs to repeat the run."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from arlon_core.generation.report import code_commit

if TYPE_CHECKING:
    from arlon_core.training.trainer import Trainer


def write_report(trainer: Trainer, folder: Path) -> None:
    """Write `STAGE.json`: commit, seed, steps, time, hardware and the held-out curve up to now."""
    config = trainer.config
    cuda = trainer.accelerator.device.type == "cuda"
    report = {
        "stage": config.stage,
        "starts_from": trainer.stage.starts_from,
        "commit": code_commit(),
        "steps": trainer.step,
        "planned_steps": trainer.total_steps,
        "seconds": round(trainer.seconds),
        "processes": trainer.accelerator.num_processes,
        "hardware": torch.cuda.get_device_name() if cuda else "CPU",
        "torch": torch.__version__,
        "held_out": trainer.history,
        "config": asdict(config),
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{config.stage}.json").write_text(json.dumps(report, indent=2) + "\n")
