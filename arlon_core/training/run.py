"""From a command to a trained component: assemble stage and trainer, and run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from accelerate import Accelerator

from arlon_core.training.arms import compared
from arlon_core.training.config import TrainConfig
from arlon_core.training.episodes import EpisodeSource
from arlon_core.training.profiling import profile_steps
from arlon_core.training.stage import Setting
from arlon_core.training.stages import stage_class
from arlon_core.training.trainer import Trainer


def train(
    configs: Sequence[TrainConfig],
    components: Path,
    runs: Path,
    *,
    minutes: Sequence[float] = (),
    init: Path | None = None,
    resume: bool = False,
    stop_after: int | None = None,
    device: str = "auto",
    profile: bool = False,
) -> None:
    """Train stages one after the other in one process, so that they share the episodes already drawn.

    Several arms of the experiments do not: each draws its own from the first on, so that all see the same
    chunks at each step and none is spared the time of drawing them.

    components: pipeline folder, read for frozen parts and written with the results.
    runs: folder that gets one folder a stage with checkpoints, TensorBoard scalars and samples.
    stop_after: end each stage early, as a run that is cut off does; the schedule stays that of the whole.
    init: folder of a component whose weights the first stage starts from.
    minutes: length of each stage by the clock; without it the configured number of steps.
    profile: instead of training, write where the time of some steps goes, into `runs/STAGE/profile.txt`.
    Raises ArlonError on a missing component, or on a loss that stays non-finite.
    """
    accelerator = _accelerator(runs, device)
    first = configs[0]
    source = EpisodeSource(
        first.preset,
        first.pool,
        accelerator.device,
        seed=first.seed,
        rank=accelerator.process_index,
        compile=accelerator.device.type == "cuda",
    )
    setting = Setting(accelerator.device, accelerator.process_index, components)
    arms = compared([config.stage for config in configs])
    for number, config in enumerate(configs):
        if config.stage in arms:
            source.forget()
        limit = minutes[number] if number < len(minutes) else 0.0
        # An accelerator remembers what it has prepared, so each stage gets a new one.
        accelerator = _accelerator(runs / config.stage, device)
        _train_stage(
            config,
            setting,
            source,
            accelerator,
            minutes=limit,
            init=init if number == 0 else None,
            resume=resume,
            stop_after=stop_after,
            profile=profile,
        )
        # Not `end_training` before the last one: it takes the other processes away.
        for tracker in accelerator.trackers:
            tracker.finish()
    accelerator.end_training()


def _accelerator(folder: Path, device: str) -> Accelerator:
    return Accelerator(cpu=device == "cpu", log_with="tensorboard", project_dir=str(folder))


def _train_stage(
    config: TrainConfig,
    setting: Setting,
    source: EpisodeSource,
    accelerator: Accelerator,
    *,
    minutes: float,
    init: Path | None,
    resume: bool,
    stop_after: int | None,
    profile: bool,
) -> None:
    folder = Path(accelerator.project_dir)
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.seed)
    stage = stage_class(config.stage)(config, setting, source)
    if init is not None:
        stage.load_weights(init)
    stage.model.to(accelerator.device)
    trainer = Trainer(stage, config, folder, accelerator, minutes=minutes)
    if accelerator.is_main_process:
        accelerator.init_trackers(config.stage)
    if resume:
        trainer.resume()
    if profile:
        table = profile_steps(trainer.train_step, accelerator.device)
        if accelerator.is_main_process:
            (folder / "profile.txt").write_text(table)
            print(table)
        return
    trainer.run(stop_after)
