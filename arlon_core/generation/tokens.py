"""The film's tokens: segment by segment, block by block, each block from a prefill of what is stored.

Every block starts from a prefill that is built anew (`token_layout.block_layout`), in unbroken runs too, and
draws from its own keyed numbers; so a render that goes on in the middle equals one never broken.

Shapes: S fine tokens in a latent frame; codes (latent frames, S) of the film, int64 on the CPU.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import torch
from torch import Tensor

from arlon_core.errors import ModelError
from arlon_core.generation.events import Sampling, TokensReady
from arlon_core.generation.noise import TOKENS, keyed_generator
from arlon_core.generation.plan import MAX_BLOCK, TokenBlock
from arlon_core.generation.session import Session
from arlon_core.models.one_thread import one_thread
from arlon_core.models.token_decoding import TokenDecoder, embed_prefill
from arlon_core.models.token_layout import ANCHOR, WINDOW, Layout, block_layout

# Texts that one sequence can hold: the anchor's, the window's (one a latent frame at most), the block's.
_MOST_TEXTS = WINDOW + 3


class FilmTokens:
    """The codes of a film, found in the store or sampled; `codes` holds them once the events have passed."""

    def __init__(self, session: Session, keys: tuple[str, ...], *, cuda_graph: bool = True) -> None:
        """keys: one a token block, in the film's order. cuda_graph: see models.token_decoding."""
        plan = session.request.plan
        self.session = session
        self.keys = {(block.segment, block.index): key for block, key in zip(plan.blocks, keys, strict=True)}
        self.tokens_per_frame: int = session.pipe.token_transformer.config.tokens_per_frame
        # As wide as the VQ-VAE has them: codes in the store may be another's than the token transformer's.
        self.codes = torch.zeros(plan.latents, session.pipe.codes_per_frame, dtype=torch.long)
        self._cuda_graph = cuda_graph
        self._decoder: TokenDecoder | None = None

    def events(self) -> Iterator[Sampling | TokensReady]:
        """All segments: Sampling a latent frame that the store does not hold, TokensReady for the whole."""
        for segment in self.session.request.plan.segments:
            found = []
            for block in segment.blocks:
                found.append((yield from self._block(block)))
            yield TokensReady(
                segment.index, self.codes[segment.start : segment.stop].numpy(), cached=all(found)
            )
        self._decoder = None  # its weights and cache are not needed any more

    def _block(self, block: TokenBlock) -> Generator[Sampling, None, bool]:
        """Fill in the codes of a block; whether they were found in the store."""
        session, key = self.session, self.keys[block.segment, block.index]
        session.check_cancelled()
        found = session.store.get("tokens", key)
        session.report.count("tokens", cached=found is not None)
        if found is not None:
            self.codes[block.start : block.stop] = torch.from_numpy(found["tokens"]).long()
            return True
        session.check_paused()
        for number, codes in enumerate(self._sample(block), start=block.start):
            self.codes[number] = codes
            yield Sampling(number + 1)
        session.store.put("tokens", key, {"tokens": self.codes[block.start : block.stop].int().numpy()})
        return False

    def _sample(self, block: TokenBlock) -> Iterator[Tensor]:
        """Codes (S,) of each latent frame of a block; cancelled between frames."""
        session, request = self.session, self.session.request
        layout, segments = self._layout(block)
        texts = [session.text(segment).items for segment in segments]
        generator = keyed_generator(request.seed(block.segment), block.segment, block.index, TOKENS)
        uniforms = torch.rand(block.latents * self.tokens_per_frame, generator=generator)
        model = session.pipe.token_transformer
        with session.report.timed("tokens"), _one_thread(model.device):
            embeds, positions = embed_prefill(
                model,
                layout,
                self.codes[: block.start].flatten(),
                texts,
                guidance=request.sampling.guidance_scale != 1,
            )
            before = self.codes[block.start - 1] if block.start else None
            frames = self._token_decoder().frames(embeds, positions, uniforms, request.sampling, before)
        for _ in range(block.latents):
            session.check_cancelled()
            with session.report.timed("tokens"), _one_thread(model.device):
                codes = next(frames)
            yield codes

    def _layout(self, block: TokenBlock) -> tuple[Layout, list[int]]:
        """The prefill's layout, its texts numbered in their order of use, and which segments' they are."""
        plan = self.session.request.plan
        known = plan.segments[: block.segment + 1]
        layout = block_layout(
            [segment.start for segment in known] + [known[-1].stop],
            [self.session.text_length(segment.index) for segment in known],
            block.start,
            block.stop,
            tokens_per_frame=self.tokens_per_frame,
        ).prefix()
        used = sorted({segment for segment in layout.text if segment >= 0})
        numbers = {segment: number for number, segment in enumerate(used)} | {-1: -1}
        return replace(layout, text=[numbers[segment] for segment in layout.text]), used

    def _token_decoder(self) -> TokenDecoder:
        if self._decoder is None:
            self._check_sizes()
            # Room for the longest sequence of any story: a fixed size, so that no bit depends on it.
            frames = ANCHOR + WINDOW + MAX_BLOCK
            length = frames * self.tokens_per_frame + _MOST_TEXTS * self.session.pipe.text_items
            model = self.session.pipe.token_transformer
            self._decoder = TokenDecoder(model, max_length=length, cuda_graph=self._cuda_graph)
        return self._decoder

    def _check_sizes(self) -> None:
        if self.tokens_per_frame != self.codes.shape[1]:
            made, read = self.tokens_per_frame, self.codes.shape[1]
            raise ModelError(
                f"the token transformer makes {made} tokens a latent frame and the VQ-VAE reads {read}; "
                "use a pair."
            )


def _one_thread(device: torch.device) -> AbstractContextManager[None]:
    """One CPU thread inside: a pass is too little work to share.

    On two free cores two threads take 1.4 ms a token and one takes 2.2; where other work keeps the cores busy
    two wait for each other and take 12.8, one 4.4 (EPYC). And no token depends on the number of cores.
    """
    return one_thread() if device.type == "cpu" else nullcontext()
