"""Bootstrap intervals over stories, and bars that a value has to clear.

Segments of one film depend on one another, stories do not; so stories are what is drawn again (Efron 1979,
percentile intervals). A film and the true film of its script are drawn together: they are a pair.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from arlon_core.errors import ArlonError

RESAMPLES = 2000
CONFIDENCE = 0.95
MARGIN = 0.02  # a bar holds when the interval ends no more than this on the wrong side of it
_BAR = re.compile(r"\s*([a-z0-9_.]+)\s*(>=|<=)\s*([0-9.]+)\s*")

# Weights of S stories in R resamples (R, S) -> the R values.
Statistic = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Interval:
    """A value and its bootstrap interval; all are nan where there is nothing to measure."""

    value: float
    low: float
    high: float

    def __neg__(self) -> Interval:
        return Interval(-self.value, -self.high, -self.low)

    def record(self) -> dict[str, float | None]:
        """As JSON values; what is not finite is None."""
        return {
            name: round(number, 6) if np.isfinite(number) else None
            for name, number in (("value", self.value), ("low", self.low), ("high", self.high))
        }


def bootstrap(statistic: Statistic, stories: int, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """The statistic on all stories, and the interval of it on stories drawn again, with replacement.

    statistic: linear or not; it gets each story's weight. Draws are the same for every statistic, so values
    may be compared. Raises ValueError without stories.
    """
    if stories < 1:
        raise ValueError("nothing can be drawn from no stories")
    value = float(statistic(np.ones((1, stories)))[0])
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(stories, np.full(stories, 1 / stories), size=resamples).astype(float)
    values = statistic(weights)
    values = values[np.isfinite(values)]
    if not len(values):
        return Interval(value, float("nan"), float("nan"))
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(values, [tail, 100 - tail])
    return Interval(value, float(low), float(high))


@dataclass(frozen=True)
class Quantity:
    """What is made of S stories, as a function of how often each is drawn.

    Two quantities of the same stories may be set against each other: both then get the same draws, so that
    what a story does to both of them takes no part in the interval.
    """

    statistic: Statistic
    stories: int
    resamples: int = RESAMPLES

    @property
    def value(self) -> float:
        """Of every story once."""
        return float(self.statistic(np.ones((1, self.stories)))[0])

    def interval(self) -> Interval:
        """Its value, with the interval."""
        return bootstrap(self.statistic, self.stories, self.resamples)

    def map(self, function: Callable[[np.ndarray], np.ndarray]) -> Quantity:
        """A function of it."""
        return replace(self, statistic=lambda weights: function(self.statistic(weights)))

    def __truediv__(self, other: Quantity) -> Quantity:
        return self._against(other, np.divide)

    def __sub__(self, other: Quantity) -> Quantity:
        return self._against(other, np.subtract)

    def _against(self, other: Quantity, function: Callable[..., np.ndarray]) -> Quantity:
        if self.stories != other.stories:
            raise ValueError(f"{self.stories} stories cannot be set against {other.stories}")

        def both(weights: np.ndarray) -> np.ndarray:
            with np.errstate(divide="ignore", invalid="ignore"):
                return function(self.statistic(weights), other.statistic(weights))

        return Quantity(both, self.stories, min(self.resamples, other.resamples))


@dataclass(frozen=True)
class Tally:
    """A mean over what stories have several of: the sum and the count of each story, (S,) both."""

    sums: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, values: list[list[float]]) -> Tally:
        """Of one list of values a story; a list may be empty."""
        return cls(np.array([sum(each) for each in values], float), np.array([len(v) for v in values], float))

    def means(self, weights: np.ndarray) -> np.ndarray:
        """The mean in each resample."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return (weights @ self.sums) / (weights @ self.counts)

    def quantity(self) -> Quantity:
        """The mean."""
        return Quantity(self.means, len(self.sums))


@dataclass(frozen=True)
class Bar:
    """What a value has to clear: at least, or at most."""

    name: str
    at_least: bool
    value: float

    def holds(self, interval: Interval) -> bool:
        """Whether the interval's unfavourable end is above the bar minus MARGIN (below it plus MARGIN)."""
        if self.at_least:
            return bool(interval.low > self.value - MARGIN)
        return bool(interval.high < self.value + MARGIN)

    def __str__(self) -> str:
        return f"{self.name} {'>=' if self.at_least else '<='} {self.value:g}"


def parse_bar(text: str) -> Bar:
    """`accuracy.subject>=0.9` or `drift<=1.1` as a Bar. Raises ArlonError."""
    match = _BAR.fullmatch(text)
    try:
        if match is not None:
            return Bar(match.group(1), match.group(2) == ">=", float(match.group(3)))
    except ValueError:
        pass
    raise ArlonError(f'"{text[:60]}" is no bar; write one such as accuracy.subject>=0.9 or drift<=1.1.')
