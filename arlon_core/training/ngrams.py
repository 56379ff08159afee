"""The trigram model that the AR model has to beat: interpolated counts, as in Jelinek and Mercer (1980)."""

from __future__ import annotations

import math

import numpy as np
from torch import Tensor

_WEIGHTS = (0.55, 0.3, 0.149, 0.001)  # trigram, bigram, unigram, uniform


def trigram_bits(train: Tensor, held_out: Tensor, codebook_size: int) -> float:
    """Bits a token on `held_out` (B, N), with counts from `train` (A, N): codes in reading order."""
    one, two, three = _grams(train, codebook_size)
    counts = [dict(zip(*np.unique(grams, return_counts=True), strict=True)) for grams in (one, two, three)]
    total = len(one)
    bits = 0.0
    tests = _grams(held_out, codebook_size, whole=True)
    for c, bc, abc in zip(*tests, strict=True):
        ab, b = abc // codebook_size, bc // codebook_size
        trigram = counts[2].get(abc, 0) / max(1, counts[1].get(ab, 0))
        bigram = counts[1].get(bc, 0) / max(1, counts[0].get(b, 0))
        parts = (trigram, bigram, counts[0].get(c, 0) / total, 1 / codebook_size)
        bits -= math.log2(sum(w * p for w, p in zip(_WEIGHTS, parts, strict=True)))
    return bits / len(tests[0])


def _grams(codes: Tensor, base: int, whole: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes as numbers of one, two and three digits; `whole` keeps only places that have all three."""
    c = codes.cpu().numpy().astype(np.int64)
    one, two = c, c[:, :-1] * base + c[:, 1:]
    three = two[:, :-1] * base + c[:, 2:]
    if whole:
        one, two = one[:, 2:], two[:, 1:]
    return one.ravel(), two.ravel(), three.ravel()
