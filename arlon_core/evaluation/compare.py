"""Two ways to render the same stories, set against each other value by value.

Stories are drawn again as pairs, one draw for both ways and the true films, so that what makes a story hard
for both takes no part in the verdict.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from arlon_core.errors import ArlonError
from arlon_core.evaluation.measures import StoryMeasure, load_measure, measure_path
from arlon_core.evaluation.statistics import Interval, Quantity, Tally
from arlon_core.evaluation.summary import VBENCH, Borders, quantities
from arlon_core.models.judge import ATTRIBUTES

WORSE_BY = 0.02  # relative: from here on a significant loss counts against the paper's claim
_LESS_IS_BETTER = ("lag.", "drift", "seams", "frechet_distance")
_NEAR_ONE_IS_BETTER = "tenths."
# What an animatic promises of the film is the last of these.
_GIST = ("subject", "place", "time_of_day")
_ALIKE = {**{name: (name,) for name in ATTRIBUTES}, "subject_place_and_time": _GIST}


@dataclass(frozen=True)
class Run:
    """One report of `evaluate measure` with the measures that it was made of."""

    name: str
    settings: Mapping[str, Any]
    films: list[StoryMeasure]
    true: list[StoryMeasure]
    true_keys: list[str]
    borders: Borders


@dataclass(frozen=True)
class Difference:
    """One value of both runs. difference: second minus first; gain: the same, turned so that more is better.
    share: the second divided by the first."""

    name: str
    first: float
    second: float
    difference: Interval
    gain: Interval
    share: Interval

    @property
    def verdict(self) -> str:
        """Whether the second is better than the first: an interval that leaves zero."""
        if self.gain.low > 0:
            return "better"
        return "worse" if self.gain.high < 0 else "no difference"

    @property
    def much_worse(self) -> bool:
        """Significantly worse by more than WORSE_BY: the whole interval of the share lies beyond it."""
        if self.name.startswith(_LESS_IS_BETTER):
            return self.share.low > 1 + WORSE_BY
        return self.share.high < 1 - WORSE_BY


@dataclass(frozen=True)
class Comparison:
    """All values of two runs."""

    first: Run
    second: Run
    differences: list[Difference]
    alike: dict[str, Interval]  # the share of segments of which both are read alike, by attribute

    def count(self, verdict: str) -> int:
        """How many of VBench's eleven have this verdict."""
        return sum(each.verdict == verdict for each in self._eleven)

    @property
    def much_worse(self) -> list[str]:
        """Those of the eleven in which the second is significantly worse by more than WORSE_BY."""
        return [each.name for each in self._eleven if each.much_worse]

    @property
    def _eleven(self) -> list[Difference]:
        return [each for each in self.differences if each.name.startswith("vbench.")]


def load_run(path: Path) -> Run:
    """A report folder, or its report.json, and the measures beside it.

    Raises ArlonError when it is no such report, or when measures are gone or of something else.
    """
    file = path / "report.json" if path.is_dir() else path
    try:
        report = json.loads(file.read_text(encoding="utf-8"))
        films, keys, borders = report["films"], report["true_keys"], report["borders"]
        judge = report["settings"]["judge"].split()[0]  # behind its name stands a hash
        numbers = [(film["number"], film["key"]) for film in films]
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        raise ArlonError(f"{path} is no report of evaluate measure; name the folder it wrote.") from None
    if not keys:
        raise ArlonError(f"{path} is a report of true films; name two of evaluate measure.")
    folder = file.parent.parent / "measures" / judge
    own = [_measure(folder / file.parent.name, number, key) for number, key in numbers]
    true = [_measure(folder / "true", number, key) for (number, _), key in zip(numbers, keys, strict=True)]
    return Run(file.parent.name, report["settings"], own, true, keys, borders)


def _measure(folder: Path, number: int, key: str) -> StoryMeasure:
    path = measure_path(folder, number)
    found = load_measure(path, key)
    if found is None:
        raise ArlonError(f"{path} is gone or of another run; run evaluate measure for {folder.name} again.")
    return found


def compare(first: Run, second: Run) -> Comparison:
    """Raises ArlonError when the two are not of the same stories, size and judge."""
    if first.true_keys != second.true_keys:
        raise ArlonError(
            f"{first.name} and {second.name} are not of the same stories, size and judge; measure both alike."
        )
    one, two = (quantities(run.films, first.true, run.borders) for run in (first, second))
    differences = [_difference(name, one[name], two[name]) for name in one]
    alike = {name: _alike(first, second, each).interval() for name, each in _ALIKE.items()}
    return Comparison(first, second, differences, alike)


def _alike(first: Run, second: Run, names: tuple[str, ...]) -> Quantity:
    """How often all these attributes are read alike in a segment, whatever the script says."""
    return Tally.of(
        [
            [
                float(all(a.read[name] == b.read[name] for name in names))
                for a, b in zip(film.segments, other.segments, strict=True)
            ]
            for film, other in zip(first.films, second.films, strict=True)
        ]
    ).quantity()


def _difference(name: str, one: Quantity, two: Quantity) -> Difference:
    difference = (two - one).interval()
    share = (two / one).interval()
    gain = difference
    if name.startswith(_LESS_IS_BETTER):
        gain = -difference
    elif name.startswith(_NEAR_ONE_IS_BETTER):
        gain = (one.map(_from_one) - two.map(_from_one)).interval()
    return Difference(name, one.value, two.value, difference, gain, share)


def _from_one(values: np.ndarray) -> np.ndarray:
    """How far ratios are from 1, up or down alike."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.abs(np.log(values))


# -- telling it -----------------------------------------------------------------------------------------


def comparison_json(found: Comparison) -> dict[str, Any]:
    """Everything as JSON values."""
    return {
        "first": {"name": found.first.name, "settings": dict(found.first.settings)},
        "second": {"name": found.second.name, "settings": dict(found.second.settings)},
        "stories": len(found.first.films),
        "better": found.count("better"),
        "worse": found.count("worse"),
        "much_worse": found.much_worse,
        "values": {each.name: _record(each) for each in found.differences},
        "alike": {name: interval.record() for name, interval in found.alike.items()},
    }


def _record(each: Difference) -> dict[str, Any]:
    values = {"first": each.first, "second": each.second}
    return {
        **{name: round(value, 6) if np.isfinite(value) else None for name, value in values.items()},
        "difference": each.difference.record(),
        "share": each.share.record(),
        "verdict": each.verdict,
    }


def comparison_markdown(found: Comparison) -> str:
    """One table of all values, and the count over VBench's eleven."""
    first, second = found.first.name, found.second.name
    lines = [
        f"# {second} against {first}",
        "",
        f"{len(found.first.films)} stories, drawn again as pairs; in brackets the difference's interval.",
        "Less is better of lag, drift, seams and distance; tenths are the better the nearer they are to 1.",
        "",
        f"| value | {first} | {second} | difference | the second is |",
        "|---|---|---|---|---|",
        *(_row(each) for each in found.differences if np.isfinite(each.difference.value)),
        "",
        f"Of VBench's {len(VBENCH)} metrics {second} is significantly better in {found.count('better')} and",
        f"worse in {found.count('worse')}; significantly worse by more than {WORSE_BY:.0%} in "
        f"{len(found.much_worse)}{_named(found.much_worse)}.",
        "",
        "Segments of which both are read alike, whatever the script says: "
        + ", ".join(f"{_words(name)} {_share(each)}" for name, each in found.alike.items())
        + ".",
    ]
    return "\n".join(lines) + "\n"


def _row(each: Difference) -> str:
    value, low, high = each.difference.value, each.difference.low, each.difference.high
    return (
        f"| {each.name.replace('_', ' ')} | {each.first:.3f} | {each.second:.3f} | "
        f"{value:+.3f} [{low:+.3f}, {high:+.3f}] | {each.verdict} |"
    )


def _words(name: str) -> str:
    return name.replace("_", " ")


def _share(interval: Interval) -> str:
    return f"{interval.value:.1%} [{interval.low:.1%}, {interval.high:.1%}]"


def _named(names: list[str]) -> str:
    return f" ({', '.join(name.partition('.')[2].replace('_', ' ') for name in names)})" if names else ""
