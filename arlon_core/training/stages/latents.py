"""What the stages on top of the frozen VAE share: a pool of encoded episodes."""

from __future__ import annotations

from arlon_core.training.components import load_vae
from arlon_core.training.config import TrainConfig
from arlon_core.training.episodes import EpisodeGroup, EpisodeSource, Pool
from arlon_core.training.stage import Setting, Stage


class LatentStage(Stage):
    """A stage that trains on latents of fresh episodes."""

    def __init__(self, config: TrainConfig, setting: Setting, source: EpisodeSource) -> None:
        super().__init__(config, setting, source)
        if source.vae is None:
            source.attach(load_vae(setting.components, setting.device))
        self.pool = Pool(source, config.pool)
        self._held_out: EpisodeGroup | None = None

    @property
    def held_out(self) -> EpisodeGroup:
        """Episodes for evaluation, drawn when first asked for."""
        if self._held_out is None:
            self._held_out = self.source.held_out(self.config.held_out_episodes)
        return self._held_out

    def before_step(self, step: int) -> None:
        self.pool.before_step(step)

    def state_dict(self) -> dict[str, int]:
        return {"initial_groups": self.pool.initial}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.pool.initial = state["initial_groups"]
