"""Stages `dit-distil` and `dit-text-distil`: a diffusion transformer that takes its teacher's steps in fewer.

The student starts as the teacher. From a point on the way from noise to data, at a step of a schedule of few
steps, the teacher takes several small steps with guidance; the student learns to go there in one, without
guidance. So steps and guidance are both saved. As progressive distillation (Salimans and Ho 2022) with
guidance folded in (Meng et al. 2023), but for all short schedules at once and in one go (our choice): the
student may be used with any number of steps in FEWEST to MOST, which are Euler's (`whole_steps`).
"""

from __future__ import annotations

import copy

import torch
from PIL import Image
from torch import Tensor, nn

from arlon_core.media.contact_sheet import contact_sheet
from arlon_core.models.flow_path import NUM_TRAIN_TIMESTEPS, time_ratio, transform_timesteps
from arlon_core.models.rectified_flow import (
    FlowBatch,
    guided_velocity,
    masked_mse,
    noise_condition_frames,
    sample,
)
from arlon_core.models.stdit import STDiT3
from arlon_core.models.video_vae import decode_normalised
from arlon_core.training.config import TrainConfig
from arlon_core.training.episodes import EpisodeSource
from arlon_core.training.stage import Setting
from arlon_core.training.stages.dit import OVERLAP_NOISE, ChunkBatch, ChunkExample, DiTStage, to_pictures_of

FEWEST, MOST = 4, 10  # steps of the schedules that are learned
SUBSTEPS = 3  # of the teacher, for one of the student's
_COMPARED = (4, 8)  # steps at which student and teacher are held against the teacher at its best
_HELD_OUT = 8  # chunks


class DistilStage(DiTStage):
    """Trains one of the arms that distil. The config's `guidance_scale` is the teacher's.

    Raises ModelError when the teacher is missing.
    """

    def __init__(self, config: TrainConfig, setting: Setting, source: EpisodeSource) -> None:
        super().__init__(config, setting, source)
        # Not what `--init` names: a student may go on from an earlier one, under the same teacher.
        self.teacher: STDiT3 = copy.deepcopy(self.model).to(setting.device).eval().requires_grad_(False)
        if config.compile and setting.device.type == "cuda":
            self.teacher.compile()

    # -- training ---------------------------------------------------------------------------------------

    def loss(self, model: nn.Module, batch: ChunkBatch) -> dict[str, Tensor]:
        times = self._times(batch.latents)
        start, end = times[0], times[-1]
        x = FlowBatch(
            latents=batch.latents,
            noise=torch.randn_like(batch.latents),
            timesteps=start,
            mask=batch.new,
            condition_latents=noise_condition_frames(batch.latents, OVERLAP_NOISE),
        ).model_input()
        moved = self._teacher_steps(x, times, batch) - x
        target = moved / ((start - end) / NUM_TRAIN_TIMESTEPS)[:, None, None, None, None]
        velocity = self.any_chunks(model)(x, start, x_mask=batch.new, **batch.inputs)
        losses = masked_mse(velocity[:, : x.shape[1]], target, batch.new, batch.weights[:, None])
        return {"loss": losses.mean()}

    def _times(self, latents: Tensor) -> Tensor:
        """Timesteps (SUBSTEPS + 1, B): a random step of a random short schedule, divided evenly."""
        count, device = len(latents), latents.device
        steps = torch.randint(FEWEST, MOST + 1, (count,), device=device)
        done = (torch.rand(count, device=device) * steps).floor()
        along = torch.linspace(0, 1, SUBSTEPS + 1, device=device)[:, None]
        unbent = (1 - (done + along) / steps) * NUM_TRAIN_TIMESTEPS
        preset = self.config.preset
        ratio = time_ratio(preset.height, preset.width, latents.shape[2]).to(device)
        return transform_timesteps(unbent.clamp_min(0), ratio)

    @torch.no_grad()
    def _teacher_steps(self, x: Tensor, times: Tensor, batch: ChunkBatch) -> Tensor:
        """Where the teacher comes to from x (B, C, T, h, w); condition frames stay."""
        inputs = dict(batch.inputs)
        velocity = guided_velocity(
            self.any_chunks(self.teacher),
            self.config.guidance_scale,
            inputs.pop("y"),
            self.teacher.null_caption(),
            **inputs,
        )
        order = self.config.preset.solver_order
        return sample(velocity, x, times[:-1], batch.new, order=order, end=times[-1])

    # -- evaluation -------------------------------------------------------------------------------------

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """How far few steps end from the teacher's many with guidance, from the same noise: mean squares of
        held-out latents, for the student and for the teacher with as few steps.
        """
        chunks, coarse = self._held_out_conditions()
        best = self._best(chunks, coarse)
        found = {}
        for steps in _COMPARED:
            for name, made in (
                ("student", self._generate(model, chunks, coarse, steps, order=1)),
                ("teacher", self._generate(self.teacher, chunks, coarse, steps, self.config.guidance_scale)),
            ):
                found[f"{name}_{steps}_steps"] = (made - best).square().mean().item()
        return found

    def sample(self, model: nn.Module) -> Image.Image:
        """Held-out first chunks: the teacher at its best, then teacher and student at the fewest steps."""
        assert self.source.vae is not None
        chunks, coarse = self._held_out_conditions()
        films = [
            self._best(chunks, coarse),
            self._generate(self.teacher, chunks, coarse, FEWEST, self.config.guidance_scale),
            self._generate(model, chunks, coarse, FEWEST, order=1),
        ]
        columns = [to_pictures_of(decode_normalised(self.source.vae, film)) for film in films]
        rows = [[picture for column in columns for picture in column[i]] for i in range(len(chunks))]
        return contact_sheet(rows, row_titles=[chunk.text for chunk in chunks])

    def _held_out_conditions(self) -> tuple[list[ChunkExample], Tensor | None]:
        chunks = self._held_out_chunks(min(_HELD_OUT, self.config.held_out_episodes))
        latents, _ = self._tensors(chunks)
        return chunks, self.conditions.reconstruct(latents, "fine") if self.conditions else None

    def _best(self, chunks: list[ChunkExample], coarse: Tensor | None) -> Tensor:
        return self._generate(self.teacher, chunks, coarse, SUBSTEPS * MOST, self.config.guidance_scale)
