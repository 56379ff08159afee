"""Stage `preview`: latents or coarse latents F, and the segment's text, to small pictures."""

from __future__ import annotations

from dataclasses import dataclass, fields

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
from arlon_core.training.episodes import (
    EpisodeSource,
    episode_segments,
    training_episode,
    training_seed,
)
from arlon_core.training.pictures import to_pictures
from arlon_core.training.stage import Setting
from arlon_core.training.stages.latents import LatentStage
from arlon_core.training.texts import FrozenText
from arlon_core.world.script import HELD_OUT

_CLIP = 17  # video frames, all of one segment
_LOOKS = 3  # steps that a clip is learned from: drawing and encoding it takes longer than learning from it
# Subjects cover a few pixels of a hundred, and are what the text is needed for: F hardly shows them.
_SUBJECT_WEIGHT = 12.0


@dataclass(frozen=True)
class PreviewBatch:
    """B clips; of those made together the latents of the second half are coarse."""

    latents: Tensor  # (B, C, T, h, w)
    states: Tensor  # (B, L, D), of the text of the clip's segment
    mask: Tensor  # (B, L)
    pictures: Tensor  # true frames at half size (B, 3, 4T-3, H/2, W/2) in [-1, 1]
    subject: Tensor  # (B, 1, 4T-3, H/2, W/2), how much of a pixel the subjects cover, 0..1


class PreviewStage(LatentStage):
    """Half of each batch are true latents, half are what the fine VQ-VAE makes of them."""

    component = "preview_decoder"

    def __init__(self, config: TrainConfig, setting: Setting, source: EpisodeSource) -> None:
        super().__init__(config, setting, source)
        preset = config.preset
        self.model = PreviewDecoder(
            latent_channels=preset.vae["z_dim"], text_dim=preset.text_encoder["d_model"], **preset.preview
        )
        self.vqvae: LatentVQVAE = load_frozen(
            LatentVQVAE, setting.components / "latent_vqvae", setting.device
        )
        self.text = FrozenText(setting.components, setting.device, preset.transformer["model_max_length"])
        self._made: dict[int, PreviewBatch] = {}  # by the step that they were made for

    def batch(self, step: int) -> PreviewBatch:
        """`batch_size` fresh clips, and those of the steps before that are still learned from."""
        steps = range(max(0, step - _LOOKS + 1), step + 1)
        self._made = {made: self._made.get(made) or self._fresh(made) for made in steps}
        return _joined(list(self._made.values()))

    def _fresh(self, step: int) -> PreviewBatch:
        count = self.config.batch_size
        seeds = [training_seed(self.config.seed, self.setting.rank, step * count + i) for i in range(count)]
        return self._clips(seeds, torch.rand(count, 2, generator=self.generator(step)).tolist())

    def loss(self, model: nn.Module, batch: PreviewBatch) -> dict[str, Tensor]:
        difference = model(batch.latents, batch.states, batch.mask).float() - batch.pictures
        weights = 1 + _SUBJECT_WEIGHT * batch.subject
        weights = weights / weights.mean()
        edges = (
            weights.narrow(dim, 1, weights.shape[dim] - 1) * difference.diff(dim=dim).abs()
            for dim in (-1, -2)
        )
        loss = (weights * difference.abs()).mean() + 0.5 * sum(each.mean() for each in edges)
        return {"loss": loss, "l1": difference.abs().mean()}

    @torch.no_grad()
    def _clips(self, seeds: list[int], places: list[list[float]]) -> PreviewBatch:
        """A clip of each seed's episode. places: two numbers in [0, 1) a clip, for its segment and start."""
        assert self.source.vae is not None
        scripts = [training_episode(seed, self.source.frames) for seed in seeds]
        starts, texts = [], []
        for script, (which, where) in zip(scripts, places, strict=True):
            number = int(which * len(script.segments))
            segment = script.segments[number]
            last = max(segment.start_frame, segment.stop_frame - _CLIP)
            starts.append(segment.start_frame + int(where * (last - segment.start_frame + 1)))
            texts.append(episode_segments(script)[number].text)
        drawn = self.source.renderer.render(scripts, starts, _CLIP)
        frames = drawn.frames.transpose(1, 2)
        half = len(seeds) // 2
        with torch.autocast(frames.device.type, enabled=False):  # as compiled: evaluation switches it on
            latents = encode_frames(self.source.vae, frames)
            coarse = self.vqvae.decode(self.vqvae.encode(latents[half:]))
        small = F.avg_pool3d(frames.float() / 127.5 - 1, (1, 2, 2))
        subject = F.avg_pool2d(drawn.subject_mask.float() / 255, 2)[:, None]
        return PreviewBatch(torch.cat([latents[:half], coarse]), *self.text(texts), small, subject)

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """PSNR in dB, of pages and of subjects, from true and from coarse latents; and from coarse ones with
        another clip's text.
        """
        clips = self._held_out_clips(self.config.held_out_episodes)
        half = len(clips.latents) // 2
        told = _Psnr.of(model, clips, clips.states, clips.mask)
        mixed = _Psnr.of(model, clips, clips.states.roll(1, 0), clips.mask.roll(1, 0))
        return {
            "psnr_latents": told.page[:half].mean().item(),
            "psnr_coarse": told.page[half:].mean().item(),
            "psnr_coarse_mistold": mixed.page[half:].mean().item(),
            "subject_latents": told.subject[:half].nanmean().item(),
            "subject_coarse": told.subject[half:].nanmean().item(),
            "subject_coarse_mistold": mixed.subject[half:].nanmean().item(),
        }

    def _held_out_clips(self, count: int) -> PreviewBatch:
        places = torch.rand(count, 2, generator=torch.Generator().manual_seed(0)).tolist()
        return self._clips([HELD_OUT + i for i in range(count)], places)

    def sample(self, model: nn.Module) -> Image.Image:
        clips = self._held_out_clips(8)
        decoded = model.forward(clips.latents, clips.states, clips.mask)
        rows = [
            list(to_pictures(clip[:, ::4]))
            for pair in zip(clips.pictures, decoded, strict=True)
            for clip in pair
        ]
        return contact_sheet(rows)


def _joined(parts: list[PreviewBatch]) -> PreviewBatch:
    """One batch of all clips, in order."""
    return PreviewBatch(
        *(torch.cat([getattr(part, each.name) for part in parts]) for each in fields(PreviewBatch))
    )


@dataclass(frozen=True)
class _Psnr:
    """In dB, of each clip (B,): of its pages, and of its subjects alone (nan where a clip shows none)."""

    page: Tensor
    subject: Tensor

    @classmethod
    def of(cls, model: nn.Module, clips: PreviewBatch, states: Tensor, mask: Tensor) -> _Psnr:
        """Under the texts given."""
        parts = zip(*(each.split(4) for each in (clips.latents, states, mask)), strict=True)
        decoded = torch.cat([model.forward(*part) for part in parts]).float().clamp(-1, 1)
        square = (decoded - clips.pictures).square().mean(1, keepdim=True) / 4
        around = (1, 2, 3, 4)
        subject = (square * clips.subject).sum(around) / clips.subject.sum(around)
        return cls(-10 * square.mean(around).log10(), -10 * subject.log10())
