"""What a training run is: one frozen record a stage, and the functions that return it for a preset."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

from arlon_core.errors import ArlonError
from arlon_core.presets import PRESETS, Preset
from arlon_core.training.arms import DIT_ARMS

STAGES = ("text", "vae", "preview", "vqvae", "vqvae-coarse", "ar", *DIT_ARMS, "judge", "judge-report")
DISTILLING = tuple(name for name, arm in DIT_ARMS.items() if arm.distils)
# The two judges see no episode in common; all other stages begin at 0, and may share what was drawn.
_SEEDS = {"judge": 101, "judge-report": 102}


@dataclass(frozen=True, kw_only=True)
class PoolConfig:
    """A pool of encoded episodes that is renewed while training goes on.

    A training step is much faster than drawing the episodes it uses, so each episode is used a few times,
    from other windows, before a fresh one takes its place.
    """

    episode_latents: int = 49  # latent frames in an episode: 1 + 12 pieces of 4, as the encoder takes them
    group: int = 16  # episodes drawn and encoded together
    initial_groups: int = 12  # groups drawn before the first step; GPU time is short, and more come soon
    # The oldest group leaves when one too many comes.
    capacity_groups: int = 192
    # Groups whose latents stay on the GPU: at storyworld's size 48 MB each, and another 45 MB for each kind
    # of F that the diffusion stage keeps.
    latent_groups: int = 192
    steps_per_group: int = 12  # a fresh group every so many steps


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Everything that decides the outcome of a run, apart from the code and the hardware."""

    stage: str
    preset: Preset
    seed: int = 0
    max_steps: int = 10_000
    batch_size: int = 32  # per process
    learning_rate: float = 5e-4
    warmup_steps: int = 200
    final_learning_rate: float = 0.02  # as a fraction, at the last step
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.95)
    muon: bool = False  # for the matrices of the layers that repeat (`optimizers`)
    gradient_clip: float = 1.0
    ema_decay: float = 0.999
    log_every: int = 20
    evaluate_every: int = 500
    checkpoint_every: int = 1000
    held_out_episodes: int = 32
    compile: bool = False
    guidance_scale: float = 1.0  # of the teacher, where a stage distils one
    decoder_only: bool = False  # of the VAE: its latents, and all that stands on them, stay as they are
    pool: PoolConfig = field(default_factory=PoolConfig)

    def __post_init__(self) -> None:
        if self.stage not in STAGES:
            raise ArlonError(f"There is no training stage {self.stage!r}; choose one of {', '.join(STAGES)}.")
        if self.max_steps < 1 or self.batch_size < 1:
            raise ArlonError("Training needs at least one step and one example a batch.")
        if self.guidance_scale != 1 and self.stage not in DISTILLING:
            stages = ", ".join(DISTILLING)
            raise ArlonError(f"The stage {self.stage} has no teacher; --guidance is for {stages}.")
        if self.decoder_only and self.stage != "vae":
            raise ArlonError(f"The stage {self.stage} has no decoder of its own; decoder-only is for vae.")


_STORYWORLD: dict[str, dict[str, Any]] = {
    "text": {"batch_size": 512, "learning_rate": 1e-3, "max_steps": 8000, "evaluate_every": 2000},
    "vae": {
        "batch_size": 2,
        "learning_rate": 8e-4,
        "muon": True,
        "max_steps": 12_000,
        "ema_decay": 0.998,
        "compile": True,
    },
    "preview": {"batch_size": 16, "learning_rate": 1e-3, "max_steps": 3000},
    "vqvae": {
        "batch_size": 32,
        "learning_rate": 6e-4,
        "max_steps": 8000,
        "pool": PoolConfig(steps_per_group=24),
    },
    "vqvae-coarse": {
        "batch_size": 32,
        "learning_rate": 6e-4,
        "max_steps": 6000,
        "pool": PoolConfig(steps_per_group=24),
    },
    "ar": {
        "batch_size": 96,
        "learning_rate": 1e-3,
        "muon": True,
        "max_steps": 30_000,
        "weight_decay": 0.1,
        "compile": True,
        "evaluate_every": 1500,
        # It learns episodes by heart (docs/experiments.md), so it needs many, from the first step on. Tokens
        # are small: all are kept.
        "pool": PoolConfig(initial_groups=160, capacity_groups=4096, steps_per_group=3),
    },
    "dit": {
        "batch_size": 16,
        "learning_rate": 1.2e-3,
        "muon": True,
        "warmup_steps": 400,
        "max_steps": 20_000,
        "compile": True,
        "evaluate_every": 2000,
        # Noise and windows make every look at an episode another one, so it may be looked at more often.
        "pool": PoolConfig(steps_per_group=24),
    },
    "judge": {
        "batch_size": 64,
        "learning_rate": 1e-3,
        "muon": True,
        "max_steps": 6000,
        "evaluate_every": 2000,
    },
    "judge-report": {
        "batch_size": 64,
        "learning_rate": 7e-4,
        "muon": True,
        "max_steps": 6000,
        "warmup_steps": 400,
        "evaluate_every": 2000,
    },
}

_TINY_POOL = PoolConfig(
    episode_latents=17, group=2, initial_groups=2, capacity_groups=4, latent_groups=4, steps_per_group=2
)


def train_config(stage: str, preset: str = "storyworld", **changes: Any) -> TrainConfig:
    """The complete configuration of one stage at one preset; `changes` override single fields.

    Raises ArlonError for an unknown preset or stage.
    """
    if preset not in PRESETS:
        raise ArlonError(f"There is no preset {preset!r}; choose one of {', '.join(PRESETS)}.")
    config = TrainConfig(stage=stage, preset=PRESETS[preset], seed=_SEEDS.get(stage, 0))
    settings = _STORYWORLD["dit" if stage in DIT_ARMS else stage]
    if preset == "tiny":
        config = replace(
            config,
            max_steps=4,
            batch_size=2,
            warmup_steps=1,
            evaluate_every=4,
            checkpoint_every=2,
            log_every=1,
            held_out_episodes=2,
            pool=_TINY_POOL,
            muon=settings.get("muon", False),
        )
    else:
        config = replace(config, **settings)
    return replace(config, **{key: value for key, value in changes.items() if value is not None})


def learning_rate_at(config: TrainConfig, step: int, total_steps: int) -> float:
    """Linear warm-up, then a cosine down to `final_learning_rate` of the peak at `total_steps`."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    done = (step - config.warmup_steps) / max(1, total_steps - config.warmup_steps)
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    low = config.final_learning_rate
    return config.learning_rate * (low + (1 - low) * cosine)
