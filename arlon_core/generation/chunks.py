"""The diffusion of one chunk: from noise and clean overlap latents, under a text and the coarse latents F.

    start_latents    keyed noise, with the clean overlap put before it
    frame_mask       which frames are made (1) and which are kept as they are (0)
    chunk_velocity   text, null caption and F, encoded once, as a function of latents and timestep
    chunk_timesteps  the schedule for a chunk of this length
    solver_order     how many velocities a step looks at
    denoise_chunk    the loop; an event a step, the new latents at its end

Shapes: a chunk has o overlap and n new latent frames, T = o + n; latents (1, C, T, h, w) in fp32.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from arlon_core.errors import ArlonError
from arlon_core.generation.events import StepDone
from arlon_core.generation.noise import chunk_noise
from arlon_core.generation.plan import ChunkPlan
from arlon_core.generation.preview import clean_estimate
from arlon_core.generation.report import RenderReport
from arlon_core.models.rectified_flow import Velocity, guided_velocity, sample_steps

if TYPE_CHECKING:
    from arlon_core.pipeline import ArlonPipeline, PromptStates

# Asked before every step; True stops the render there.
CancelCheck = Callable[[], bool]
# (clean latents (1, C, T, h, w), how many of their frames are overlap, the text) -> uint8 pictures
Preview = Callable[[Tensor, int, "PromptStates"], np.ndarray]


class Cancelled(ArlonError):  # noqa: N818 (an outcome rather than an error)
    """The render was asked to stop, and did so within one denoising step or token block."""


def stop_if_cancelled(cancel: CancelCheck) -> None:
    """Raises Cancelled when `cancel` says so."""
    if cancel():
        raise Cancelled("the render was cancelled; with a project, what was made is kept.")


@dataclass(frozen=True)
class ChunkTask:
    """Everything that decides a chunk's latents."""

    plan: ChunkPlan
    text: PromptStates
    coarse: Tensor | None  # F of overlap and new frames (C, T, h, w); None renders without it
    overlap: Tensor  # clean latents before the chunk (C, o, h, w), o may be 0
    seed: int
    num_inference_steps: int
    guidance_scale: float


def start_latents(pipe: ArlonPipeline, task: ChunkTask) -> Tensor:
    """Keyed noise of the scheduler's deviation behind the clean overlap: (1, C, T, h, w)."""
    device = pipe.transformer.device
    channels, _, height, width = task.overlap.shape
    shape = (channels, task.plan.latents, height, width)
    noise = chunk_noise(shape, task.seed, task.plan.segment, task.plan.index)
    noise *= pipe.scheduler.init_noise_sigma
    return torch.cat([task.overlap.to(device).float(), noise.to(device)], dim=1)[None]


def frame_mask(task: ChunkTask, device: torch.device) -> Tensor | None:
    """(1, T): 0 on overlap frames, which stay clean at every step, 1 on new ones; None without overlap."""
    overlap = task.overlap.shape[1]
    if not overlap:
        return None
    return (torch.arange(overlap + task.plan.latents, device=device) >= overlap).float()[None]


@torch.no_grad()
def chunk_velocity(pipe: ArlonPipeline, task: ChunkTask) -> Velocity:
    """The transformer under this chunk's conditions. Guidance drops the text, and keeps F (our choice)."""
    model = pipe.transformer
    condition = None
    if task.coarse is not None and model.semantic_injection is not None:
        # Nothing in it depends on the timestep, so it is encoded once for all steps.
        coarse = task.coarse[None].to(model.device, model.dtype)
        condition = model.encode_coarse_latents(coarse, precompute=True)
    y = task.text.states[:, None].to(model.device, model.dtype)
    return guided_velocity(
        model,
        task.guidance_scale,
        y,
        model.null_caption(y.shape[2]),
        mask=task.text.mask.to(model.device),
        fps=float(pipe.config.fps),
        height=float(pipe.config.height),
        width=float(pipe.config.width),
        coarse_latents=condition,
    )


def chunk_timesteps(pipe: ArlonPipeline, task: ChunkTask) -> Tensor:
    """Timesteps (steps,), bent by the true number of latent frames, those of the overlap included."""
    scheduler = pipe.scheduler.from_config(pipe.scheduler.config)  # our own, since it keeps state
    scheduler.set_timesteps(
        task.num_inference_steps,
        height=pipe.config.height,
        width=pipe.config.width,
        num_latent_frames=task.overlap.shape[1] + task.plan.latents,
        device=pipe.transformer.device,
    )
    return scheduler.timesteps


def solver_order(pipe: ArlonPipeline) -> int:
    """The scheduler's, or Euler's for a transformer that was distilled to take whole steps."""
    return 1 if pipe.transformer.config["whole_steps"] else pipe.scheduler.config["solver_order"]


def denoise_chunk(
    pipe: ArlonPipeline,
    task: ChunkTask,
    start: Tensor,
    report: RenderReport,
    cancel: CancelCheck,
    preview: Preview | None = None,
) -> Generator[StepDone, None, Tensor]:
    """Render a chunk: an event a step, and at the end its new latents (C, n, h, w) on the CPU, in fp16.

    start: what `start_latents` gave. preview: makes the pictures of each step's event from the current
    estimate of the clean latents; nothing else depends on them.
    Half precision is what is kept and what later chunks and the decoder see, in unbroken runs too; normalised
    latents lose nothing visible by it. Raises Cancelled before the next step once `cancel` says so.
    """
    stop_if_cancelled(cancel)
    latents, device = start, pipe.transformer.device
    with report.timed("denoise"), torch.no_grad():
        times = chunk_timesteps(pipe, task)
        velocity, mask = chunk_velocity(pipe, task), frame_mask(task, device)
        steps = sample_steps(velocity, latents, times, mask, order=solver_order(pipe))
    for number in range(1, task.num_inference_steps + 1):
        before = latents
        with report.timed("denoise"), torch.no_grad():
            latents = next(steps).latents
        picture = None
        if preview is not None:
            with report.timed("decode"):
                clean = clean_estimate(before, latents, times, number - 1)
                picture = preview(clean, task.overlap.shape[1], task.text)
        yield StepDone(task.plan.segment, task.plan.index, number, task.num_inference_steps, picture)
        stop_if_cancelled(cancel)
    return latents[0, :, task.overlap.shape[1] :].half().cpu()
