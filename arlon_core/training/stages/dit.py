"""Stage `dit`: the diffusion transformer with semantic injection, on chunks as the renderer asks for them.

A batch holds chunks of one length T: o clean latent frames of overlap, then T - o new ones in one segment,
under that segment's text. The condition F comes from the coarse VQ-VAE (paper section 3.4), in part from the
fine one, whose tokens drive rendering, and towards the end in part from tokens that the token transformer
draws itself; it is dropped in some examples, so that the same network also renders without F and both can be
compared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from arlon_core.media.contact_sheet import contact_sheet
from arlon_core.models.latent_vqvae import LatentVQVAE
from arlon_core.models.rectified_flow import RectifiedFlowScheduler, sample, training_loss
from arlon_core.models.stdit import STDiT3
from arlon_core.models.video_vae import decode_normalised
from arlon_core.training.components import load_frozen
from arlon_core.training.config import TrainConfig
from arlon_core.training.episodes import EpisodeGroup, EpisodeSegment, EpisodeSource
from arlon_core.training.pictures import to_pictures
from arlon_core.training.stage import Setting
from arlon_core.training.stages.latents import LatentStage
from arlon_core.training.teacher_forcing import TeacherForcing
from arlon_core.training.texts import FrozenText

# Our choices.
_WHOLE_CHUNK_SHARE = 0.6  # of the steps: the length of an ordinary chunk
_FIRST_CHUNK_SHARE = 0.15  # the length of a film's first chunk; the rest: any shorter length
_NO_OVERLAP_SHARE = 0.25
_BORDER_SHARE = 0.35  # of the examples begin right at a segment border, where the change happens
_FINE_SHARE = 0.5  # of the examples take F from the fine VQ-VAE
_OWN_SHARE = 0.5  # of the examples take it from the token transformer's own tokens instead ...
_OWN_FROM = 0.8  # ... once this part of the run is done
_DROP_SHARE = 0.12  # of the examples have no F
_SUBJECT_WEIGHT = 2.0
_OVERLAP_NOISE = 0.1  # at most, on the clean latents, for in use they are the model's own


@dataclass(frozen=True)
class ChunkExample:
    """Where a training chunk lies: new latents [start, stop) of an episode, and the clean ones before."""

    group: int
    place: int
    start: int
    stop: int
    overlap: int
    text: str


@dataclass(frozen=True)
class ChunkBatch:
    """B chunks of T latent frames."""

    latents: Tensor  # (B, C, T, h, w)
    new: Tensor  # (B, T) bool: False on the clean overlap
    weights: Tensor  # (B, T, h, w)
    inputs: dict[str, Any]  # what else the transformer reads


class DiTStage(LatentStage):
    """Trains STDiT3 with semantic injection from scratch."""

    component = "transformer"

    def __init__(self, config: TrainConfig, setting: Setting, source: EpisodeSource) -> None:
        super().__init__(config, setting, source)
        preset = config.preset
        self.model = STDiT3(**preset.transformer)
        self.text = FrozenText(setting.components, setting.device, preset.transformer["model_max_length"])
        self.coarse: LatentVQVAE = self._vqvae("latent_vqvae_coarse")
        self.fine: LatentVQVAE = self._vqvae("latent_vqvae")
        self.scheduler = RectifiedFlowScheduler()
        self.teacher_forcing = TeacherForcing.load(setting.components, self.fine, self.text, setting.device)
        self._conditions: dict[int, tuple[Tensor, Tensor]] = {}
        self._own_conditions: dict[int, Tensor] = {}

    def _vqvae(self, name: str) -> LatentVQVAE:
        return load_frozen(LatentVQVAE, self.setting.components / name, self.setting.device)

    # -- training ---------------------------------------------------------------------------------------

    def batch(self, step: int) -> ChunkBatch:
        """Random chunks of one length."""
        generator = self.generator(step)
        length = self._length(self.shared_generator(step))
        chunks = [self._draw(generator, length) for _ in range(self.config.batch_size)]
        latents, subject, coarse = self._tensors(chunks, generator)
        kept = torch.rand(len(chunks), generator=generator).to(latents.device) >= _DROP_SHARE
        new = torch.tensor(
            [[i >= chunk.overlap for i in range(length)] for chunk in chunks], device=latents.device
        )
        inputs = self._inputs([chunk.text for chunk in chunks]) | {
            "coarse_latents": coarse,
            "coarse_mask": kept,
        }
        return ChunkBatch(latents, new, 1 + _SUBJECT_WEIGHT * subject, inputs)

    def loss(self, model: nn.Module, batch: ChunkBatch) -> dict[str, Tensor]:
        loss = self._flow_loss(
            model,
            batch.latents,
            batch.inputs,
            x_mask=batch.new,
            weights=batch.weights,
            overlap_noise=_OVERLAP_NOISE,
        )
        return {"loss": loss}

    def _flow_loss(
        self, model: Callable[..., Tensor], latents: Tensor, inputs: dict[str, Any], **options: Any
    ) -> Tensor:
        preset = self.config.preset
        return training_loss(model, latents, inputs, height=preset.height, width=preset.width, **options)

    def _inputs(self, texts: list[str]) -> dict[str, Any]:
        """Keyword arguments of the transformer beside x, timestep, x_mask and the condition."""
        states, mask = self.text(texts)
        preset = self.config.preset
        return {
            "y": states[:, None],
            "mask": mask,
            "fps": float(preset.fps),
            "height": float(preset.height),
            "width": float(preset.width),
        }

    def _length(self, generator: torch.Generator) -> int:
        """Latent frames of this step's chunks, the same in every process."""
        draw = float(torch.rand((), generator=generator))
        preset = self.config.preset
        whole = preset.overlap + preset.max_new
        if draw < _WHOLE_CHUNK_SHARE:
            return whole
        if draw < _WHOLE_CHUNK_SHARE + _FIRST_CHUNK_SHARE:
            return preset.max_new
        return int(torch.randint(1, whole, (), generator=generator))

    def _draw(self, generator: torch.Generator, length: int) -> ChunkExample:
        """One random chunk of `length` latent frames whose new part lies inside one segment."""
        preset = self.config.preset
        least, most = max(0, length - preset.max_new), min(preset.overlap, length - 1)
        while True:
            (index, place), *_ = self.pool.pick(generator, 1)
            draws = torch.rand(4, generator=generator).tolist()
            overlap = least if draws[0] < _NO_OVERLAP_SHARE else most
            if draws[0] > 0.8:
                overlap = least + int(draws[1] * (most - least + 1))
            new = length - overlap
            fitting = self._places(self.source.group(index).segments[place], new, overlap)
            if fitting:
                segment, first, last = fitting[int(draws[2] * len(fitting))]
                # 0 for those that begin at the border, uniform for the others
                along = max(0.0, draws[3] - _BORDER_SHARE) / (1 - _BORDER_SHARE)
                start = first + int(along * (last - first + 1))
                return ChunkExample(index, place, start, start + new, overlap, segment.text)

    @staticmethod
    def _places(
        segments: tuple[EpisodeSegment, ...], new: int, overlap: int
    ) -> list[tuple[EpisodeSegment, int, int]]:
        """Segments that can hold the new part, with the first and last place where it may start."""
        spans = [(segment, max(segment.start, overlap), segment.stop - new) for segment in segments]
        return [span for span in spans if span[1] <= span[2]]

    def _tensors(
        self, chunks: list[ChunkExample], generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Latents (B, C, T, h, w), subject cover (B, T, h, w) and condition F (B, C, T, h, w)."""
        latents, subject, coarse = [], [], []
        fine = (torch.rand(len(chunks), generator=generator) < _FINE_SHARE).tolist()
        own = (torch.rand(len(chunks), generator=generator) < self._own_share()).tolist()
        for chunk, use_fine, use_own in zip(chunks, fine, own, strict=True):
            window = slice(chunk.start - chunk.overlap, chunk.stop)
            group = self.source.group(chunk.group)
            latents.append(group.latents[chunk.place, :, window])
            subject.append(group.subject[chunk.place, window])
            condition = self._condition(chunk.group, fine=use_fine, own=use_own)
            coarse.append(condition[chunk.place, :, window])
        return torch.stack(latents).float(), torch.stack(subject).float(), torch.stack(coarse).float()

    def _own_share(self) -> float:
        """Share of the examples that take F from the token transformer's own tokens by now."""
        ready = self.teacher_forcing is not None and self.progress >= _OWN_FROM
        return _OWN_SHARE if ready else 0.0

    def _condition(self, index: int, *, fine: bool, own: bool) -> Tensor:
        """F of a whole group of episodes, of one kind; kept while the group is in the pool."""
        if own:
            return self.cached(self._own_conditions, index, self._own_condition)
        return self.cached(self._conditions, index, self._encode_conditions)[int(fine)]

    def _own_condition(self, group: EpisodeGroup) -> Tensor:
        assert self.teacher_forcing is not None, "its share is 0"
        return self.teacher_forcing.coarse_latents(group).to(group.latents.dtype)

    @torch.no_grad()
    def _encode_conditions(self, group: EpisodeGroup) -> tuple[Tensor, Tensor]:
        latents = group.latents.float()
        coarse, fine = (vqvae.decode(vqvae.encode(latents)) for vqvae in (self.coarse, self.fine))
        return coarse.to(group.latents.dtype), fine.to(group.latents.dtype)

    # -- evaluation -------------------------------------------------------------------------------------

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Held-out loss of first chunks, with F from the fine tokens and without F."""
        chunks, latents, coarse = self._held_out_chunks(self.config.held_out_episodes)
        inputs = self._inputs([chunk.text for chunk in chunks])
        losses: dict[str, float] = {}
        for name, condition in (("loss_with_f", coarse), ("loss_without_f", None)):
            torch.manual_seed(0)  # the same noise at every evaluation, so that curves are comparable
            losses[name] = self._flow_loss(
                model.forward, latents, inputs | {"coarse_latents": condition}
            ).item()
        return losses

    def _held_out_chunks(self, count: int) -> tuple[list[ChunkExample], Tensor, Tensor]:
        """First chunks of held-out episodes, as many as are long enough."""
        length = self.config.preset.max_new
        group = self.held_out
        kept = [i for i, segments in enumerate(group.segments) if segments[0].stop >= length][:count]
        chunks = [ChunkExample(-1, i, 0, length, 0, group.segments[i][0].text) for i in kept]
        latents = group.latents[kept, :, :length].float()
        fine = self.fine.decode(self.fine.encode(latents))
        return chunks, latents, fine

    def sample(self, model: nn.Module) -> Image.Image:
        """Held-out first chunks: true, F alone, 8 steps with F, 30 steps without F."""
        assert self.source.vae is not None
        chunks, latents, coarse = self._held_out_chunks(6)
        with_f = self._generate(model, chunks, coarse, 8)
        without_f = self._generate(model, chunks, None, 30)
        columns = [
            to_pictures_of(decode_normalised(self.source.vae, x))
            for x in (latents, coarse, with_f, without_f)
        ]
        rows = [[picture for column in columns for picture in column[i]] for i in range(len(chunks))]
        return contact_sheet(rows, row_titles=[chunk.text for chunk in chunks])

    def _generate(
        self, model: nn.Module, chunks: list[ChunkExample], coarse: Tensor | None, steps: int
    ) -> Tensor:
        """Latents of whole new chunks, without guidance."""
        preset = self.config.preset
        shape = (len(chunks), preset.vae["z_dim"], preset.max_new, preset.latent_height, preset.latent_width)
        noise = torch.randn(shape, generator=torch.Generator().manual_seed(self.config.seed))
        self.scheduler.set_timesteps(steps, preset.height, preset.width, preset.max_new, self.setting.device)
        inputs = self._inputs([chunk.text for chunk in chunks])

        def velocity(latents: Tensor, timestep: Tensor, x_mask: Tensor | None) -> Tensor:
            return model.forward(latents, timestep, coarse_latents=coarse, **inputs)

        return sample(velocity, noise.to(self.setting.device), self.scheduler.timesteps)


def to_pictures_of(clips: Tensor) -> list[list]:
    """First, middle and last picture of each clip (B, 3, F, H, W)."""
    return [list(to_pictures(clip[:, [0, clip.shape[1] // 2, -1]])) for clip in clips]
