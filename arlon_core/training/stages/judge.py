"""Stages `judge` and `judge-report`: two small video networks that read the world's attributes from pixels.

Trained apart, by seed and by architecture, on windows from the last thirds of segments: true ones, ones that
went through the VAE, and ones that went through the fine VQ-VAE as well, so that a judge reads a film whose
details a model has lost as well as they can be read. They are no part of a pipeline and go beside its folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from arlon_core.media.contact_sheet import contact_sheet
from arlon_core.models.judge import ATTRIBUTES, SPAN, STRIDE, Judge, reading_starts
from arlon_core.models.judge_conv import ConvJudge
from arlon_core.models.judge_transformer import TransformerJudge
from arlon_core.models.latent_vqvae import LatentVQVAE
from arlon_core.models.video_vae import decode_normalised, encode_frames
from arlon_core.training.components import load_frozen, load_vae
from arlon_core.training.config import TrainConfig
from arlon_core.training.episodes import EpisodeSource, training_seed
from arlon_core.training.pictures import to_pictures
from arlon_core.training.stage import Setting, Stage
from arlon_core.world.legibility import NOT_ASKED, asked_labels
from arlon_core.world.script import HELD_OUT, Script, sample_script
from arlon_core.world.vocabulary import LABELS

# As in the stories that are measured: 4.7 to 8 s, so that slow changes are over in the last third.
_LEAST_LATENTS, _MOST_LATENTS = 14, 24
_EPISODE_LATENTS = 3 * _MOST_LATENTS
_WORN_SHARE = 0.125  # of a batch, for each way through components that are there (our choice)
_WORN_STEPS = 4  # steps that such a window is learned from: making one takes longer than learning from it
_HELD_OUT_WINDOWS = 16  # for every held-out episode that other stages evaluate on
_PIECE = 32  # windows evaluated together
# A judge is told where to look for what belongs to a subject: subjects are small, and found late without it.
_LOOK_WEIGHT = 0.1
_AT_MAIN, _AT_SECOND = ("subject", "colour", "action"), ("second_subject", "second_colour")
TRUE, VAE, VQ = "true", "vae", "vq"


@dataclass(frozen=True)
class Windows:
    """Frames (B, T, 3, H, W) uint8, and each attribute's class (B,), NOT_ASKED where it is unseen."""

    frames: Tensor
    labels: dict[str, Tensor]
    main: Tensor  # (B, T, H, W) uint8, 255 where the main subject covers the page
    second: Tensor  # the same of the second subject

    def __len__(self) -> int:
        return len(self.frames)


class JudgeStage(Stage):
    """The judge that may select films, and the studio's meter."""

    component = "judge"

    def __init__(self, config: TrainConfig, setting: Setting, source: EpisodeSource) -> None:
        super().__init__(config, setting, source)
        self.model: Judge = self.build()
        self.vqvae: LatentVQVAE | None = None
        self._worn: dict[int, Windows] = {}  # by the step that they were made for
        if source.vae is None and _trained(setting.components / "vae"):
            source.attach(load_vae(setting.components, setting.device))
        if source.vae is not None and _trained(setting.components / "latent_vqvae"):
            folder = setting.components / "latent_vqvae"
            self.vqvae = load_frozen(LatentVQVAE, folder, setting.device)

    def build(self) -> Judge:
        """The network, with fresh weights."""
        return ConvJudge(**self.config.preset.judge)

    @property
    def target(self) -> Path:
        return self.setting.components.parent / "judges" / self.component

    @property
    def ways(self) -> tuple[str, ...]:
        """How frames can reach the judge, with the components that are there."""
        vae = (VAE,) if self.source.vae is not None else ()
        return (TRUE, *vae, *((VQ,) if self.vqvae is not None else ()))

    # -- training ---------------------------------------------------------------------------------------

    def batch(self, step: int) -> Windows:
        """Windows of fresh episodes, and a share of degraded ones, made for this step and the ones before."""
        count, new, kept = self.config.batch_size, self._new_worn, self._kept_steps
        steps = range(max(0, step - kept + 1), step + 1) if new else ()
        self._worn = {made: self._worn.get(made) or self._make_worn(made) for made in steps}
        parts = list(self._worn.values())
        left = count - sum(map(len, parts))
        if left > 0:
            parts.append(self._windows(step, new, new + left))
        return _joined(parts)

    @property
    def _wanted_worn(self) -> int:
        """Degraded windows in a batch, of each way."""
        return max(1, round(_WORN_SHARE * self.config.batch_size))

    @property
    def _new_worn(self) -> int:
        """Degraded windows made for a step, of all ways."""
        return (len(self.ways) - 1) * max(1, self._wanted_worn // _WORN_STEPS)

    @property
    def _kept_steps(self) -> int:
        """Steps after which a batch has as many of them as it wants."""
        return min(self._wanted_worn, _WORN_STEPS)

    def _make_worn(self, step: int) -> Windows:
        ways = [way for way in self.ways[1:] for _ in range(self._new_worn // (len(self.ways) - 1))]
        return self._windows(step, 0, self._new_worn, ways)

    def _windows(self, step: int, first: int, stop: int, ways: list[str] | None = None) -> Windows:
        """Numbers first to stop of the windows of one step."""
        size = self._new_worn + self.config.batch_size
        seeds = [training_seed(self.config.seed, self.setting.rank, step * size + i) for i in range(size)]
        draws = torch.rand(size, 2, generator=self.generator(step)).tolist()
        clips = self._clips(seeds[first:stop], draws[first:stop])
        return self._sent(clips, ways or [TRUE] * (stop - first))

    def loss(self, model: nn.Module, batch: Windows) -> dict[str, Tensor]:
        reading = model(batch.frames)
        losses = {name: _cross_entropy(reading.logits[name], batch.labels[name]) for name in ATTRIBUTES}
        looking = _look_loss(reading.looks, batch.main, _AT_MAIN)
        looking = looking + _look_loss(reading.looks, batch.second, _AT_SECOND)
        total = torch.stack(list(losses.values())).mean() + _LOOK_WEIGHT * looking
        return {"loss": total, "look": looking, **losses}

    # -- evaluation -------------------------------------------------------------------------------------

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Accuracy of each attribute on held-out windows, true and degraded."""
        count = _HELD_OUT_WINDOWS * self.config.held_out_episodes
        right: dict[str, list[Tensor]] = {f"{way}_{name}": [] for way in self.ways for name in ATTRIBUTES}
        for first in range(0, count, _PIECE):
            clips = self._held_out(first, min(_PIECE, count - first))
            for way in self.ways:
                windows = self._sent(clips, [way] * len(clips.frames))
                logits = model.forward(windows.frames).logits
                for name, labels in windows.labels.items():
                    hit = logits[name].argmax(-1) == labels
                    right[f"{way}_{name}"].append(hit[labels != NOT_ASKED].float())
        return {name: torch.cat(parts).mean().item() for name, parts in right.items()}

    def _held_out(self, first: int, count: int) -> Windows:
        """Clips number `first` on: the same for every run, from seeds that training never draws."""
        numbers = range(first, first + count)
        draws = [[(i * 0.618) % 1, (i * 0.382) % 1] for i in numbers]
        return self._clips([HELD_OUT + i for i in numbers], draws)

    def sample(self, model: nn.Module) -> Image.Image:
        """Eight held-out windows, the worst that a judge sees, with what was read wrong under them."""
        windows = self._sent(self._held_out(0, 8), [self.ways[-1]] * 8)
        logits = model.forward(windows.frames).logits
        rows, captions = [], []
        for number, clip in enumerate(windows.frames[:, ::4].transpose(1, 2).float() / 127.5 - 1):
            rows.append(list(to_pictures(clip)))
            captions.append([", ".join(_wrong(logits, windows.labels, number)) or "all read right"])
        return contact_sheet(rows, captions)

    # -- windows ----------------------------------------------------------------------------------------

    def _clips(self, seeds: list[int], draws: list[list[float]]) -> Windows:
        """True frames, all SPAN of each window. draws: two numbers in 0..1 each, for the segment and for the
        place in its last third.
        """
        frames = 4 * _EPISODE_LATENTS - 3
        scripts = [sample_script(seed, frames, _LEAST_LATENTS, _MOST_LATENTS) for seed in seeds]
        places = [_place(script, *draw) for script, draw in zip(scripts, draws, strict=True)]
        drawn = self.source.renderer.render(scripts, [start for _, start in places], SPAN)
        labels = [asked_labels(s)[segment] for s, (segment, _) in zip(scripts, places, strict=True)]
        columns = {name: torch.tensor([row[name] for row in labels]) for name in ATTRIBUTES}
        return Windows(
            drawn.frames,
            {name: column.to(self.setting.device) for name, column in columns.items()},
            drawn.main_mask,
            drawn.subject_mask - drawn.main_mask,  # it is never less
        )

    def _sent(self, clips: Windows, ways: list[str]) -> Windows:
        """What a judge sees of clips, each sent its own way."""
        frames = self._degraded(clips.frames, ways)[:, ::STRIDE]
        return Windows(frames, clips.labels, clips.main[:, ::STRIDE], clips.second[:, ::STRIDE])

    @torch.no_grad()
    def _degraded(self, frames: Tensor, ways: list[str]) -> Tensor:
        """Clips (B, SPAN, 3, H, W) uint8, each sent its own way."""
        through = [i for i, way in enumerate(ways) if way != TRUE]
        if not through:
            return frames
        frames = frames.clone()
        # As many at a time as a training step makes, and in its precision, which evaluation lowers: for
        # others the encoder is compiled anew, and other codes come out.
        with torch.autocast(frames.device.type, enabled=False):
            for first in range(0, len(through), self._new_worn):
                here = through[first : first + self._new_worn]
                frames[here] = self._worn_frames(frames[here], [ways[i] for i in here])
        return frames

    def _worn_frames(self, frames: Tensor, ways: list[str]) -> Tensor:
        """The same, where every clip goes through the VAE."""
        vae = self.source.vae
        assert vae is not None
        latents = encode_frames(vae, frames.transpose(1, 2))
        coarse = [i for i, way in enumerate(ways) if way == VQ]
        if coarse:
            assert self.vqvae is not None
            latents[coarse] = self.vqvae.decode(self.vqvae.encode(latents[coarse])).float()
        pixels = (decode_normalised(vae, latents, batch_size=16) + 1) * 127.5
        return pixels.round().clamp(0, 255).byte().transpose(1, 2)


def _joined(parts: list[Windows]) -> Windows:
    """One batch of all windows, in order."""
    return Windows(
        torch.cat([part.frames for part in parts]),
        {name: torch.cat([part.labels[name] for part in parts]) for name in parts[0].labels},
        torch.cat([part.main for part in parts]),
        torch.cat([part.second for part in parts]),
    )


class ReportJudgeStage(JudgeStage):
    """The judge that only ever reports; nothing may be selected by it."""

    component = "judge_report"

    def build(self) -> Judge:
        return TransformerJudge(**self.config.preset.judge_report)


def _place(script: Script, which: float, where: float) -> tuple[int, int]:
    """A segment, and the start of a window in its last third. An episode's last segment may be too short."""
    lengths = [segment.stop_frame - segment.start_frame for segment in script.segments]
    long_enough = [number for number, length in enumerate(lengths) if length >= 3 * SPAN]
    number = long_enough[int(which * len(long_enough))]
    segment = script.segments[number]
    starts = reading_starts(segment.start_frame, segment.stop_frame)
    return number, starts[int(where * len(starts))]


def _wrong(logits: dict[str, Tensor], labels: dict[str, Tensor], number: int) -> list[str]:
    """What is read wrong in window `number`, in words."""
    asked = {name: int(each[number]) for name, each in labels.items() if each[number] != NOT_ASKED}
    read = {name: int(logits[name][number].argmax()) for name in asked}
    return [
        f"{name}: {LABELS[name][read[name]]}, not {LABELS[name][label]}"
        for name, label in asked.items()
        if read[name] != label
    ]


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """The mean over those that are asked; 0 where none is."""
    total = F.cross_entropy(logits.float(), labels, ignore_index=NOT_ASKED, reduction="sum")
    return total / (labels != NOT_ASKED).sum().clamp_min(1)


def _look_loss(looks: Tensor, masks: Tensor, names: tuple[str, ...]) -> Tensor:
    """How little of each look falls on the mask, -log of the share, a mean over frames that show it.

    looks (B, T, A, h, w), masks (B, T, H, W) uint8.
    """
    at = F.adaptive_max_pool2d(masks.float() / 255, looks.shape[-2:])[:, :, None]  # (B, T, 1, h, w)
    chosen = looks.float()[:, :, [ATTRIBUTES.index(name) for name in names]]
    missed = -torch.log((chosen * at).sum((-2, -1)) + 1e-4).mean(-1)
    shown = (at.amax((-2, -1)) > 0.5).squeeze(-1).float()
    return (missed * shown).sum() / shown.sum().clamp_min(1)


def _trained(folder: Path) -> bool:
    return (folder / "config.json").is_file()
