"""F as the token transformer itself would have it: every token drawn from its teacher-forced distribution.

In use the diffusion transformer is steered by sampled tokens, which differ from those of the fine VQ-VAE in
the way the token transformer errs. Drawing all tokens of an episode given the true ones before them shows
these errors at the price of one forward pass (the sampling is our choice).

Shapes: B episodes of T latent frames with h x w fine tokens each, N = T h w; K segments, L text states.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from arlon_core.errors import ModelError
from arlon_core.models.latent_vqvae import LatentVQVAE
from arlon_core.models.token_layout import Layout, block_layout, blocks
from arlon_core.models.token_transformer import TokenTransformer, batch_layouts
from arlon_core.training.components import load_frozen
from arlon_core.training.episodes import EpisodeGroup, EpisodeSegment
from arlon_core.training.texts import FrozenText

logger = logging.getLogger(__name__)

_BLOCKS_AT_ONCE = 32  # sequences in a forward pass
_DRAWN_AT_ONCE = 8192  # tokens whose whole distributions are held


class TeacherForcing:
    """A frozen token transformer beside the fine VQ-VAE whose tokens it learned."""

    def __init__(self, model: TokenTransformer, vqvae: LatentVQVAE, text: FrozenText) -> None:
        self.model, self.vqvae, self.text = model, vqvae, text

    @classmethod
    def load(
        cls, components: Path, vqvae: LatentVQVAE, text: FrozenText, device: torch.device
    ) -> TeacherForcing | None:
        """With the token transformer of a pipeline folder; None, and a line in the log, when it has none.

        Raises ModelError for one that was trained on other tokens.
        """
        folder = components / "token_transformer"
        if not (folder / "config.json").is_file():
            logger.warning(
                "%s holds no token transformer, so no part of this run takes F from sampled tokens; "
                "train stage ar first to have that.",
                components,
            )
            return None
        model: TokenTransformer = load_frozen(TokenTransformer, folder, device)
        if model.config.codebook_size != vqvae.config.codebook_size:
            raise ModelError(f"{folder} was trained on the tokens of another VQ-VAE; train stage ar again.")
        return cls(model, vqvae, text)

    @torch.no_grad()
    def coarse_latents(self, group: EpisodeGroup) -> Tensor:
        """F of whole episodes from sampled tokens: (B, C, T, h, w); the same for an episode at every call."""
        states, lengths = self.text.of_segments(group.segments)
        seeds = [script.seed for script in group.scripts]
        codes = self.vqvae.encode(group.latents.float())
        with torch.autocast(codes.device.type, torch.bfloat16, enabled=codes.device.type == "cuda"):
            drawn = teacher_forced_codes(self.model, codes, states, lengths, group.segments, seeds)
        return self.vqvae.decode(drawn)


@torch.no_grad()
def teacher_forced_codes(
    model: TokenTransformer,
    codes: Tensor,
    states: Tensor,
    lengths: Sequence[Sequence[int]],
    segments: Sequence[Sequence[EpisodeSegment]],
    seeds: Sequence[int],
) -> Tensor:
    """True codes (B, T, h, w) -> drawn codes of the same shape, at temperature 1 and without guidance.

    Each is drawn given the true codes before it, in the blocks and with the prefills of use; none depends on
    a later frame or text. states: (B, K, L, text width), of which each segment has its number in `lengths`.
    seeds: one an episode, which decides its draws.
    """
    flat = codes.flatten(1)
    count, device = flat.shape[1], flat.device
    uniforms = torch.stack([torch.rand(count, generator=torch.Generator().manual_seed(s)) for s in seeds])
    uniforms = uniforms.to(device)
    layouts = [
        (row, layout)
        for row, (parts, text_lengths) in enumerate(zip(segments, lengths, strict=True))
        for layout in _block_layouts(parts, text_lengths, model.config.tokens_per_frame)
    ]
    layouts.sort(key=lambda each: len(each[1]))  # little padding
    drawn = torch.empty_like(flat)
    for start in range(0, len(layouts), _BLOCKS_AT_ONCE):
        part = layouts[start : start + _BLOCKS_AT_ONCE]
        batch = batch_layouts([layout for _, layout in part]).to(device)
        rows = torch.tensor([row for row, _ in part], device=device)
        embeds = model.embed_layouts(batch, flat[rows], states[rows])
        hidden = model.causal_states(embeds, batch.position)
        first = torch.tensor([layout.prefill - 1 for _, layout in part], device=device)
        items = torch.arange(hidden.shape[1], device=device)
        own = (items >= first[:, None]) & (batch.label >= 0)  # what predicts a token of the block itself
        places = rows[:, None].expand_as(own)[own], batch.label[own]
        drawn[places] = _draw(model, hidden[own], uniforms[places])
    return drawn.view_as(codes)


def _block_layouts(
    segments: Sequence[EpisodeSegment], text_lengths: Sequence[int], tokens_per_frame: int
) -> list[Layout]:
    """The blocks of an episode, each with its prefill."""
    layouts = []
    for number, segment in enumerate(segments):
        borders = [each.start for each in segments[: number + 1]] + [segment.stop]
        for start, stop in blocks(segment.start, segment.stop):
            lengths = text_lengths[: number + 1]
            layouts.append(block_layout(borders, lengths, start, stop, tokens_per_frame=tokens_per_frame))
    return layouts


def _draw(model: TokenTransformer, hidden: Tensor, uniforms: Tensor) -> Tensor:
    """Hidden states (n, D) and uniform numbers (n,) -> codes (n,), by the inverse of the CDF; never <eos>."""
    last = model.config.codebook_size - 1
    drawn = []
    for states, numbers in zip(hidden.split(_DRAWN_AT_ONCE), uniforms.split(_DRAWN_AT_ONCE), strict=True):
        logits = model.lm_head(states)[:, : last + 1].float()
        cumulative = logits.softmax(-1).cumsum(-1)
        threshold = numbers[:, None] * cumulative[:, -1:]
        drawn.append(torch.searchsorted(cumulative, threshold, right=True)[:, 0].clamp_max(last))
    return torch.cat(drawn)
