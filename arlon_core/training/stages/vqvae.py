"""Stages `vqvae` and `vqvae-coarse`: two latent VQ-VAEs on the same latents (paper section 3.1 and 3.4).

The fine one gives the tokens that the AR model learns. The coarse one feeds the DiT in training, so that the
DiT learns to forgive what the AR model gets wrong.
"""

from __future__ import annotations

import torch
from PIL import Image
from torch import Tensor, nn

from arlon_core.media.contact_sheet import contact_sheet
from arlon_core.models.latent_vqvae import LatentVQVAE
from arlon_core.models.video_vae import decode_normalised
from arlon_core.presets import Sizes
from arlon_core.training.config import TrainConfig
from arlon_core.training.episodes import EpisodeSource
from arlon_core.training.pictures import to_pictures
from arlon_core.training.stage import Setting
from arlon_core.training.stages.latents import LatentStage

_WINDOW = 8  # latent frames
# Of the windows. A film's first latent frame is like no other, for it stands for one video frame and not for
# four: seen in one window of 42, it came out poor.
_FILM_STARTS = 0.15
_SUBJECT_WEIGHT = 6.0  # subjects are a few tokens of many, and what people look at (our choice)


class VQVAEStage(LatentStage):
    """The fine latent VQ-VAE: reconstruct the latents, subjects first."""

    component = "latent_vqvae"

    def __init__(self, config: TrainConfig, setting: Setting, source: EpisodeSource) -> None:
        super().__init__(config, setting, source)
        self.model = LatentVQVAE(latent_channels=config.preset.vae["z_dim"], **self.sizes())

    def sizes(self) -> Sizes:
        """Constructor arguments of the model at this preset."""
        return self.config.preset.vqvae

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Random windows: latents (B, C, T, h, w) and how much of them the subjects cover (B, T, h, w)."""
        generator, count = self.generator(step), self.config.batch_size
        length = min(_WINDOW, self.config.pool.episode_latents)
        last = self.config.pool.episode_latents - length
        starts = torch.randint(0, last + 1, (count,), generator=generator)
        starts[torch.rand(count, generator=generator) < _FILM_STARTS] = 0
        latents, subject = [], []
        for (index, place), start in zip(self.pool.pick(generator, count), starts.tolist(), strict=True):
            group = self.source.group(index)
            latents.append(group.latents[place, :, start : start + length])
            subject.append(group.subject[place, start : start + length])
        return torch.stack(latents).float(), torch.stack(subject).float()

    def loss(self, model: nn.Module, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        latents, subject = batch
        weights = 1 + _SUBJECT_WEIGHT * subject
        weights = weights / weights.mean()
        output = model(latents, weights)
        square = (output.reconstruction.float() - latents).square().mean(1)  # (B, T, h, w)
        error = (weights * square).mean()
        return {
            "loss": error + output.commitment_loss,
            "error": error,
            "commitment": output.commitment_loss,
            "perplexity": output.perplexity,
            "usage": output.usage,
        }

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        latents, subject = self.held_out.latents.float(), self.held_out.subject.float()
        plain, weighted, first, indices = [], [], [], []
        for clip, cover in zip(latents.split(4), subject.split(4), strict=True):
            output = model.forward(clip)
            square = (output.reconstruction.float() - clip).square().mean(1)
            plain.append(square.mean())
            first.append(square[:, 0].mean())
            weighted.append((square * cover).sum() / cover.sum().clamp_min(1e-6))
            indices.append(output.indices.flatten())
        used = torch.bincount(torch.cat(indices), minlength=self.sizes()["codebook_size"]).float()
        share = used / used.sum()
        return {
            "error": torch.stack(plain).mean().item(),
            "subject_error": torch.stack(weighted).mean().item(),
            "first_frame_error": torch.stack(first).mean().item(),
            "usage": (used > 0).float().mean().item(),
            "perplexity": torch.exp(-(share * share.clamp_min(1e-12).log()).sum()).item(),
        }

    def sample(self, model: nn.Module) -> Image.Image:
        assert self.source.vae is not None
        latents = self.held_out.latents[:6, :, :_WINDOW].float()
        coarse = model.forward(latents).reconstruction
        true, drawn = (decode_normalised(self.source.vae, x) for x in (latents, coarse))
        rows = [list(to_pictures(clip[:, ::8])) for pair in zip(true, drawn, strict=True) for clip in pair]
        return contact_sheet(rows)


class CoarseVQVAEStage(VQVAEStage):
    """The coarse latent VQ-VAE: fewer tokens a frame."""

    component = "latent_vqvae_coarse"

    def sizes(self) -> Sizes:
        return self.config.preset.vqvae_coarse
