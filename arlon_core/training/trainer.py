"""The one training loop of all stages: a step, and once in a while a log line, a check, a checkpoint."""

from __future__ import annotations

import json
import math
import shutil
import time
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from diffusers.training_utils import EMAModel
from torch import Tensor
from tqdm import tqdm

from arlon_core.errors import ArlonError
from arlon_core.store.atomic import replacing
from arlon_core.training.config import TrainConfig, learning_rate_at
from arlon_core.training.optimizers import optimizers
from arlon_core.training.report import write_report
from arlon_core.training.stage import Stage

# A run that cannot find a finite gradient this often in a row will not find one any more.
_MAX_REFUSED = 20


class Trainer:
    """Trains one stage: bf16 where there is a GPU, EMA, resume, TensorBoard, held-out evaluation.

    `minutes` sets the length of the run by the clock: the number of steps is estimated while it runs, and
    the learning rate comes down by that estimate.
    """

    def __init__(
        self,
        stage: Stage,
        config: TrainConfig,
        run_folder: Path,
        accelerator: Accelerator,
        *,
        minutes: float = 0.0,
    ) -> None:
        self.stage, self.config, self.run_folder, self.accelerator = stage, config, run_folder, accelerator
        self.deadline = time.monotonic() + 60 * minutes if minutes else None
        self.step = 0
        self.total_steps = config.max_steps
        self.history: list[dict[str, float]] = []
        self._seconds = 0.0  # trained for before this process's run
        self._begun: float | None = None
        self._closing = 0.0  # the most seconds that an evaluation with a checkpoint took
        self._refused = 0
        self._batch: Any = None
        parameters = [p for p in stage.model.parameters() if p.requires_grad]
        if config.compile and accelerator.device.type == "cuda":
            stage.model.compile()
        self.model, *self.optimizers = accelerator.prepare(stage.model, *optimizers(stage.model, config))
        self.ema = EMAModel(parameters, decay=config.ema_decay, use_ema_warmup=True, power=0.75, foreach=True)
        accelerator.register_for_checkpointing(self.ema)

    # -- one step ---------------------------------------------------------------------------------------

    def train_step(self) -> dict[str, Tensor]:
        """One optimiser step; refuses to move on a gradient that is not finite."""
        if self._batch is None:
            self._batch = self._draw(self.step)
        # Dropout and noise depend on the step alone, so a resumed run equals a straight one.
        torch.manual_seed(self.stage.generator(self.step).initial_seed())
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = learning_rate_at(self.config, self.step, self.total_steps)
        with self._autocast():
            losses = self.stage.loss(self.model, self._batch)
        self.accelerator.backward(losses["loss"])
        norm = self.accelerator.clip_grad_norm_(self.model.parameters(), self.config.gradient_clip)
        # The next batch is made while a GPU still works on this one; only then do we wait for the norm.
        self._batch = self._draw(self.step + 1) if self.step + 1 < self.total_steps else None
        if math.isfinite(float(norm)):
            for optimizer in self.optimizers:
                optimizer.step()
            self.ema.step(p for p in self.stage.model.parameters() if p.requires_grad)
            self._refused = 0
        else:
            self._refuse()
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return {key: value.detach() for key, value in losses.items()} | {"gradient_norm": norm}

    def _draw(self, step: int) -> Any:
        self.stage.progress = step / self.total_steps
        self.stage.before_step(step)
        return self.stage.batch(step)

    def _refuse(self) -> None:
        self._refused += 1
        if self._refused >= _MAX_REFUSED:
            raise ArlonError(
                f"The {self.config.stage} loss was not finite {_MAX_REFUSED} times in a row at step "
                f"{self.step}; resume from the last checkpoint with a lower --learning-rate."
            )

    @property
    def seconds(self) -> float:
        """How long the run has taken, in all the processes that it went on in."""
        return self._seconds + (0.0 if self._begun is None else time.monotonic() - self._begun)

    # -- the run ----------------------------------------------------------------------------------------

    def run(self, stop_after: int | None = None) -> None:
        """Train to the end, with evaluation and checkpoints on the way; or only to step `stop_after`."""
        bar = tqdm(total=self.total_steps, initial=self.step, disable=not self.accelerator.is_main_process)
        self._begun = started = time.monotonic()
        first = begun = self.step
        while self.step < min(self.total_steps, stop_after or self.total_steps):
            scalars = self.train_step()
            bar.update(1)
            if self.step - begun == 10:  # the first steps warm up and compile
                started, first = time.monotonic(), self.step
            if self.step % self.config.log_every == 0:
                values = {key: float(value) for key, value in scalars.items()}
                self._log(values, "train")
                bar.set_postfix(loss=f"{values['loss']:.4f}")
            last = self.step >= self.total_steps or self.step == stop_after
            trained = time.monotonic()
            if last or self.step % self.config.evaluate_every == 0:
                self.evaluate()
            if last or self.step % self.config.checkpoint_every == 0:
                self.save()
            self._closing = max(self._closing, time.monotonic() - trained)
            timed = self.step - first  # a rate over fewer steps than these says nothing
            if not last and timed >= 20 and (self.step - begun in (30, 100) or self.step % 50 == 0):
                self._estimate_total((time.monotonic() - started) / timed)
                bar.total = self.total_steps
        bar.close()

    def evaluate(self) -> dict[str, float]:
        """Held-out scalars and a sample picture of the averaged weights."""
        with self._averaged_weights(), torch.no_grad(), self._autocast():
            model = self.stage.model.eval()
            scalars = self.stage.evaluate(model)
            picture = self.stage.sample(model) if self.accelerator.is_main_process else None
            model.train()
        self._log(scalars, "held_out")
        if picture is not None:
            picture.save(self.run_folder / f"sample_{self.step:06d}.png")
        self.history.append({"step": self.step, **scalars})
        if self.accelerator.is_main_process:
            tqdm.write(f"{self.config.stage} step {self.step}: " + _in_words(scalars))
        return scalars

    # -- keeping ----------------------------------------------------------------------------------------

    def save(self) -> None:
        """A checkpoint to resume from; and in the pipeline folder, the averaged weights and the report.

        A run that is cut off leaves those of its last checkpoint, also one that is cut off here: `state.json`
        names the checkpoint that is whole.
        """
        checkpoint = self.run_folder / f"checkpoint-{self.step:06d}"
        self.accelerator.save_state(str(checkpoint))
        self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            state = {
                "checkpoint": checkpoint.name,
                "step": self.step,
                "total_steps": self.total_steps,
                "seconds": self.seconds,
                "history": self.history,
                "data": self.stage.state_dict(),
            }
            with replacing(self.run_folder / "state.json") as partial:
                partial.write_text(json.dumps(state))
            for old in self.run_folder.glob("checkpoint-*"):
                if old != checkpoint:
                    shutil.rmtree(old)
            with self._averaged_weights():
                self.stage.export(self.stage.model, self.stage.target)
            reports = self.stage.target.parent / "training"
            write_report(reports, self.config, self.accelerator.device, self._progress())
        self.accelerator.wait_for_everyone()

    def resume(self) -> bool:
        """Go on from the run's checkpoint; False when there is none."""
        path = self.run_folder / "state.json"
        if not path.exists():
            return False
        state: dict[str, Any] = json.loads(path.read_text())
        self.accelerator.load_state(str(self.run_folder / state["checkpoint"]))
        self.step, self.total_steps, self.history = state["step"], state["total_steps"], state["history"]
        self._seconds = state["seconds"]
        self.stage.load_state_dict(state["data"])
        return True

    # -- small parts ------------------------------------------------------------------------------------

    def _progress(self) -> dict[str, Any]:
        """How far the run has come, for its report."""
        return {
            "starts_from": self.stage.starts_from,
            "steps": self.step,
            "planned_steps": self.total_steps,
            "seconds": round(self.seconds),
            "processes": self.accelerator.num_processes,
            "held_out": self.history,
        }

    def _autocast(self) -> torch.autocast:
        """bf16 on a GPU; nothing on a CPU, where training is a rehearsal."""
        device = self.accelerator.device.type
        return torch.autocast(device, torch.bfloat16, enabled=device == "cuda")

    def _averaged_weights(self) -> _Averaged:
        return _Averaged(self.ema, [p for p in self.stage.model.parameters() if p.requires_grad])

    def _estimate_total(self, seconds_a_step: float) -> None:
        if self.deadline is None:
            return
        left = max(0.0, self.deadline - time.monotonic() - self._closing) * 0.99
        total = broadcast_object_list([self.step + max(1, int(left / seconds_a_step))])
        self.total_steps = int(total[0])

    def _log(self, scalars: dict[str, float], prefix: str) -> None:
        values = {f"{prefix}/{key}": value for key, value in scalars.items()}
        self.accelerator.log(values, step=self.step)


class _Averaged:
    """Context: the model carries its EMA weights inside, and its own again outside."""

    def __init__(self, ema: EMAModel, parameters: list[torch.nn.Parameter]) -> None:
        self.ema, self.parameters = ema, parameters

    def __enter__(self) -> None:
        self.ema.store(self.parameters)
        self.ema.copy_to(self.parameters)

    def __exit__(self, *_: object) -> None:
        self.ema.restore(self.parameters)


def _in_words(scalars: dict[str, float]) -> str:
    return ", ".join(f"{key} {value:.4g}" for key, value in scalars.items())
