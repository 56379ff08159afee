"""Stage `ar`: next-token prediction over the fine tokens, each segment under its own text (section 3.2).

Sequences are laid out by the function that lays out inference prefills: anchor, window, text, block, at
re-based positions. Some context tokens are wrong or late, because in use the context is the model's own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from arlon_core.models.compiling import any_length
from arlon_core.models.latent_vqvae import LatentVQVAE
from arlon_core.models.token_layout import MAX_BLOCK, NO_LABEL, WINDOW, Layout, block_layout, blocks
from arlon_core.models.token_transformer import (
    LayoutBatch,
    TokenTransformer,
    TokenTransformerConfig,
    batch_layouts,
)
from arlon_core.training.components import load_frozen
from arlon_core.training.config import TrainConfig
from arlon_core.training.context_errors import corrupt_codes, late_change, mistaken_subjects
from arlon_core.training.episodes import EpisodeGroup, EpisodeSegment, EpisodeSource
from arlon_core.training.mistaken import mistaken_script
from arlon_core.training.ngrams import trigram_bits
from arlon_core.training.stage import Setting
from arlon_core.training.stages.latents import LatentStage
from arlon_core.training.texts import FrozenText

# Our choices.
_CORRUPTED_SHARE = 0.07  # of the tokens that the model reads
_LATE_SHARE = 0.25  # of the blocks after a change of prompt read a film in which it has not come yet
_MISTAKEN_FILMS = 0.25  # of the episodes are drawn with the wrong subjects, too; drawing takes the time
_MISTAKEN_SHARE = 0.5  # of the other blocks read such a film, where there is one
_NO_TEXT_SHARE = 0.1  # of the sequences, for classifier-free guidance
_SUBJECT_WEIGHT = 3.0  # subjects are few tokens of many
_BORDER_SHARE = 0.5  # of the blocks begin at a segment border, where the text has to be obeyed
_TRIGRAM_GROUPS = 192  # the newest ones are counted for it: four million tokens, a few seconds
_LENGTH_STEP = 64  # sequence lengths are rounded up, so that compiled code sees few of them


@dataclass(frozen=True)
class TokenGroup:
    """Episodes as tokens. N = tokens of an episode, K = most segments, L = text states kept."""

    codes: Tensor  # (B, N)
    mistaken: Tensor  # (M, N): the first M of them with the wrong subjects
    weights: Tensor  # (B, N), more on subjects
    states: Tensor  # (B, K, L, D)
    lengths: list[list[int]]  # text states of each segment
    segments: tuple[tuple[EpisodeSegment, ...], ...]


@dataclass(frozen=True)
class TokenBatch:
    """One batch: B blocks with their contexts, each out of an episode of N tokens."""

    layouts: LayoutBatch
    codes: Tensor  # (B, 2N), behind the episode's own those of its mistaken film
    sources: Tensor  # (B, N): which token is read in the place of each
    states: Tensor  # (B, K, L, D)
    weights: Tensor  # (B, N)
    dropped: Tensor  # (B,) bool: sequences without text


class ARStage(LatentStage):
    """Trains the token transformer on the fine VQ-VAE's tokens."""

    component = "token_transformer"

    def __init__(self, config: TrainConfig, setting: Setting, source: EpisodeSource) -> None:
        super().__init__(config, setting, source)
        preset = config.preset
        self.vqvae: LatentVQVAE = load_frozen(
            LatentVQVAE, setting.components / "latent_vqvae", setting.device
        )
        self.text = FrozenText(setting.components, setting.device, preset.transformer["model_max_length"])
        self.model: TokenTransformer = TokenTransformer(
            TokenTransformerConfig(
                codebook_size=preset.vqvae["codebook_size"],
                text_dim=preset.text_encoder["d_model"],
                token_rows=preset.latent_height // preset.vqvae["token_height"],
                token_cols=preset.latent_width // preset.vqvae["token_width"],
                **preset.token_transformer,
            )
        )
        self._groups: dict[int, TokenGroup] = {}

    # -- training ---------------------------------------------------------------------------------------

    def batch(self, step: int) -> TokenBatch:
        """Random blocks of random episodes, with what comes before them."""
        generator = self.generator(step)
        picked = self.pool.pick(generator, self.config.batch_size)
        groups = [(self._tokens(index), place) for index, place in picked]
        drawn = [self._draw(group, place, generator) for group, place in groups]
        return TokenBatch(
            layouts=self._batch([layout for layout, _ in drawn]),
            codes=torch.stack([self._both(group, place) for group, place in groups]).long(),
            sources=torch.stack([sources for _, sources in drawn]).to(self.setting.device),
            states=torch.stack([group.states[place] for group, place in groups]),
            weights=torch.stack([group.weights[place] for group, place in groups]),
            dropped=(torch.rand(len(groups), generator=generator) < _NO_TEXT_SHARE).to(self.setting.device),
        )

    def loss(self, model: nn.Module, batch: TokenBatch) -> dict[str, Tensor]:
        logits = self._logits(model, batch, self._read(batch))
        targets = self.model.targets(batch.layouts, batch.codes)
        cross_entropy = F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), reduction="none")
        loss = self._mean(cross_entropy.view_as(targets), batch)
        return {"loss": loss, "bits": loss / math.log(2)}

    def _read(self, batch: TokenBatch) -> Tensor:
        """The tokens (B, N) that a batch is read with: some late, some of the wrong film, some just wrong."""
        read = batch.codes.gather(1, batch.sources)
        return corrupt_codes(read, self.vqvae.config.codebook_size, _CORRUPTED_SHARE)

    def _mean(self, values: Tensor, batch: TokenBatch) -> Tensor:
        """The mean of values (B, S) over the items that predict something; subjects weigh more."""
        weights = batch.weights.gather(1, batch.layouts.label.clamp_min(0)).float()
        weights = weights * (batch.layouts.label != NO_LABEL)
        return (values * weights).sum() / weights.sum()

    def _logits(self, model: Callable[..., Any], batch: TokenBatch, read: Tensor) -> Tensor:
        """Logits (B, S, vocabulary) of a batch that is read with the tokens (B, N)."""
        embeds = self.model.embed_layouts(batch.layouts, read, batch.states, batch.dropped)
        any_length(embeds, 1)
        any_length(batch.layouts.position, 1)
        return model(inputs_embeds=embeds, position_ids=batch.layouts.position).logits

    def _draw(self, group: TokenGroup, place: int, generator: torch.Generator) -> tuple[Layout, Tensor]:
        """The layout of one random block of an episode, and which token is read in the place of each."""
        segments = group.segments[place]
        draws = torch.rand(5, generator=generator).tolist()
        number = int(draws[0] * len(segments))
        segment = segments[number]
        start = segment.start
        if draws[1] > _BORDER_SHARE:
            start += int(draws[2] * (segment.stop - segment.start))
        stop = min(start + MAX_BLOCK, segment.stop)
        tokens, frame = group.codes.shape[1], self.model.config.tokens_per_frame
        sources = torch.arange(tokens)
        if number > 0 and draws[3] < _LATE_SHARE:
            sources = late_change(tokens, frame, segment.start, start, generator)
        elif place < len(group.mistaken) and draws[4] < _MISTAKEN_SHARE:
            sources = mistaken_subjects(tokens, frame, WINDOW, start, generator)
        return self._block(group, place, number, start, stop), sources

    def _both(self, group: TokenGroup, place: int) -> Tensor:
        """(2N,) tokens of an episode and of its mistaken film; where there is none, nothing reads them."""
        wrong = group.mistaken[place] if place < len(group.mistaken) else group.codes[place]
        return torch.cat([group.codes[place], wrong])

    def _block(self, group: TokenGroup, place: int, number: int, start: int, stop: int) -> Layout:
        segments = group.segments[place][: number + 1]
        borders = [segment.start for segment in segments] + [segments[-1].stop]
        lengths = group.lengths[place][: number + 1]
        return block_layout(
            borders, lengths, start, stop, tokens_per_frame=self.model.config.tokens_per_frame
        )

    def _batch(self, layouts: list[Layout]) -> LayoutBatch:
        longest = max(len(layout) for layout in layouts)
        return batch_layouts(layouts, -(-longest // _LENGTH_STEP) * _LENGTH_STEP).to(self.setting.device)

    # -- tokens -----------------------------------------------------------------------------------------

    def _tokens(self, index: int) -> TokenGroup:
        """Group `index` as tokens, kept while it is in the pool."""
        return self.pool.cached(self._groups, index, self._with_mistaken)

    def _with_mistaken(self, group: EpisodeGroup) -> TokenGroup:
        """A group for training: some of its episodes are drawn with the wrong subjects, too."""
        films = math.ceil(_MISTAKEN_FILMS * len(group.scripts))
        drawn = self.source.encode([mistaken_script(script) for script in group.scripts[:films]])
        return self._tokenise(group, drawn)

    def _tokenise(self, group: EpisodeGroup, mistaken: EpisodeGroup | None = None) -> TokenGroup:
        preset = self.config.preset
        codes = self._codes(group)
        cell = (preset.vqvae["token_height"], preset.vqvae["token_width"])
        weights = 1 + _SUBJECT_WEIGHT * F.avg_pool2d(group.subject.float(), cell)
        states, lengths = self.text.of_segments(group.segments, preset_segments(self.config))
        return TokenGroup(
            codes=codes,
            mistaken=codes[:0] if mistaken is None else self._codes(mistaken),
            weights=weights.flatten(1),
            states=states.to(group.latents.dtype),
            lengths=lengths,
            segments=group.segments,
        )

    @torch.no_grad()
    def _codes(self, group: EpisodeGroup) -> Tensor:
        """(B, N) int32."""
        with torch.autocast(self.setting.device.type, enabled=False):
            codes = torch.cat([self.vqvae.encode(clip.float()) for clip in group.latents.split(4)])
        return codes.flatten(1).int()

    # -- evaluation -------------------------------------------------------------------------------------

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Held-out bits a token, all tokens alike, beside a trigram model's on the same tokens."""
        group = self._tokenise(self.held_out)
        nats, count, subject_nats, subject_count = 0.0, 0, 0.0, 0.0
        for batch, own in self._held_out_batches(group):
            logits = self._logits(model.forward, batch, batch.codes)
            targets = self.model.targets(batch.layouts, batch.codes)
            loss = F.cross_entropy(logits[own].float(), targets[own], reduction="none")
            cover = batch.weights.gather(1, batch.layouts.label.clamp_min(0))[own].float() - 1
            nats, count = nats + loss.sum().item(), count + loss.numel()
            subject_nats = subject_nats + (loss * cover).sum().item()
            subject_count += cover.sum().item()
        scalars = {
            "bits": nats / count / math.log(2),
            "subject_bits": subject_nats / subject_count / math.log(2),
        }
        kept = [index for index in self.pool.indices if index in self._groups]
        seen = [self._groups[index].codes for index in kept[-_TRIGRAM_GROUPS:]]
        scalars["trigram_bits"] = trigram_bits(torch.cat(seen), group.codes, self.vqvae.config.codebook_size)
        return scalars

    def _held_out_batches(self, group: TokenGroup) -> Iterator[tuple[TokenBatch, Tensor]]:
        """All blocks of an episode a batch, read as they are, and the items (B, S) that predict their own."""
        for place, segments in enumerate(group.segments):
            layouts = [
                self._block(group, place, number, start, stop)
                for number, segment in enumerate(segments)
                for start, stop in blocks(segment.start, segment.stop)
            ]
            codes = group.codes[place].long().expand(len(layouts), -1)
            batch = TokenBatch(
                layouts=self._batch(layouts),
                codes=codes,
                sources=torch.arange(codes.shape[1], device=codes.device).expand_as(codes),
                states=group.states[place].expand(len(layouts), -1, -1, -1),
                weights=group.weights[place].expand(len(layouts), -1),
                dropped=torch.zeros(len(layouts), dtype=torch.bool, device=codes.device),
            )
            own = torch.zeros_like(batch.layouts.label, dtype=torch.bool)
            for row, layout in enumerate(layouts):
                own[row, layout.prefill - 1 : len(layout) - 1] = True
            yield batch, own


def preset_segments(config: TrainConfig) -> int:
    """The most segments that an episode can have: each is at least six latent frames long."""
    return max(1, config.pool.episode_latents // 6)
