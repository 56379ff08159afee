"""Errors in what the token transformer reads in training, since in use it reads its own tokens (our choices).

Targets stay the true ones. Shapes: B films of N tokens each.
"""

from __future__ import annotations

import torch
from torch import Tensor

_LATE_FRAMES = 8  # latent frames of a block that may still show what was wrong before
_ALWAYS_WRONG = 0.25  # of the mistaken films are so from their beginning


def corrupt_codes(
    codes: Tensor, codebook_size: int, share: float, generator: torch.Generator | None = None
) -> Tensor:
    """Codes (B, N) with about `share` of them replaced: single errors.

    Half of the replaced ones become random codes, half codes from elsewhere in the same film, which look more
    like the model's own mistakes.
    """
    shape = codes.shape
    draw = torch.rand(2, *shape, device=codes.device, generator=generator)
    anywhere = torch.randint(codebook_size, shape, device=codes.device, generator=generator)
    places = torch.randint(shape[1], shape, device=codes.device, generator=generator)
    wrong = torch.where(draw[1] < 0.5, anywhere, codes.gather(1, places))
    return torch.where(draw[0] < share, wrong, codes)


def late_change(
    tokens: int, tokens_per_frame: int, border: int, start: int, generator: torch.Generator
) -> Tensor:
    """Which token is read in the place of each, (N,) int64: a change of prompt has not come yet.

    From latent frame `border`, where the prompt changed, until one of the first frames of the block that
    begins at `start`, some or all places show the last frame before the border. A model that never saw such
    a film takes it for one in which nothing changes any more, and goes on copying.
    """
    draws = torch.rand(2, generator=generator).tolist()
    until = max(border + 1, start + int(draws[0] * (_LATE_FRAMES + 1)))
    share = 1.0 if draws[1] < 0.5 else 0.5
    late = torch.rand(tokens_per_frame, generator=generator) < share
    sources = torch.arange(tokens).view(-1, tokens_per_frame)
    before = sources[border - 1].clone()
    sources[border:until] = torch.where(late, before, sources[border:until])
    return sources.flatten()


def mistaken_subjects(
    tokens: int, tokens_per_frame: int, frames: int, start: int, generator: torch.Generator
) -> Tensor:
    """Which token is read in the place of each, (N,) int64; from N on they are those of the mistaken film.

    From one of the `frames` latent frames before the block that begins at `start`, or from the very first,
    until one of the block's first frames the film with the wrong subjects is seen (`mistaken_script`).
    """
    draws = torch.rand(3, generator=generator).tolist()
    first = 0 if draws[0] < _ALWAYS_WRONG else max(0, start - int(draws[1] * (frames + 1)))
    until = start + int(draws[2] * (_LATE_FRAMES + 1))
    sources = torch.arange(tokens).view(-1, tokens_per_frame)
    sources[first:until] += tokens
    return sources.flatten()
