"""From the measures of films and of the true films of the same scripts to the values of the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from arlon_core.evaluation.measures import IDENTITY, EndMeasure, SegmentMeasure, StoryMeasure
from arlon_core.evaluation.metrics import quality
from arlon_core.evaluation.metrics.distance import distance_between, likeness
from arlon_core.evaluation.metrics.seams import seam_ratios
from arlon_core.evaluation.statistics import Interval, Quantity, Tally
from arlon_core.models.judge import ATTRIBUTES
from arlon_core.world.script import CHANGES

# The paper's columns, in its order (reference: VBench, eleven of its dimensions).
VBENCH = (
    "dynamic_degree", "aesthetic_quality", "imaging_quality", "subject_consistency",
    "background_consistency", "motion_smoothness", "temporal_flickering", "temporal_style",
    "overall_consistency", "scene", "object_class",
)  # fmt: skip
# What is compared between the first and the last tenth of a film: VBench's seven metrics of quality, and
# overall consistency, which the paper's table of long videos has too.
TENTHS = VBENCH[:7] + ("overall_consistency",)
ALL = "all"  # changes of any attribute
CHANGED = (*CHANGES, ALL)
BOTH = "both"  # subject and colour
SAME = (*IDENTITY, BOTH)

Films = Sequence[StoryMeasure]
Values = dict[str, Interval]
Quantities = dict[str, Quantity]
# For each story the chunk borders of each of its segments, in frames of the segment.
Borders = Sequence[Sequence[Sequence[int]]]


def value_names() -> list[str]:
    """The names of all values of a report."""
    groups = {
        "accuracy": ATTRIBUTES, "vbench": VBENCH, "obeyed": CHANGED, "lag": CHANGED, "tenths": TENTHS,
        "identity": SAME,
    }  # fmt: skip
    named = [f"{group}.{name}" for group, names in groups.items() for name in names]
    return [*named, "drift", "seams", "frechet_distance"]


def summarise(own: Films, true: Films, borders: Borders) -> tuple[Values, Values]:
    """The values of films by name, and those of the true films. Raises ValueError as `quantities` does."""
    return intervals(quantities(own, true, borders)), intervals(true_quantities(true, borders))


def intervals(found: Quantities) -> Values:
    """Each quantity's value with its interval."""
    return {name: quantity.interval() for name, quantity in found.items()}


def quantities(own: Films, true: Films, borders: Borders) -> Quantities:
    """What is made of films, by name, in the order of `value_names`, nothing of it computed yet.

    `accuracy.*`, `obeyed.*`, `identity.*`, `tenths.*`, `drift` and `seams` are relative to the true films,
    and 1 on them; `lag.*` is the difference to them in frames. Raises ValueError when the stories of the two
    are not the same.
    """
    if [film.number for film in own] != [film.number for film in true]:
        raise ValueError("films and true films must be of the same stories, in the same order")
    return {
        **{f"accuracy.{name}": right(own, name) / right(true, name) for name in ATTRIBUTES},
        **{f"vbench.{name}": metric(own, true, name) for name in VBENCH},
        **{f"obeyed.{name}": obeyed(own, name) / obeyed(true, name) for name in CHANGED},
        **{f"lag.{name}": later(own, true, name) for name in CHANGED},
        **{f"tenths.{name}": tenths(own, true, name) / tenths(true, true, name) for name in TENTHS},
        **{f"identity.{name}": same(own, name) / same(true, name) for name in SAME},
        "drift": Tally.of(_drifts(own, true)).quantity(),
        "seams": _seams(own, borders) / _seams(true, borders),
        "frechet_distance": distance_between(_windows(own), _windows(true)),
    }


def true_quantities(true: Films, borders: Borders) -> Quantities:
    """The same of the true films, but what others are given relative to as it is."""
    return quantities(true, true, borders) | {
        **{f"accuracy.{name}": right(true, name) for name in ATTRIBUTES},
        **{f"obeyed.{name}": obeyed(true, name) for name in CHANGED},
        **{f"lag.{name}": lags(true, name) for name in CHANGED},
        **{f"tenths.{name}": tenths(true, true, name) for name in TENTHS},
        **{f"identity.{name}": same(true, name) for name in SAME},
    }


# -- segments -------------------------------------------------------------------------------------------


def right(films: Films, name: str) -> Quantity:
    """How often an attribute is read as the script says, where it can be seen."""
    return _per_segment(films, lambda segment: segment.right.get(name))


def metric(films: Films, true: Films, name: str) -> Quantity:
    """One of VBENCH, a mean over segments, or over all windows where it speaks of the whole."""
    if name == "aesthetic_quality":
        return distance_between(_windows(films), _windows(true), likeness)
    if name == "imaging_quality":
        return Tally.of(_imaging(films, true)).quantity()
    return _per_segment(films, lambda segment: segment.scores.get(name))


def _per_segment(films: Films, value: Callable[[SegmentMeasure], float | None]) -> Quantity:
    found = [[value(segment) for segment in film.segments] for film in films]
    return Tally.of([[float(each) for each in story if each is not None] for story in found]).quantity()


def _imaging(films: Films, true: Films) -> list[list[float]]:
    return [
        [_likeness_of_detail(a, b) for a, b in zip(film.segments, other.segments, strict=True)]
        for film, other in zip(films, true, strict=True)
    ]


def _likeness_of_detail(own: SegmentMeasure | EndMeasure, true: SegmentMeasure | EndMeasure) -> float:
    return quality.imaging_quality(np.array(own.octaves), np.array(true.octaves))


def _windows(films: Films) -> list[np.ndarray]:
    return [film.embeddings for film in films]


def _drifts(films: Films, true: Films) -> list[list[float]]:
    pairs = zip(films, true, strict=True)
    return [[quality.drift_against(film.drift, other.drift)] for film, other in pairs]


def _seams(films: Films, borders: Borders) -> Quantity:
    ratios = [
        [
            ratio
            for segment, places in zip(film.segments, story, strict=True)
            for ratio in seam_ratios(np.array(segment.steps), places)
        ]
        for film, story in zip(films, borders, strict=True)
    ]
    return Tally.of(ratios).quantity()


# -- changes of the prompt ------------------------------------------------------------------------------


def obeyed(films: Films, name: str) -> Quantity:
    """How often a change of an attribute, or of any, is read in the last third of its segment."""
    found = [
        [float(segment.right[each]) for segment in film.segments for each in _changes(segment, name)]
        for film in films
    ]
    return Tally.of(found).quantity()


def lags(films: Films, name: str) -> Quantity:
    """Frames until a change is seen, the mean over those that are."""
    found = [
        [segment.lags[each] for segment in film.segments for each in _changes(segment, name)]
        for film in films
    ]
    return Tally.of([[float(frames) for frames in story if frames is not None] for story in found]).quantity()


def later(films: Films, true: Films, name: str) -> Quantity:
    """How many frames later than in the true film a change is seen, the mean over those seen in both."""
    found = [
        [
            float(own - others)
            for segment, other in zip(film.segments, true_film.segments, strict=True)
            for each in _changes(segment, name)
            if (own := segment.lags[each]) is not None and (others := other.lags[each]) is not None
        ]
        for film, true_film in zip(films, true, strict=True)
    ]
    return Tally.of(found).quantity()


def _changes(segment: SegmentMeasure, name: str) -> list[str]:
    return [each for each in segment.lags if name in (each, ALL)]


# -- the first and the last tenth -----------------------------------------------------------------------


def tenths(films: Films, true: Films, name: str) -> Quantity:
    """One of TENTHS in the last tenths of films, divided by the same in their first tenths."""
    first, last = (_of_ends(films, true, name, end) for end in (0, 1))
    return last / first


def _of_ends(films: Films, true: Films, name: str, end: int) -> Quantity:
    if name == "aesthetic_quality":
        own, others = ([film.end_embeddings[end] for film in each] for each in (films, true))
        return distance_between(own, others, likeness)
    pairs = [(film.ends[end], other.ends[end]) for film, other in zip(films, true, strict=True)]
    if name == "imaging_quality":
        return Tally.of([[_likeness_of_detail(own, other)] for own, other in pairs]).quantity()
    return Tally.of([[own.scores[name]] if name in own.scores else [] for own, _ in pairs]).quantity()


def same(films: Films, name: str) -> Quantity:
    """How often the last tenth is still read as the first segment: its subject, its colour, or both."""
    asked = IDENTITY if name == BOTH else (name,)
    found = [film.ends[1].same for film in films]
    return Tally.of(
        [[float(all(each[n] for n in asked))] if all(n in each for n in asked) else [] for each in found]
    ).quantity()
