"""Stage `dit` and its like: the diffusion transformer on chunks as the renderer asks for them.

A batch holds chunks of one length T: o clean latent frames of overlap, then T - o new ones in one segment,
under that segment's text. The shorter they are, the more there are of them, so that every step has as many
latent frames (as in Open-Sora's buckets): most of what a text says shows in a single frame, and short chunks
show many texts for the price of one long one.

F is dropped in some examples, so that the same network also renders without F and both can be compared. What
sets the arms of the experiments apart is in `training.arms`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from PIL import Image
from torch import Tensor, nn

from arlon_core.errors import ModelError
from arlon_core.media.contact_sheet import contact_sheet
from arlon_core.models.compiling import any_length
from arlon_core.models.rectified_flow import (
    RectifiedFlowScheduler,
    guided_velocity,
    sample,
    training_loss,
)
from arlon_core.models.stdit import STDiT3
from arlon_core.models.video_vae import decode_normalised
from arlon_core.training.arms import DIT_ARMS, stage_of
from arlon_core.training.config import TrainConfig
from arlon_core.training.episodes import EpisodeSegment, EpisodeSource
from arlon_core.training.pictures import to_pictures
from arlon_core.training.stage import Setting
from arlon_core.training.stages.conditions import CoarseConditions
from arlon_core.training.stages.latents import LatentStage
from arlon_core.training.texts import FrozenText

logger = logging.getLogger(__name__)

# Our choices.
_WHOLE_CHUNK_SHARE = 0.5  # of the steps: the length of an ordinary chunk
_FIRST_CHUNK_SHARE = 0.15  # the length of a film's first chunk; the rest: any shorter length
_NO_OVERLAP_SHARE = 0.25
_FILM_START_SHARE = 0.8  # of those without overlap begin a film, as all of them do in use
_BORDER_SHARE = 0.35  # of the examples begin right at a segment border, where the change happens
_FINE_SHARE = 0.5  # of the examples take F from the fine VQ-VAE, the others from the coarse one
_OWN_SHARE = 0.5  # of the examples take it from the token transformer's own tokens instead ...
_OWN_FROM = 0.5  # ... once this part of the run is done
_DROP_SHARE = 0.2  # of the examples have no F: there the text is all there is, and is learned
# Without such a weight the text is hardly read (docs/experiments.md). 12 as long as subjects were
# smaller; they are drawn well now, and trees and houses behind them smear.
_SUBJECT_WEIGHT = 6.0
# Open-Sora draws logit-normal ones, of which one in a thousand lies above 980 here. But sampling begins at
# 1000, and with few steps the first one is a large part of the way.
_TIMESTEPS: Literal["uniform", "logit-normal"] = "uniform"
# At 1000, without F, a model's error was above that of a constant guess. Why, we think: a little below 1000 a
# chunk's colours can still be read off the averages of its noise, and it believes them at 1000 too.
_PURE_NOISE_SHARE = 0.05
_HELD_OUT_GROUP = -1
OVERLAP_NOISE = 0.1  # at most, on the clean latents, for in use they are the model's own


@dataclass(frozen=True)
class ChunkExample:
    """Where a training chunk lies: new latents [start, stop) of an episode, and the clean ones before."""

    group: int  # its number in the pool, or _HELD_OUT_GROUP
    place: int
    start: int
    stop: int
    overlap: int
    text: str

    @property
    def window(self) -> slice:
        """Its latent frames in the episode, those of the overlap included."""
        return slice(self.start - self.overlap, self.stop)


@dataclass(frozen=True)
class ChunkBatch:
    """B chunks of T latent frames."""

    latents: Tensor  # (B, C, T, h, w)
    new: Tensor  # (B, T) bool: False on the clean overlap
    weights: Tensor  # (B, T, h, w)
    inputs: dict[str, Any]  # what else the transformer reads


class DiTStage(LatentStage):
    """Trains STDiT3 the way of one arm, from the arm's starting weights or from scratch.

    Raises ModelError when weights to start from are missing.
    """

    model: STDiT3

    def __init__(self, config: TrainConfig, setting: Setting, source: EpisodeSource) -> None:
        super().__init__(config, setting, source)
        preset = config.preset
        self.arm = DIT_ARMS[config.stage]
        self.component = self.arm.component
        self.model = STDiT3(**self.arm.transformer(preset.transformer))
        self._start()
        self.text = FrozenText(setting.components, setting.device, preset.transformer["model_max_length"])
        self.scheduler = RectifiedFlowScheduler()
        self.conditions: CoarseConditions | None = None
        if self.arm.use_coarse:
            self.conditions = CoarseConditions(setting, self.pool, self.text)

    def _start(self) -> None:
        if self.arm.starts_from is None:
            return
        folder = self.setting.components / self.arm.starts_from
        if folder.is_dir():
            self.load_weights(folder)
        elif self.arm.needs_start:
            raise ModelError(
                f"{folder} is not there, and {self.config.stage} starts from it; "
                f"train {stage_of(self.arm.starts_from)} first."
            )
        else:
            logger.warning("%s is not there, so %s starts from scratch.", folder, self.config.stage)

    # -- training ---------------------------------------------------------------------------------------

    def batch(self, step: int) -> ChunkBatch:
        """Random chunks of one length: `batch_size` whole ones, or as many frames in more of shorter ones."""
        generator = self.generator(step)
        length = self._length(self.shared_generator(step))
        count = self.config.batch_size * self._whole // length
        chunks = [self._draw(generator, length) for _ in range(count)]
        latents, subject = self._tensors(chunks)
        new = torch.tensor([[i >= chunk.overlap for i in range(length)] for chunk in chunks])
        new = new.to(latents.device, non_blocking=True)  # without waiting for the step that still runs
        inputs = self._inputs([chunk.text for chunk in chunks])
        if self.conditions is not None:
            inputs |= self._condition(self.conditions, chunks, generator)
        return ChunkBatch(latents, new, 1 + _SUBJECT_WEIGHT * subject, inputs)

    def loss(self, model: nn.Module, batch: ChunkBatch) -> dict[str, Tensor]:
        loss = self._flow_loss(
            self.any_chunks(model),
            batch.latents,
            batch.inputs,
            x_mask=batch.new,
            weights=batch.weights,
            overlap_noise=OVERLAP_NOISE,
            pure_noise=_PURE_NOISE_SHARE,
        )
        return {"loss": loss}

    @staticmethod
    def any_chunks(model: nn.Module) -> Callable[..., Tensor]:
        """The transformer, compiled once for any number of chunks of any length."""

        def compiled(x: Tensor, timestep: Tensor, *inputs: Tensor, **named: Any) -> Tensor:
            for tensor, axis in ((x, 2), (named.get("x_mask"), 1), (named.get("coarse_latents"), 2)):
                any_length(tensor, axis)
            for tensor in (x, timestep, *inputs, *named.values()):
                any_length(tensor if isinstance(tensor, Tensor) else None, 0)
            return model(x, timestep, *inputs, **named)

        return compiled

    def _flow_loss(
        self, model: Callable[..., Tensor], latents: Tensor, inputs: dict[str, Any], **options: Any
    ) -> Tensor:
        preset = self.config.preset
        return training_loss(
            model,
            latents,
            inputs,
            height=preset.height,
            width=preset.width,
            timestep_method=_TIMESTEPS,
            **options,
        )

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

    @property
    def _whole(self) -> int:
        """Latent frames of an ordinary chunk."""
        return self.config.preset.overlap + self.config.preset.max_new

    def _length(self, generator: torch.Generator) -> int:
        """Latent frames of this step's chunks, the same in every process."""
        draw = float(torch.rand((), generator=generator))
        if draw < _WHOLE_CHUNK_SHARE:
            return self._whole
        if draw < _WHOLE_CHUNK_SHARE + _FIRST_CHUNK_SHARE:
            return self.config.preset.max_new
        # A lone frame is compiled apart; as the one new frame behind an overlap it is trained all the same.
        return int(torch.randint(2, self._whole, (), generator=generator))

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
            segments = self.source.group(index).segments[place]
            if overlap == 0 and draws[1] < _FILM_START_SHARE and new <= segments[0].stop:
                return ChunkExample(index, place, 0, new, 0, segments[0].text)
            fitting = self._places(segments, new, overlap)
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

    def _tensors(self, chunks: list[ChunkExample]) -> tuple[Tensor, Tensor]:
        """Latents (B, C, T, h, w) and subject cover (B, T, h, w)."""
        latents, subject = [], []
        for chunk in chunks:
            group = self.held_out if chunk.group == _HELD_OUT_GROUP else self.source.group(chunk.group)
            latents.append(group.latents[chunk.place, :, chunk.window])
            subject.append(group.subject[chunk.place, chunk.window])
        return torch.stack(latents).float(), torch.stack(subject).float()

    def _condition(
        self, conditions: CoarseConditions, chunks: list[ChunkExample], generator: torch.Generator
    ) -> dict[str, Tensor]:
        """F (B, C, T, h, w) of each chunk, and which examples keep it."""
        fine, own, kept = torch.rand(3, len(chunks), generator=generator)
        fine_share = _FINE_SHARE if self.arm.coarser_tokens else 1.0
        coarse = []
        for i, chunk in enumerate(chunks):
            kind = "own" if own[i] < self._own_share() else "fine" if fine[i] < fine_share else "coarse"
            coarse.append(conditions.of_group(chunk.group, kind)[chunk.place, :, chunk.window])
        stacked = torch.stack(coarse).float()
        kept = kept.to(stacked.device, non_blocking=True)
        return {"coarse_latents": stacked, "coarse_mask": kept >= _DROP_SHARE}

    def _own_share(self) -> float:
        """Share of the examples that take F from the token transformer's own tokens by now."""
        ready = self.conditions is not None and self.conditions.has_own and self.progress >= _OWN_FROM
        return _OWN_SHARE if ready else 0.0

    # -- evaluation -------------------------------------------------------------------------------------

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Held-out losses of first chunks without F, and with F of the fine tokens where the arm has it.

        `subject_` are those on subjects alone: how much they grow when each chunk is told another one's text
        (`mistold_`) is how much the text is read.
        """
        chunks = self._held_out_chunks(self.config.held_out_episodes)
        texts = [chunk.text for chunk in chunks]
        latents, subject = self._tensors(chunks)
        conditions: dict[str, Tensor | None] = {"without_f": None}
        if self.conditions is not None:
            conditions["with_f"] = self.conditions.reconstruct(latents, "fine")

        def loss(texts: list[str], coarse: Tensor | None, weights: Tensor | None) -> float:
            torch.manual_seed(0)  # the same noise at every evaluation, so that curves are comparable
            inputs = self._inputs(texts) | {"coarse_latents": coarse}
            return self._flow_loss(model.forward, latents, inputs, weights=weights).item()

        losses: dict[str, float] = {}
        for name, coarse in conditions.items():
            losses[f"loss_{name}"] = loss(texts, coarse, None)
            losses[f"subject_{name}"] = loss(texts, coarse, subject)
            losses[f"mistold_{name}"] = loss(texts[1:] + texts[:1], coarse, subject)
        return losses

    def _held_out_chunks(self, count: int) -> list[ChunkExample]:
        """First chunks of held-out episodes, as many as are long enough."""
        length = self.config.preset.max_new
        group = self.held_out
        kept = [i for i, segments in enumerate(group.segments) if segments[0].stop >= length][:count]
        return [ChunkExample(_HELD_OUT_GROUP, i, 0, length, 0, group.segments[i][0].text) for i in kept]

    def sample(self, model: nn.Module) -> Image.Image:
        """Held-out first chunks: true, 30 steps without F; and of an arm with F: F alone, 8 steps with F."""
        assert self.source.vae is not None
        chunks = self._held_out_chunks(6)
        latents, _ = self._tensors(chunks)
        films = [latents, self._generate(model, chunks, None, 30)]
        if self.conditions is not None:
            coarse = self.conditions.reconstruct(latents, "fine")
            films += [coarse, self._generate(model, chunks, coarse, 8)]
        columns = [to_pictures_of(decode_normalised(self.source.vae, film)) for film in films]
        rows = [[picture for column in columns for picture in column[i]] for i in range(len(chunks))]
        return contact_sheet(rows, row_titles=[chunk.text for chunk in chunks])

    def _generate(
        self,
        model: nn.Module,
        chunks: list[ChunkExample],
        coarse: Tensor | None,
        steps: int,
        guidance_scale: float = 1.0,
        order: int | None = None,
    ) -> Tensor:
        """Latents of whole new chunks from the run's own noise, always the same.

        order: of the sampler; None is the preset's.
        """
        preset = self.config.preset
        shape = (len(chunks), preset.vae["z_dim"], preset.max_new, preset.latent_height, preset.latent_width)
        noise = torch.randn(shape, generator=torch.Generator().manual_seed(self.config.seed))
        self.scheduler.set_timesteps(steps, preset.height, preset.width, preset.max_new, self.setting.device)
        inputs = self._inputs([chunk.text for chunk in chunks])
        y, null_y = inputs.pop("y"), self.model.null_caption()
        velocity = guided_velocity(model.forward, guidance_scale, y, null_y, coarse_latents=coarse, **inputs)
        order = order or preset.solver_order
        return sample(velocity, noise.to(self.setting.device), self.scheduler.timesteps, order=order)


def to_pictures_of(clips: Tensor) -> list[list]:
    """First, middle and last picture of each clip (B, 3, F, H, W)."""
    return [list(to_pictures(clip[:, [0, clip.shape[1] // 2, -1]])) for clip in clips]
