"""What the trainer asks of a stage: a model, a loss, an evaluation, samples and an export."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from arlon_core.models.folders import load_weights_into, save_component
from arlon_core.training.config import TrainConfig
from arlon_core.training.episodes import EpisodeSource


@dataclass(frozen=True)
class Setting:
    """Where a stage runs: the device, its number among the processes, and the folder of components."""

    device: torch.device
    rank: int
    components: Path  # the pipeline folder: frozen components are read there, results are written there


class Stage(ABC):
    """One trainable component with its objective.

    A stage draws its own batches, and draws them from (seed, rank, step) alone, so a resumed run sees what
    an unbroken one would have seen.
    """

    component: str  # the folder that `export` writes, below the pipeline folder
    model: nn.Module

    def __init__(self, config: TrainConfig, setting: Setting, source: EpisodeSource) -> None:
        self.config = config
        self.setting = setting
        self.source = source
        self.starts_from: str | None = None  # the component whose weights it began with
        self.progress = 0.0  # share of the run that lies before the step drawn next, as now estimated

    def load_weights(self, folder: Path) -> None:
        """Start from the weights of `folder`, a component's folder, instead of from scratch.

        Raises ModelError when they do not fit the model.
        """
        load_weights_into(self.exported(self.model), folder)
        self.starts_from = folder.name

    def exported(self, model: nn.Module) -> nn.Module:
        """The part of the trained module that is the component."""
        return model

    @property
    def target(self) -> Path:
        """The folder that `export` writes; the training report goes beside it."""
        return self.setting.components / self.component

    @abstractmethod
    def batch(self, step: int) -> Any:
        """What one step trains on; made while the step before still runs, so without global randomness."""

    @abstractmethod
    def loss(self, model: nn.Module, batch: Any) -> dict[str, Tensor]:
        """Scalars of one batch; the entry `loss` is minimised, the others are only logged."""

    @abstractmethod
    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Scalars on held-out episodes, from seeds that training never draws.

        Call `model.forward`: the model itself may be compiled, and evaluation has shapes of its own.
        """

    def export(self, model: nn.Module, folder: Path) -> None:
        """Write the component into `folder`, in the layout of the pipeline."""
        save_component(self.exported(model), folder)

    def sample(self, model: nn.Module) -> Image.Image | None:
        """A picture of what the model does now, on held-out episodes."""
        return None

    def before_step(self, step: int) -> None:  # noqa: B027 - a stage without a pool has nothing to do
        """Called ahead of every step, for instance to renew the pool of episodes."""

    def state_dict(self) -> dict[str, int]:
        """Integers from which `load_state_dict` rebuilds the data as it was."""
        return {}

    def load_state_dict(self, state: dict[str, int]) -> None:  # noqa: B027
        """Rebuild the data of a stopped run."""

    def shared_generator(self, step: int) -> torch.Generator:
        """Random numbers of one step that are the same in every process."""
        return torch.Generator().manual_seed((self.config.seed * 1_000_003 + 999_983) * 10_000_019 + step)

    def generator(self, step: int) -> torch.Generator:
        """The CPU random numbers of one step of one process."""
        generator = torch.Generator()
        key = (self.config.seed * 1_000_003 + self.setting.rank) * 10_000_019 + step
        return generator.manual_seed(key % (1 << 63))
