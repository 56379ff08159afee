"""The Fréchet distance between two sets of features, and a score made of it.

Heusel et al. 2017 take Inception features; here they are a judge's embeddings of windows of film.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from arlon_core.evaluation.statistics import Quantity

_RESAMPLES = 200  # an eigenvalue problem each


@dataclass(frozen=True)
class Moments:
    """What the distance needs of N features of width E, so that sets can be added."""

    count: float
    total: np.ndarray  # (E,)
    outer: np.ndarray  # (E, E)

    @classmethod
    def of(cls, features: np.ndarray) -> Moments:
        """Of features (N, E)."""
        features = features.astype(np.float64)
        return cls(float(len(features)), features.sum(0), features.T @ features)

    @property
    def mean(self) -> np.ndarray:
        return self.total / self.count

    @property
    def covariance(self) -> np.ndarray:
        return self.outer / self.count - np.outer(self.mean, self.mean)


def weighted_sum(parts: list[Moments], weights: np.ndarray) -> Moments:
    """The moments of all parts together, each taken as often as its weight says."""
    return Moments(
        sum(w * part.count for w, part in zip(weights, parts, strict=True)),
        sum(w * part.total for w, part in zip(weights, parts, strict=True)),  # type: ignore[arg-type]
        sum(w * part.outer for w, part in zip(weights, parts, strict=True)),  # type: ignore[arg-type]
    )


def frechet_distance(own: Moments, true: Moments) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^1/2), a number a dimension, in units of the true variance.

    Dimensions are divided by their standard deviation on true films first, so that no scale of a judge's
    features enters. 0 for equal sets.
    """
    scale = np.sqrt(np.clip(np.diag(true.covariance), 0, None)) + 1e-6
    means = (own.mean - true.mean) / scale
    first, second = (moments.covariance / np.outer(scale, scale) for moments in (own, true))
    root = _root(second)
    # tr (C1 C2)^1/2 is that of (R C1 R)^1/2 with R = C2^1/2, which is symmetric.
    cross = np.sqrt(np.clip(np.linalg.eigvalsh(root @ first @ root), 0, None)).sum()
    distance = means @ means + np.trace(first) + np.trace(second) - 2 * cross
    return float(max(0.0, distance) / len(scale))


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
    own_parts, true_parts = [Moments.of(each) for each in own], [Moments.of(each) for each in true]

    def distance(row: np.ndarray) -> float:
        return frechet_distance(weighted_sum(own_parts, row), weighted_sum(true_parts, row))

    def scores(weights: np.ndarray) -> np.ndarray:
        found = np.array([distance(row) for row in weights])
        moved = found + distance(np.ones(len(own))) - np.median(found)
        return np.array([score(each) for each in np.maximum(moved, 0)])

    return Quantity(scores, len(own), _RESAMPLES)


def _root(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
