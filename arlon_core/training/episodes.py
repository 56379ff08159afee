"""Fresh Storyworld episodes for training: script -> frames -> latents, all on the training device.

Shapes: B episodes of T latent frames (4T-3 video frames), C latent channels on a grid of h x w.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKLWan
from torch import Tensor

from arlon_core.models.memory_layout import lay_channels_last
from arlon_core.models.video_vae import encode_frames
from arlon_core.presets import Preset
from arlon_core.story import segment_texts
from arlon_core.training.config import PoolConfig
from arlon_core.world.captions import TRAINING_PHRASING
from arlon_core.world.loose_captions import LOOSE_PHRASING
from arlon_core.world.plain_captions import PLAIN_PHRASING
from arlon_core.world.renderer import StoryworldRenderer
from arlon_core.world.script import HELD_OUT, Script, sample_script

Made = TypeVar("Made")

# Style lines that people write above a story. The world has one style, so they change no pixel, and the
# models learn to read past them.
_STYLES = (
    "",
    "",
    "",
    "",
    "",
    "calm, wide view",
    "a picture book",
    "soft colours, flat shapes",
    "illustrated, gentle light",
)
# How an episode tells its story: plainly, as the engine does (`film_reading`); a few as people do, so that a
# text of somebody else's is like something the models know. Of these the prompts after the first are whole
# descriptions in half of some episodes, and few or none in others (our choices).
_PLAIN_SHARE = 0.75
_PHRASINGS = (TRAINING_PHRASING, LOOSE_PHRASING)
_FULL_SHARES = (0.5, 0.5, 0.1, 0.0)


@dataclass(frozen=True)
class EpisodeSegment:
    """A stretch of latent frames [start, stop) under one prompt."""

    start: int
    stop: int
    text: str  # what AR and DiT read


@dataclass(frozen=True)
class EpisodeGroup:
    """Episodes drawn and encoded together."""

    latents: Tensor  # (B, C, T, h, w), normalised
    subject: Tensor  # (B, T, h, w), how much of a latent pixel the subjects cover, 0..1
    scripts: tuple[Script, ...]
    segments: tuple[tuple[EpisodeSegment, ...], ...]


def training_seed(run_seed: int, rank: int, index: int) -> int:
    """The script seed of one training episode; below HELD_OUT, and never the same for two processes."""
    seed = (run_seed % 256) << 32 | (rank % 64) << 26 | index % (1 << 26)
    assert seed < HELD_OUT
    return seed


def training_episode(seed: int, frames: int) -> Script:
    """The script of one training episode."""
    rng = random.Random(f"telling/{seed}")
    if rng.random() < _PLAIN_SHARE:
        return plain_episode(seed, frames)
    return sample_script(seed, frames, phrasing=rng.choice(_PHRASINGS), full_share=rng.choice(_FULL_SHARES))


def plain_episode(seed: int, frames: int) -> Script:
    """A script that tells every segment whole, in the words that the engine gives to AR and DiT."""
    return sample_script(seed, frames, phrasing=PLAIN_PHRASING, full_share=1.0)


def episode_segments(script: Script) -> tuple[EpisodeSegment, ...]:
    """The script's segments on the latent grid, each with the text that the models read."""
    style = random.Random(script.seed).choice(_STYLES)
    full = [segment.full for segment in script.segments]
    texts = segment_texts(style, [segment.caption for segment in script.segments], full)
    borders = [(segment.start_frame + 3) // 4 for segment in script.segments] + [(script.frames + 3) // 4]
    return tuple(
        EpisodeSegment(a, b, text) for a, b, text in zip(borders[:-1], borders[1:], texts, strict=True)
    )


def subject_weights(mask: Tensor) -> Tensor:
    """Subject masks of video frames (B, 4T-3, H, W) uint8 -> cover of latent pixels (B, T, H/8, W/8), 0..1.

    A latent frame answers for one video frame at first and four later on; the strongest of them counts.
    """
    first, rest = mask[:, :1].float(), mask[:, 1:].float()
    strongest = rest.unflatten(1, (-1, 4)).amax(2) if rest.shape[1] else rest
    return F.avg_pool2d(torch.cat([first, strongest], 1) / 255, 8)


class EpisodeSource:
    """Draws episodes by index and keeps what it has drawn, so stages of one run share them."""

    def __init__(
        self,
        preset: Preset,
        pool: PoolConfig,
        device: torch.device,
        *,
        seed: int,
        rank: int,
        compile: bool = False,
    ) -> None:
        self.pool, self.device, self.seed, self.rank, self.compile = pool, device, seed, rank, compile
        self.renderer = StoryworldRenderer(preset.height, preset.width, device=device, compile=compile)
        self.vae: AutoencoderKLWan | None = None
        self._groups: dict[int, EpisodeGroup] = {}

    @property
    def frames(self) -> int:
        """Video frames in an episode."""
        return 4 * self.pool.episode_latents - 3

    def attach(self, vae: AutoencoderKLWan) -> None:
        """The frozen VAE that turns frames into latents, on the source's device (`load_vae`)."""
        self.vae = lay_channels_last(vae)
        if self.compile:
            self.vae.encoder.compile(dynamic=False)

    def group(self, index: int) -> EpisodeGroup:
        """Group number `index` of this process: always the same episodes."""
        if index not in self._groups:
            if len(self._groups) >= self.pool.latent_groups:
                del self._groups[min(self._groups)]
            first = index * self.pool.group
            seeds = [training_seed(self.seed, self.rank, first + i) for i in range(self.pool.group)]
            self._groups[index] = self.encode([training_episode(seed, self.frames) for seed in seeds])
        return self._groups[index]

    def forget(self) -> None:
        """Let go of the groups drawn so far; they are drawn again when asked for."""
        self._groups.clear()

    def held_out(self, count: int, first: int = 0) -> EpisodeGroup:
        """Episodes that training never draws; the same for every process, stage and run."""
        return self.encode([plain_episode(HELD_OUT + first + i, self.frames) for i in range(count)])

    @property
    def drawn(self) -> int:
        """Groups that can be had without drawing, counted from the first."""
        return 1 + max(self._groups, default=-1)

    @torch.no_grad()
    def encode(self, scripts: Sequence[Script]) -> EpisodeGroup:
        """Draw whole episodes and encode them."""
        assert self.vae is not None, "attach a VAE before encoding"
        with torch.autocast(self.device.type, enabled=False):  # as compiled: evaluation switches it on
            drawn = self.renderer.render(scripts)
            frames = drawn.frames.transpose(1, 2)  # (B, 3, F, H, W)
            latents = encode_frames(self.vae, frames)
        keep = torch.bfloat16 if self.device.type == "cuda" else torch.float32
        return EpisodeGroup(
            latents.to(keep),
            subject_weights(drawn.subject_mask).to(keep),
            tuple(scripts),
            tuple(episode_segments(script) for script in scripts),
        )


class Pool:
    """The window of groups that a stage draws batches from; it moves on as training goes."""

    def __init__(self, source: EpisodeSource, config: PoolConfig) -> None:
        self.source, self.config = source, config
        self.initial = max(config.initial_groups, source.drawn)  # groups that are there at the first step
        self.count = self.initial  # groups that have entered so far

    @property
    def indices(self) -> range:
        """Numbers of the groups in the pool."""
        return range(max(0, self.count - self.config.capacity_groups), self.count)

    def before_step(self, step: int) -> None:
        """A fresh group has entered every `steps_per_group` steps."""
        self.count = self.initial + step // self.config.steps_per_group

    def cached(self, cache: dict[int, Made], index: int, make: Callable[[EpisodeGroup], Made]) -> Made:
        """`make` of group `index`, kept in `cache` while the group is in the pool."""
        if index not in cache:
            for old in [key for key in cache if key not in self.indices]:
                del cache[old]
            cache[index] = make(self.source.group(index))
        return cache[index]

    def pick(self, generator: torch.Generator, count: int) -> list[tuple[int, int]]:
        """`count` random episodes as (group number, place in the group)."""
        groups = torch.randint(self.indices.start, self.indices.stop, (count,), generator=generator)
        places = torch.randint(0, self.source.pool.group, (count,), generator=generator)
        return list(zip(groups.tolist(), places.tolist(), strict=True))
