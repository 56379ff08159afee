"""The Fréchet distance between two sets of features, and a score made of it.

Heusel et al. 2017 take Inception features; here they are a judge's embeddings of windows of film.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from arlon_core.evaluation.statistics import Quantity
from arlon_core.models.one_thread import one_thread

_RESAMPLES = 200  # an eigenvalue problem each
_TOGETHER = 25  # of them, so that memory stays small


@dataclass(frozen=True)
class Moments:
    """What the distance needs of sets of features of width E, so that sets can be added. fp64.

    The shapes may be led by others, for several sets at once.
    """

    count: Tensor  # ()
    total: Tensor  # (E,)
    outer: Tensor  # (E, E)

    @classmethod
    def of(cls, features: np.ndarray) -> Moments:
        """Of one set of features (N, E)."""
        found = torch.from_numpy(features.astype(np.float64))
        return cls(torch.tensor(float(len(found)), dtype=found.dtype), found.sum(0), found.T @ found)

    @classmethod
    def stacked(cls, sets: Sequence[Moments]) -> Moments:
        """Several sets side by side, led by (S,)."""
        found = zip(*((each.count, each.total, each.outer) for each in sets), strict=True)
        return cls(*map(torch.stack, found))

    def drawn(self, weights: Tensor) -> Moments:
        """Of S sets together, each taken as often as weights (R, S) say: led by (R,)."""
        return Moments(*(torch.tensordot(weights, each, 1) for each in (self.count, self.total, self.outer)))

    @property
    def mean(self) -> Tensor:
        return self.total / self.count[..., None]

    @property
    def covariance(self) -> Tensor:
        mean = self.mean
        return self.outer / self.count[..., None, None] - mean[..., None] * mean[..., None, :]


def frechet_distance(own: Moments, true: Moments) -> Tensor:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^1/2), a number a dimension, in units of the true variance.

    Dimensions are divided by their standard deviation on true films first, so that no scale of a judge's
    features enters. 0 for equal sets. Of several sets at once, one for each.
    """
    scale = true.covariance.diagonal(dim1=-2, dim2=-1).clamp_min(0).sqrt() + 1e-6
    means = (own.mean - true.mean) / scale
    first, second = (moments.covariance / (scale[..., None] * scale[..., None, :]) for moments in (own, true))
    root = _root(second)
    # tr (C1 C2)^1/2 is that of (R C1 R)^1/2 with R = C2^1/2, which is symmetric.
    cross = torch.linalg.eigvalsh(root @ first @ root).clamp_min(0).sqrt().sum(-1)
    traces = (first + second).diagonal(dim1=-2, dim2=-1).sum(-1)
    return (means.square().sum(-1) + traces - 2 * cross).clamp_min(0) / scale.shape[-1]


def likeness(distance: float) -> float:
    """A Fréchet distance as a score of 0..1: exp(-distance)."""
    return float(np.exp(-distance))


def distance_between(
    own: Sequence[np.ndarray], true: Sequence[np.ndarray], score: Callable[[float], float] = float
) -> Quantity:
    """The Fréchet distance between the features (N, E) of stories' films and of their true films, or a score
    of it.

    The fewer features, the larger it is, and a story drawn twice adds none: resamples lie above the distance
    of all stories, often with their whole interval. So they are moved until their median is that distance
    (our choice): the interval says how far it would scatter in as many other stories.
    """
    own_sets, true_sets = (Moments.stacked([Moments.of(each) for each in sets]) for sets in (own, true))

    def distances(weights: np.ndarray) -> np.ndarray:
        # Matrices this small take several times as long when cores share them.
        with one_thread():
            draws = torch.from_numpy(weights.astype(np.float64)).split(_TOGETHER)
            found = [frechet_distance(own_sets.drawn(each), true_sets.drawn(each)) for each in draws]
        return torch.cat(found).numpy()

    def scores(weights: np.ndarray) -> np.ndarray:
        found = distances(weights)
        moved = found + distances(np.ones((1, len(own)))) - np.median(found)
        return np.array([score(each) for each in np.maximum(moved, 0)])

    return Quantity(scores, len(own), _RESAMPLES)


def _root(matrices: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(matrices)
    return (vectors * values.clamp_min(0).sqrt()[..., None, :]) @ vectors.mT
