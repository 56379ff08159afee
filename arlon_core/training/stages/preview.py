"""Stage `preview`: the tiny decoder that turns latents, true or coarse, into small pictures."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from arlon_core.media.contact_sheet import contact_sheet
from arlon_core.models.latent_vqvae import LatentVQVAE
from arlon_core.models.preview_decoder import PreviewDecoder
from arlon_core.models.video_vae import encode_frames
from arlon_core.training.components import load_frozen
from arlon_core.training.config import TrainConfig
from arlon_core.training.episodes import EpisodeSource, training_seed
from arlon_core.training.pictures import to_pictures
from arlon_core.training.stage import Setting
from arlon_core.training.stages.latents import LatentStage
from arlon_core.world.script import HELD_OUT, sample_script

_CLIP = 17  # video frames


class PreviewStage(LatentStage):
    """Half of each batch are true latents, half are what the fine VQ-VAE makes of them."""

    component = "preview_decoder"

    def __init__(self, config: TrainConfig, setting: Setting, source: EpisodeSource) -> None:
        super().__init__(config, setting, source)
        self.model = PreviewDecoder(latent_channels=config.preset.vae["z_dim"], **config.preset.preview)
        self.vqvae: LatentVQVAE = load_frozen(
            LatentVQVAE, setting.components / "latent_vqvae", setting.device
        )

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Latents (B, C, T, h, w), the second half coarse, and the pictures they should give."""
        count, length = self.config.batch_size, self.source.frames
        seeds = [training_seed(self.config.seed, self.setting.rank, step * count + i) for i in range(count)]
        last = length - _CLIP
        starts = torch.randint(0, last + 1, (count,), generator=self.generator(step)).tolist()
        return self._clips(seeds, starts)

    def loss(self, model: nn.Module, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        latents, target = batch
        decoded = model(latents).float()
        l1 = (decoded - target).abs().mean()
        edges = sum((decoded - target).diff(dim=dim).abs().mean() for dim in (-1, -2))
        return {"loss": l1 + 0.5 * edges, "l1": l1}

    @torch.no_grad()
    def _clips(self, seeds: list[int], starts: list[int]) -> tuple[Tensor, Tensor]:
        """Latents (B, C, T, h, w), the second half coarse, and small true frames (B, 3, 4T-3, H/2, W/2)."""
        assert self.source.vae is not None
        scripts = [sample_script(seed, self.source.frames) for seed in seeds]
        frames = self.source.renderer.render(scripts, starts, _CLIP).frames.transpose(1, 2)
        latents = encode_frames(self.source.vae, frames).float()
        half = len(seeds) // 2
        coarse = self.vqvae.decode(self.vqvae.encode(latents[half:])).float()
        small = F.avg_pool3d(frames.float() / 127.5 - 1, (1, 2, 2))
        return torch.cat([latents[:half], coarse]), small

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        latents, target = self._held_out_clips(self.config.held_out_episodes)
        decoded = torch.cat([model.forward(part) for part in latents.split(4)]).float().clamp(-1, 1)
        psnr = -10 * ((decoded - target).square().mean((1, 2, 3, 4)) / 4).log10()
        half = len(psnr) // 2
        return {"psnr_latents": psnr[:half].mean().item(), "psnr_coarse": psnr[half:].mean().item()}

    def _held_out_clips(self, count: int) -> tuple[Tensor, Tensor]:
        last = self.source.frames - _CLIP
        return self._clips(
            [HELD_OUT + i for i in range(count)], [(i * 29) % (last + 1) for i in range(count)]
        )

    def sample(self, model: nn.Module) -> Image.Image:
        latents, target = self._held_out_clips(8)
        decoded = model.forward(latents)
        rows = [
            list(to_pictures(clip[:, ::4])) for pair in zip(target, decoded, strict=True) for clip in pair
        ]
        return contact_sheet(rows)
