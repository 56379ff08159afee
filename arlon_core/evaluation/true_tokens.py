"""Tokens of the true film in place of the token transformer's own: what the diffusion can do at its best.

They are put into a project under the names that the render will look for, so the render finds its tokens made
and goes on from there; the engine has no second path for this. Such a project serves this use alone.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from arlon_core.evaluation.held_out import HeldOutStory
from arlon_core.generation.plan import frames_of_latents, latent_border
from arlon_core.generation.request import make_request, token_names
from arlon_core.models.video_vae import encode_frames
from arlon_core.store import Store
from arlon_core.world.renderer import StoryworldRenderer

if TYPE_CHECKING:
    from arlon_core.pipeline import ArlonPipeline


def keep_true_tokens(pipe: ArlonPipeline, held: HeldOutStory, project: Path) -> None:
    """Put the true film's tokens into the project of a story. Raises ArlonError."""
    pipe.require("vae", "latent_vqvae", "token_transformer")
    request = make_request(pipe, held.story)
    store = Store(project)
    blocks = list(zip(request.plan.blocks, token_names(pipe, request), strict=True))
    if all(store.get("tokens", name) is not None for _, name in blocks):
        return
    codes = true_tokens(pipe, held)
    for block, name in blocks:
        store.put("tokens", name, {"tokens": codes[block.start : block.stop].int().numpy()})


@torch.no_grad()
def true_tokens(pipe: ArlonPipeline, held: HeldOutStory) -> Tensor:
    """Fine tokens (latent frames, S) of the film that the script draws, int64 on the CPU."""
    config, device = pipe.config, pipe.working_device
    renderer = StoryworldRenderer(config.height, config.width, device=device)
    # As many frames as the latents decode to: a film's tail may be trimmed.
    whole = replace(held.script, frames=frames_of_latents(latent_border(held.script.frames)))
    frames = renderer.render([whole]).frames.transpose(1, 2)
    latents = encode_frames(pipe.vae, frames)
    return pipe.latent_vqvae.encode(latents.to(pipe.latent_vqvae.device))[0].flatten(1).long().cpu()
