"""Keyed randomness: every draw has a name, and the same name gives the same numbers.

Nothing is drawn from one running stream, so what a segment gets does not depend on what was drawn before it,
on what was found in the project, or on where a run was cut. All draws are made on the CPU, in fp32, so that a
seed means the same on every device (our choice of hash and of key).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor

TOKENS = "tokens"  # sampling in the token transformer; part = token block
LATENTS = "latents"  # the noise a chunk starts from; part = chunk


def key_seed(seed: int, segment: int, part: int, stage: str) -> int:
    """A seed of 63 bits from the key (seed, segment, chunk or block, stage)."""
    key = f"arlon/1/{stage}/{seed}/{segment}/{part}".encode()
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "big") >> 1


def keyed_generator(seed: int, segment: int, part: int, stage: str) -> torch.Generator:
    """A CPU generator at the start of the stream that belongs to the key."""
    return torch.Generator("cpu").manual_seed(key_seed(seed, segment, part, stage))


def chunk_noise(shape: Sequence[int], seed: int, segment: int, chunk: int) -> Tensor:
    """Gaussian noise (C, T, h, w) that a chunk's new latents start from: fp32, on the CPU.

    Frames are drawn first, so a chunk of fewer frames starts from the same noise in those it has.
    """
    channels, frames, height, width = shape
    generator = keyed_generator(seed, segment, chunk, LATENTS)
    drawn = [torch.randn((channels, height, width), generator=generator) for _ in range(frames)]
    return torch.stack(drawn, dim=1)
