"""Stage `vae`: the causal video autoencoder, on clips cut from fresh episodes.

Loss (our choice): L1 + edges (L1 of image gradients) + MSE + KL, with the renderer's own subject
masks as weights, because subjects are small and are what people look at.
"""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import AutoencoderKLWan
from PIL import Image
from torch import Tensor, nn

from arlon_core.media.contact_sheet import contact_sheet
from arlon_core.models.folders import save_component
from arlon_core.models.memory_layout import lay_channels_last
from arlon_core.models.video_vae import build_video_vae, decode_latents, encode_moments
from arlon_core.training.config import TrainConfig
from arlon_core.training.episodes import EpisodeSource, training_seed
from arlon_core.training.pictures import to_pictures
from arlon_core.training.stage import Setting, Stage
from arlon_core.world.script import HELD_OUT, sample_script

# Video frames. A model trained on 17 frames always had the padding of the clip's start in view; later in a
# film, where there is none, its colours drifted (docs/experiments.md).
_CLIP = 65
_SUBJECT_WEIGHT = 3.0  # 6 as long as subjects were smaller
_KL_WEIGHT = 2e-4
_EDGE_WEIGHT = 0.5
_MSE_WEIGHT = 8.0


class Autoencoding(nn.Module):
    """Encode and decode in one forward, so that a data-parallel wrapper and the compiler see all of it."""

    def __init__(self, vae: AutoencoderKLWan) -> None:
        super().__init__()
        self.vae = vae

    def forward(self, frames: Tensor, sample: bool = True) -> tuple[Tensor, Tensor]:
        """Frames (B, 3, F, H, W) in [-1, 1] -> decoded frames and the KL divergence, a mean over elements."""
        whole = frames.shape[2]  # one piece: a graph that does not grow with the clip
        mean, logvar = encode_moments(self.vae, frames, piece=whole)
        logvar = logvar.float().clamp(-30, 20)
        kl = 0.5 * (mean.float().square() + logvar.exp() - 1 - logvar).mean()
        latents = mean + (0.5 * logvar).exp().to(mean.dtype) * torch.randn_like(mean) if sample else mean
        return decode_latents(self.vae, latents, piece=whole), kl


class VAEStage(Stage):
    """Trains AutoencoderKLWan on clips that are longer than what most of its convolutions look back on."""

    component = "vae"

    def __init__(self, config: TrainConfig, setting: Setting, source: EpisodeSource) -> None:
        super().__init__(config, setting, source)
        preset = config.preset
        self.model = Autoencoding(lay_channels_last(build_video_vae(**preset.vae)))
        self._clip = min(_CLIP, source.frames)
        self._count = config.held_out_episodes
        if config.decoder_only:
            for part in (self.model.vae.encoder, self.model.vae.quant_conv):
                part.requires_grad_(False)

    def load_weights(self, folder: Path) -> None:
        """As in `Stage`; and the statistics of the latents, which stay when the encoder does."""
        super().load_weights(folder)
        config = AutoencoderKLWan.load_config(folder)
        vae = self.exported(self.model)
        vae.register_to_config(**{key: config[key] for key in ("latents_mean", "latents_std")})

    # -- training ---------------------------------------------------------------------------------------

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Clips (B, 3, F, H, W) in [-1, 1], and weights (B, 1, F, H, W) of mean one."""
        count, length = self.config.batch_size, self.source.frames
        seeds = [training_seed(self.config.seed, self.setting.rank, step * count + i) for i in range(count)]
        starts = torch.randint(0, length - self._clip + 1, (count,), generator=self.generator(step)).tolist()
        drawn = self.source.renderer.render(
            [sample_script(seed, length) for seed in seeds], starts, self._clip
        )
        weights = 1 + _SUBJECT_WEIGHT * drawn.subject_mask[:, None].float() / 255
        return drawn.frames.transpose(1, 2).float() / 127.5 - 1, weights / weights.mean()

    def loss(self, model: nn.Module, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        frames, weights = batch
        decoded, kl = model(frames)
        difference = decoded.float() - frames
        l1 = (weights * difference.abs()).mean()
        mse = (weights * difference.square()).mean()
        edges = (weights[..., 1:] * difference.diff(dim=-1).abs()).mean()
        edges = edges + (weights[..., 1:, :] * difference.diff(dim=-2).abs()).mean()
        total = l1 + _EDGE_WEIGHT * edges + _MSE_WEIGHT * mse + _KL_WEIGHT * kl
        return {"loss": total, "l1": l1, "mse": mse, "kl": kl}

    # -- evaluation -------------------------------------------------------------------------------------

    def _held_out(self, count: int) -> tuple[Tensor, Tensor]:
        length = self.source.frames
        scripts = [sample_script(HELD_OUT + i, length) for i in range(count)]
        starts = [(i * 29) % (length - self._clip + 1) for i in range(count)]
        drawn = self.source.renderer.render(scripts, starts, self._clip)
        return drawn.frames.transpose(1, 2).float() / 127.5 - 1, drawn.subject_mask

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """PSNR in dB, means over frames: of whole clips, of their last quarter, inside subject boxes."""
        errors, boxes = [], []
        for clips, mask in zip(*(t.split(2) for t in self._held_out(self._count)), strict=True):
            decoded, _ = model.forward(clips, sample=False)
            square = (decoded.float().clamp(-1, 1) - clips).square().mean(1) / 4  # (B, F, H, W), on 0..1
            errors.append(square.mean((2, 3)))
            boxes.append(_box_errors(square, mask))
        psnr, box_psnr = -10 * torch.cat(errors).log10(), -10 * torch.cat(boxes).log10()
        return {
            "psnr": psnr.mean().item(),
            "psnr_p5": psnr.flatten().quantile(0.05).item(),
            "late_psnr": psnr[:, -(psnr.shape[1] // 4) :].mean().item(),
            "subject_psnr": box_psnr.mean().item(),
            "subject_psnr_p5": box_psnr.quantile(0.05).item(),
        }

    def sample(self, model: nn.Module) -> Image.Image:
        frames, _ = self._held_out(4)
        decoded = torch.cat([model.forward(clip, sample=False)[0].float() for clip in frames.split(1)])
        step = max(1, frames.shape[2] // 4)
        rows = [list(to_pictures(x[:, ::step])) for pair in zip(frames, decoded, strict=True) for x in pair]
        return contact_sheet(rows, [["true"], ["decoded"]] * len(frames))

    def exported(self, model: nn.Module) -> AutoencoderKLWan:
        return model.vae  # type: ignore[return-value]

    # -- export -----------------------------------------------------------------------------------------

    def export(self, model: nn.Module, folder: Path) -> None:
        vae = self.exported(model)
        if not self.config.decoder_only:
            mean, std = self._latent_statistics(vae)
            vae.register_to_config(latents_mean=mean, latents_std=std)
        save_component(vae, folder)

    @torch.no_grad()
    def _latent_statistics(self, vae: AutoencoderKLWan) -> tuple[list[float], list[float]]:
        """Mean and standard deviation of each latent channel, over held-out clips."""
        frames, _ = self._held_out(min(8, self._count))
        with torch.autocast(frames.device.type, torch.bfloat16, enabled=frames.is_cuda):
            latents = torch.cat([encode_moments(vae, clip)[0].float() for clip in frames.split(2)])
        std, mean = torch.std_mean(latents, dim=(0, 2, 3, 4))
        return mean.tolist(), std.tolist()


def _box_errors(square: Tensor, mask: Tensor) -> Tensor:
    """Mean square error inside each frame's subject box: (B, F, H, W) twice -> (number of boxes,)."""
    seen = mask > 127
    rows, columns = seen.any(3), seen.any(2)  # (B, F, H), (B, F, W)
    box = _span(rows)[..., :, None] & _span(columns)[..., None, :]
    area = box.sum((2, 3))
    error = (square * box).sum((2, 3)) / area.clamp_min(1)
    return error[area >= 64].clamp_min(1e-7)


def _span(hit: Tensor) -> Tensor:
    """Everything between the first and the last True along the last dimension."""
    after = hit.int().cummax(-1).values
    before = hit.flip(-1).int().cummax(-1).values.flip(-1)
    return (after * before).bool()
