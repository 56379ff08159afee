"""The path of rectified flow between noise and data, and its time, as pure functions (Open-Sora v1.2).

Time t runs from 1000 (pure noise) to 0 (data): x_t = (1 - t/1000) x_0 + (t/1000) noise. The model predicts
the velocity v = x_0 - noise, which points at the data.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

NUM_TRAIN_TIMESTEPS = 1000
BASE_RESOLUTION = 512 * 512


def opensora_latent_frames(num_frames: int) -> int:
    """Latent frames that Open-Sora's VAE makes of a clip: 5 for each 17 frames, a remainder rounded up by
    fours.

    The reference's scheduler computes `num_frames // 17 * 5` instead, which is 0 for 2 to 16 frames: its
    schedule then starts with NaN. Equal to the reference for single images and multiples of 17.
    """
    if num_frames < 1:
        raise ValueError(f"A clip has at least one frame, not {num_frames}.")
    groups, rest = divmod(num_frames, 17)
    return groups * 5 + -(-rest // 4)


def time_ratio(
    height: Tensor | float, width: Tensor | float, num_latent_frames: Tensor | float, scale: float = 1.0
) -> Tensor:
    """Stretch of the schedule towards noise: sqrt(H W / 512^2) * sqrt(latent frames) * scale, H and W in
    pixels.

    Tensors are computed with in their own dtype, since the reference's bfloat16 sizes round the result.
    """
    height, width, frames = (
        x if isinstance(x, Tensor) else torch.tensor(float(x)) for x in (height, width, num_latent_frames)
    )
    return (height * width / BASE_RESOLUTION).sqrt() * frames.sqrt() * scale


def transform_timesteps(timesteps: Tensor, ratio: Tensor | float) -> Tensor:
    """Bend timesteps in 0..1000 towards noise, ends kept: u -> r u / (1 + (r - 1) u), u = t / 1000."""
    u = timesteps / NUM_TRAIN_TIMESTEPS
    return ratio * u / (1 + (ratio - 1) * u) * NUM_TRAIN_TIMESTEPS


def uniform_timesteps(num_inference_steps: int, device: torch.device | str | None = None) -> Tensor:
    """[num_inference_steps] float32 timesteps (1 - i/N) * 1000; the end, 0, is not among them."""
    steps = [(1.0 - i / num_inference_steps) * NUM_TRAIN_TIMESTEPS for i in range(num_inference_steps)]
    return torch.tensor(steps, dtype=torch.float32, device=device)


def sample_timesteps(
    batch: int,
    ratio: Tensor | float = 1.0,
    method: Literal["uniform", "logit-normal"] = "logit-normal",
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    """[batch] training timesteps: uniform or the sigmoid of a normal number, then bent by `ratio`."""
    if method == "uniform":
        u = torch.rand(batch, generator=generator, device=device)
    elif method == "logit-normal":
        u = torch.randn(batch, generator=generator, device=device).sigmoid()
    else:
        raise ValueError(f"Timesteps are sampled 'uniform' or 'logit-normal', not {method!r}.")
    return transform_timesteps(u * NUM_TRAIN_TIMESTEPS, ratio)


def _for_samples(timesteps: Tensor, latents: Tensor) -> Tensor:
    return timesteps.to(latents.device, torch.float32).reshape(-1, *([1] * (latents.ndim - 1)))


def add_noise(latents: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
    """x_t of clean latents [B, ...] at timesteps [B] (or one for all)."""
    u = _for_samples(timesteps, latents) / NUM_TRAIN_TIMESTEPS
    return ((1 - u) * latents + u * noise).to(latents.dtype)


def velocity_target(latents: Tensor, noise: Tensor) -> Tensor:
    """What the model learns to predict: v = x_0 - noise."""
    return latents - noise


def euler_step(latents: Tensor, velocity: Tensor, timestep: Tensor, next_timestep: Tensor) -> Tensor:
    """Move latents along the velocity from one timestep to the next (smaller) one."""
    return latents + velocity * (_for_samples(timestep - next_timestep, latents) / NUM_TRAIN_TIMESTEPS)


def extrapolated_velocity(
    velocity: Tensor,
    before: Tensor,
    timestep_before: Tensor,
    timestep: Tensor,
    next_timestep: Tensor,
) -> Tensor:
    """The velocity half way to the next timestep, by the line through this one's and the last one's.

    An Euler step along it is one of Adams and Bashforth's of order two: it costs nothing more, and its error
    falls with the square of the step (our choice; the reference takes Euler steps).
    """
    ahead = (timestep - next_timestep) / (2 * (timestep_before - timestep))
    return velocity + _for_samples(ahead, velocity) * (velocity - before)


def classifier_free_guidance(conditional: Tensor, unconditional: Tensor, guidance_scale: float) -> Tensor:
    """v_u + s (v_c - v_u), on all channels."""
    return unconditional + guidance_scale * (conditional - unconditional)
