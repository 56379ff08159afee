"""From the measures of films and of the true films of the same scripts to the values of the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from arlon_core.evaluation.measures import SegmentMeasure, StoryMeasure
from arlon_core.evaluation.metrics import quality
from arlon_core.evaluation.metrics.distance import Moments, frechet_distance, likeness, weighted_sum
from arlon_core.evaluation.metrics.seams import seam_ratios
from arlon_core.evaluation.statistics import Interval, Tally, bootstrap, ratio_interval
from arlon_core.models.judge import ATTRIBUTES

# The paper's columns, in its order (reference: VBench, eleven of its dimensions).
VBENCH = (
    "dynamic_degree", "aesthetic_quality", "imaging_quality", "subject_consistency",
    "background_consistency", "motion_smoothness", "temporal_flickering", "temporal_style",
    "overall_consistency", "scene", "object_class",
)  # fmt: skip
_DISTANCE_RESAMPLES = 200  # an eigenvalue problem each

Values = dict[str, Interval]
# For each story the chunk borders of each of its segments, in frames of the segment.
Borders = Sequence[Sequence[Sequence[int]]]


def summarise(
    own: Sequence[StoryMeasure], true: Sequence[StoryMeasure], borders: Borders
) -> tuple[Values, Values]:
    """The values of films by name, and those of the true films.

    Names: `vbench.*`; `accuracy.*`, of the true films as it is and of the others relative to it; `drift` and
    `seams`, relative to the true films (1 on them); `frechet_distance`. Raises ValueError when the stories of
    the two are not the same.
    """
    if [film.number for film in own] != [film.number for film in true]:
        raise ValueError("films and true films must be of the same stories, in the same order")
    values = {f"accuracy.{name}": accuracy(own, true, name) for name in ATTRIBUTES}
    of_true = {f"accuracy.{name}": right(true, name).interval() for name in ATTRIBUTES}
    for films, found in ((own, values), (true, of_true)):
        found |= {f"vbench.{name}": metric(films, true, name) for name in VBENCH}
        found["frechet_distance"] = _distance(films, true, lambda distance: distance)
        found["drift"] = Tally.of(_drifts(films, true)).interval()
        found["seams"] = ratio_interval(_seams(films, borders), _seams(true, borders))
    return values, of_true


def accuracy(own: Sequence[StoryMeasure], true: Sequence[StoryMeasure], name: str) -> Interval:
    """How often an attribute is read as the script says, relative to the true films."""
    return ratio_interval(right(own, name), right(true, name))


def right(films: Sequence[StoryMeasure], name: str) -> Tally:
    """How often an attribute is read as the script says, where it can be seen."""
    return _per_segment(films, lambda segment: segment.right.get(name))


def metric(films: Sequence[StoryMeasure], true: Sequence[StoryMeasure], name: str) -> Interval:
    """One of VBENCH, a mean over segments, or over all windows where it speaks of the whole."""
    if name == "aesthetic_quality":
        return _distance(films, true, likeness)
    if name == "imaging_quality":
        return Tally.of(_imaging(films, true)).interval()
    return _per_segment(films, lambda segment: segment.scores.get(name)).interval()


def _per_segment(films: Sequence[StoryMeasure], value: Callable[[SegmentMeasure], float | None]) -> Tally:
    found = [[value(segment) for segment in film.segments] for film in films]
    return Tally.of([[float(each) for each in story if each is not None] for story in found])


def _imaging(films: Sequence[StoryMeasure], true: Sequence[StoryMeasure]) -> list[list[float]]:
    return [
        [
            quality.imaging_quality(np.array(a.octaves), np.array(b.octaves))
            for a, b in zip(film.segments, other.segments, strict=True)
        ]
        for film, other in zip(films, true, strict=True)
    ]


def _drifts(films: Sequence[StoryMeasure], true: Sequence[StoryMeasure]) -> list[list[float]]:
    pairs = zip(films, true, strict=True)
    return [[quality.drift_against(film.drift, other.drift)] for film, other in pairs]


def _seams(films: Sequence[StoryMeasure], borders: Borders) -> Tally:
    return Tally.of(
        [
            [
                ratio
                for segment, places in zip(film.segments, story, strict=True)
                for ratio in seam_ratios(np.array(segment.steps), places)
            ]
            for film, story in zip(films, borders, strict=True)
        ]
    )


def _distance(
    films: Sequence[StoryMeasure], true: Sequence[StoryMeasure], score: Callable[[float], float]
) -> Interval:
    """The Fréchet distance between the windows of films and of true films, or a score of it."""
    own_parts = [Moments.of(film.embeddings) for film in films]
    true_parts = [Moments.of(film.embeddings) for film in true]

    def distances(weights: np.ndarray) -> np.ndarray:
        return np.array(
            [
                score(frechet_distance(weighted_sum(own_parts, row), weighted_sum(true_parts, row)))
                for row in weights
            ]
        )

    return bootstrap(distances, len(films), resamples=_DISTANCE_RESAMPLES)
