"""Rectified flow at work: the sampler with condition frames, the training loss, the scheduler (Open-Sora
v1.2).

The mathematics is in `flow_path`. Legend: B batch, C channels, T latent frames, H W latent size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.schedulers.scheduling_utils import SchedulerMixin
from diffusers.utils.outputs import BaseOutput
from torch import Tensor

from arlon_core.models.flow_path import (
    NUM_TRAIN_TIMESTEPS,
    add_noise,
    classifier_free_guidance,
    euler_step,
    extrapolated_velocity,
    sample_timesteps,
    time_ratio,
    transform_timesteps,
    uniform_timesteps,
    velocity_target,
)

# (latents [B, C, T, H, W], timestep [B], x_mask [B, T] or None) -> velocity [B, C, T, H, W]
Velocity = Callable[[Tensor, Tensor, Tensor | None], Tensor]

# How many velocities a sampling step looks at: Euler's one, or Adams and Bashforth's two.
SOLVER_ORDERS = (1, 2)


# --- sampling ---


class SampleStep(NamedTuple):
    """State after one denoising step."""

    number: int  # from 0
    timestep: Tensor  # [B]
    x_mask: Tensor | None  # [B, T] bool: frames that were active in this step
    latents: Tensor


def active_frames(mask: Tensor, timestep: Tensor) -> Tensor:
    """[B, T] bool: frames that take part at this timestep [B].

    mask [B, T]: 1 generates a frame from noise, 0 keeps it, a number e between re-noises it once t falls to
    1000 e.
    """
    return mask * NUM_TRAIN_TIMESTEPS >= timestep[:, None]


def sample_steps(
    velocity: Velocity,
    latents: Tensor,
    timesteps: Tensor,
    mask: Tensor | None = None,
    draw_noise: Callable[[int], Tensor] | None = None,
    order: int = 1,
    end: Tensor | None = None,
) -> Iterator[SampleStep]:
    """Denoise step by step, yielding after each; stop iterating to cancel.

    latents [B, C, T, H, W]: noise, and clean latents on the frames to keep. timesteps [N] or [N, B], falling.
    mask: see `active_frames`; kept frames come out unchanged. draw_noise(step) gives the noise of edited
    frames and is called at every step, as in the reference; it may be left out where mask is all 0 and 1.
    order: 1 takes Euler steps, as the reference does; 2 also looks at the step before (`SOLVER_ORDERS`).
    end [B]: the timestep to which the last step goes, 0 unless given.
    Raises ValueError for an edit ratio without draw_noise.
    """
    if mask is not None and draw_noise is None and bool(((mask != 0) & (mask != 1)).any()):
        raise ValueError("A mask with edit ratios between 0 and 1 needs draw_noise.")
    batch = latents.shape[0]
    times = timesteps.to(latents.device).reshape(len(timesteps), -1).expand(-1, batch)
    times = torch.cat([times, torch.zeros_like(times[:1]) if end is None else end.to(times)[None]])
    active = None if mask is None else mask == 1
    last: Tensor | None = None

    for i in range(len(timesteps)):
        before, was_active = latents, active
        if mask is not None and was_active is not None:
            active = active_frames(mask, times[i])
            if draw_noise is not None:
                awakened = (active & ~was_active)[:, None, :, None, None]
                latents = torch.where(awakened, add_noise(latents, draw_noise(i), times[i]), latents)
        found = velocity(latents, times[i], active)
        along = found
        if order == 2 and last is not None:
            along = extrapolated_velocity(found, last, times[i - 1], times[i], times[i + 1])
            if was_active is not None:  # a frame that has just woken has no step before
                along = torch.where(was_active[:, None, :, None, None], along, found)
        latents, last = euler_step(latents, along, times[i], times[i + 1]), found
        if active is not None:
            latents = torch.where(active[:, None, :, None, None], latents, before)
        yield SampleStep(i, times[i], active, latents)


def sample(
    velocity: Velocity,
    latents: Tensor,
    timesteps: Tensor,
    mask: Tensor | None = None,
    draw_noise: Callable[[int], Tensor] | None = None,
    order: int = 1,
    end: Tensor | None = None,
) -> Tensor:
    """Run `sample_steps` to the end: [B, C, T, H, W]."""
    for step in sample_steps(velocity, latents, timesteps, mask, draw_noise, order, end):
        latents = step.latents
    return latents


def guided_velocity(
    model: Callable[..., Tensor], guidance_scale: float, y: Tensor, null_y: Tensor, **inputs: Any
) -> Velocity:
    """Velocity under classifier-free guidance, both halves in one batch.

    y and null_y [B or 1, 1, L, C]: text features and the null caption. `inputs` go to the model as they are;
    it repeats those that have B rows. A guidance scale of 1 runs the conditional half alone. Extra channels
    of a model that also predicts variances are dropped.
    """

    def velocity(latents: Tensor, timestep: Tensor, x_mask: Tensor | None) -> Tensor:
        batch, channels = latents.shape[:2]
        text = y.expand(batch, -1, -1, -1)
        if guidance_scale == 1.0:
            return model(latents, timestep, text, x_mask=x_mask, **inputs)[:, :channels]
        text = torch.cat([text, null_y.to(y.dtype).expand(batch, -1, -1, -1)])
        both_mask = None if x_mask is None else x_mask.repeat(2, 1)
        output = model(latents.repeat(2, 1, 1, 1, 1), timestep.repeat(2), text, x_mask=both_mask, **inputs)
        conditional, unconditional = output[:, :channels].chunk(2)
        return classifier_free_guidance(conditional, unconditional, guidance_scale)

    return velocity


# --- training ---


def noise_condition_frames(
    latents: Tensor, max_level: float = 0.1, generator: torch.Generator | None = None
) -> Tensor:
    """Latents with a little noise, to be shown on condition frames in training (our choice).

    Each sample gets x_t at a level t/1000 drawn from 0..max_level, so that the model learns to go on from
    frames which it made itself. The model is told timestep 0 for them all the same.
    """
    batch, device = latents.shape[0], latents.device
    levels = torch.rand(batch, generator=generator, device=device) * max_level * NUM_TRAIN_TIMESTEPS
    noise = torch.randn(latents.shape, generator=generator, device=device, dtype=latents.dtype)
    return add_noise(latents, noise, levels)


def masked_mse(prediction: Tensor, target: Tensor, mask: Tensor | None, weights: Tensor | None) -> Tensor:
    """[B] squared errors: means over frames where mask [B, T] is True, by weights [B, 1, T, H, W]."""
    error = (prediction.float() - target.float()) ** 2
    importance = torch.ones_like(error[:, :1]) if weights is None else weights.float().expand_as(error[:, :1])
    if mask is not None:
        importance = importance * mask[:, None, :, None, None]
    total = importance.sum(dim=(1, 2, 3, 4)) * error.shape[1]
    return (error * importance).sum(dim=(1, 2, 3, 4)) / total.clamp_min(torch.finfo(torch.float32).tiny)


@dataclass(frozen=True, kw_only=True)
class FlowBatch:
    """One batch of rectified flow training.

    latents, noise [B, C, T, H, W]; timesteps [B]; mask [B, T] bool, False on condition frames (they are shown
    clean and carry no loss) or None; condition_latents: what is shown on condition frames (None: latents
    themselves); weights [B, 1, T, H, W] or None: weights of the mean, our choice, e.g. heavier on subjects.
    """

    latents: Tensor
    noise: Tensor
    timesteps: Tensor
    mask: Tensor | None = None
    condition_latents: Tensor | None = None
    weights: Tensor | None = None

    def model_input(self) -> Tensor:
        noisy = add_noise(self.latents, self.noise, self.timesteps)
        if self.mask is None:
            return noisy
        shown = self.latents if self.condition_latents is None else self.condition_latents
        return torch.where(self.mask[:, None, :, None, None], noisy, shown)


def flow_losses(model: Callable[..., Tensor], batch: FlowBatch, **inputs: Any) -> Tensor:
    """[B] losses: squared error of the velocity, on unmasked frames only, no weighting by time.

    `inputs` (y, mask of the text, fps, height, width, coarse_latents, ...) go to the model as they are.
    """
    output = model(batch.model_input(), batch.timesteps, x_mask=batch.mask, **inputs)
    prediction = output[:, : batch.latents.shape[1]]
    return masked_mse(prediction, velocity_target(batch.latents, batch.noise), batch.mask, batch.weights)


def training_loss(
    model: Callable[..., Tensor],
    latents: Tensor,
    inputs: Mapping[str, Any],
    *,
    height: float,
    width: float,
    x_mask: Tensor | None = None,
    weights: Tensor | None = None,
    overlap_noise: float = 0.0,
    timestep_method: Literal["uniform", "logit-normal"] = "logit-normal",
    pure_noise: float = 0.0,
) -> Tensor:
    """Mean loss of clean latents [B, C, T, H, W] at random timesteps, bent for videos of height x width
    pixels.

    x_mask [B, T] bool: False on condition frames. weights [B, 1, T, H, W] or [B, T, H, W]. overlap_noise: see
    `noise_condition_frames`. pure_noise (ours): share of the samples that are at the very first timestep.
    `inputs` go to the model as they are.
    """
    ratio = time_ratio(height, width, latents.shape[2]).to(latents.device)
    timesteps = sample_timesteps(latents.shape[0], ratio, timestep_method, device=latents.device)
    if pure_noise > 0:
        timesteps[torch.rand_like(timesteps) < pure_noise] = NUM_TRAIN_TIMESTEPS
    batch = FlowBatch(
        latents=latents,
        noise=torch.randn_like(latents),
        timesteps=timesteps,
        mask=x_mask,
        condition_latents=noise_condition_frames(latents, overlap_noise) if overlap_noise > 0 else None,
        weights=weights[:, None] if weights is not None and weights.ndim == 4 else weights,
    )
    return flow_losses(model, batch, **inputs).mean()


# --- scheduler ---


@dataclass
class RectifiedFlowSchedulerOutput(BaseOutput):
    """prev_sample: latents at the next (smaller) timestep."""

    prev_sample: Tensor


class RectifiedFlowScheduler(SchedulerMixin, ConfigMixin):  # type: ignore[misc]
    """The schedule as a pipeline component: it remembers its settings and timesteps; the functions above do
    the work.

    use_timestep_transform: bend the schedule by the size of the video. transform_scale: factor on that bend.
    init_noise_sigma: deviation of the noise that sampling starts from. Training knows 1 only; a little more
    gives back detail that few steps of a small model lose (our choice, after S_noise of Karras et al. 2022;
    docs/experiments.md shows what it does).
    solver_order: see `sample_steps`.

    Raises ValueError for another number of training timesteps, for a deviation that is not above 0 and for an
    order that is not one of SOLVER_ORDERS.
    """

    order = 1

    @register_to_config
    def __init__(
        self,
        num_train_timesteps: int = NUM_TRAIN_TIMESTEPS,
        use_timestep_transform: bool = True,
        transform_scale: float = 1.0,
        init_noise_sigma: float = 1.0,
        solver_order: int = 1,
    ) -> None:
        if num_train_timesteps != NUM_TRAIN_TIMESTEPS:
            raise ValueError(
                f"Rectified flow is built on {NUM_TRAIN_TIMESTEPS} timesteps, not {num_train_timesteps}."
            )
        if not 0 < init_noise_sigma < float("inf"):
            raise ValueError(f"init_noise_sigma must be a number above 0, not {init_noise_sigma}.")
        if solver_order not in SOLVER_ORDERS:
            raise ValueError(f"solver_order must be one of {SOLVER_ORDERS}, not {solver_order}.")
        self.init_noise_sigma = init_noise_sigma  # an attribute, as diffusers' schedulers have it
        self.timesteps = uniform_timesteps(30)
        self._last: Tensor | None = None  # the velocity of the step before

    def ratio(
        self, height: Tensor | float, width: Tensor | float, num_latent_frames: Tensor | float
    ) -> Tensor:
        """The bend for videos of this size: pixels, and the true number of latent frames."""
        if not self.config["use_timestep_transform"]:
            return torch.ones(())
        return time_ratio(height, width, num_latent_frames, self.config["transform_scale"])

    def set_timesteps(
        self,
        num_inference_steps: int,
        height: Tensor | float,
        width: Tensor | float,
        num_latent_frames: Tensor | float,
        device: torch.device | str | None = None,
    ) -> None:
        """Set `timesteps` [num_inference_steps], falling from 1000. Raises ValueError for no step at all."""
        if num_inference_steps < 1:
            raise ValueError(f"Sampling takes at least one step, not {num_inference_steps}.")
        ratio = self.ratio(height, width, num_latent_frames)
        self.timesteps = transform_timesteps(uniform_timesteps(num_inference_steps), ratio.cpu()).to(device)
        self._last = None

    def step(
        self, model_output: Tensor, timestep: Tensor | float, sample: Tensor, return_dict: bool = True
    ) -> RectifiedFlowSchedulerOutput | tuple[Tensor]:
        """One step from `timestep` (one of `timesteps`, in order) to the next; the last one ends at 0."""
        now = torch.as_tensor(timestep, dtype=torch.float32, device=self.timesteps.device).reshape(-1)[0]
        times = torch.cat([self.timesteps, self.timesteps.new_zeros(1)])
        i = int((self.timesteps - now).abs().argmin())
        along = model_output
        if self.config["solver_order"] == 2 and i > 0 and self._last is not None:
            along = extrapolated_velocity(model_output, self._last, times[i - 1], times[i], times[i + 1])
        previous, self._last = euler_step(sample, along, times[i], times[i + 1]), model_output
        return RectifiedFlowSchedulerOutput(prev_sample=previous) if return_dict else (previous,)

    def add_noise(self, original_samples: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """x_t of clean latents."""
        return add_noise(original_samples, noise, timesteps)
