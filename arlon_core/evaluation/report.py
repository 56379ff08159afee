"""The report of a measurement: JSON for machines, Markdown for people, contact sheets for eyes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from arlon_core.errors import ArlonError
from arlon_core.evaluation.held_out import HeldOutStory
from arlon_core.evaluation.measures import StoryMeasure
from arlon_core.evaluation.sheets import save_sheet
from arlon_core.evaluation.statistics import CONFIDENCE, MARGIN, Bar, Interval
from arlon_core.evaluation.summary import VBENCH, Values
from arlon_core.generation.output import output_errors, write_json
from arlon_core.media.contact_sheet import contact_sheet
from arlon_core.models.judge import ATTRIBUTES
from arlon_core.store.atomic import replacing

_ON_A_SHEET = 8  # stories
_WIDTH = 192  # of a picture on a sheet, pixels


@dataclass(frozen=True)
class Report:
    """What was measured, of what, and with what."""

    name: str
    settings: Mapping[str, Any]
    values: Values
    of_true: Values
    films: Sequence[StoryMeasure]
    bars: Sequence[Bar] = field(default_factory=tuple)

    def bar_lines(self) -> list[tuple[Bar, Interval, bool]]:
        """Each bar with its value, and whether it holds. Raises ArlonError for a bar on an unknown value."""
        check_bars(self.bars, self.values)
        return [(bar, self.values[bar.name], bar.holds(self.values[bar.name])) for bar in self.bars]


def check_bars(bars: Sequence[Bar], names: Iterable[str]) -> None:
    """Raises ArlonError for a bar on a value that no report has."""
    known = sorted(names)
    for bar in bars:
        if bar.name not in known:
            raise ArlonError(f"no report has a value {bar.name!r}; choose one of {', '.join(known)}.")


def value_names() -> list[str]:
    """The names of all values of a report."""
    named = [f"accuracy.{name}" for name in ATTRIBUTES] + [f"vbench.{name}" for name in VBENCH]
    return [*named, "frechet_distance", "drift", "seams"]


# -- JSON and Markdown ----------------------------------------------------------------------------------


def write_report(report: Report, folder: Path) -> None:
    """Write `report.json` and `report.md` into `folder`. Raises OutputError or ArlonError."""
    write_json(folder / "report.json", report_json(report))
    path = folder / "report.md"
    with output_errors(path), replacing(path) as partial:
        partial.write_text(report_markdown(report), encoding="utf-8")


def report_json(report: Report) -> dict[str, Any]:
    """Everything, each story's own measures included."""
    return {
        "settings": dict(report.settings),
        "stories": len(report.films),
        "segments": sum(len(film.segments) for film in report.films),
        "confidence": CONFIDENCE,
        "values": {name: interval.record() for name, interval in report.values.items()},
        "true_films": {name: interval.record() for name, interval in report.of_true.items()},
        "bars": [
            {"bar": str(bar), "margin": MARGIN, **interval.record(), "holds": holds}
            for bar, interval, holds in report.bar_lines()
        ],
        "films": [film.record() for film in report.films],
    }


def report_markdown(report: Report) -> str:
    """Tables of all values with their intervals."""
    segments = sum(len(film.segments) for film in report.films)
    lines = [
        f"# {report.name}",
        "",
        f"{len(report.films)} test stories, {segments} segments; in brackets {CONFIDENCE:.0%} bootstrap "
        "intervals over stories. What each value means: docs/evaluation.md.",
        "",
        *(f"- {name}: {value}" for name, value in report.settings.items()),
        "",
        "## What is read in a segment's last third, relative to the true films",
        "",
        "| attribute | relative accuracy | on the true films |",
        "|---|---|---|",
        *_rows(report, [f"accuracy.{name}" for name in ATTRIBUTES]),
        "",
        "## VBench's metrics, with stand-ins",
        "",
        "| metric | films | true films |",
        "|---|---|---|",
        *_rows(report, [f"vbench.{name}" for name in VBENCH]),
        "",
        "## Long films, relative to the true films (1 is as good as true)",
        "",
        "| value | films | true films |",
        "|---|---|---|",
        *_rows(report, ["drift", "seams", "frechet_distance"]),
    ]
    if report.bars:
        lines += ["", f"## Bars (hold when the interval's end is within {MARGIN:g} of them)", ""]
        lines += ["| bar | value | holds |", "|---|---|---|"]
        lines += [
            f"| {bar} | {_words(interval)} | {'yes' if holds else 'no'} |"
            for bar, interval, holds in report.bar_lines()
        ]
    return "\n".join(lines) + "\n"


def _rows(report: Report, names: Sequence[str]) -> list[str]:
    return [
        f"| {name.partition('.')[2].replace('_', ' ') or name.replace('_', ' ')} | "
        f"{_words(report.values[name])} | {_words(report.of_true[name])} |"
        for name in names
    ]


def _words(interval: Interval) -> str:
    if interval.value != interval.value:  # nan
        return "nothing to measure"
    return f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


# -- sheets ---------------------------------------------------------------------------------------------


def write_sheets(
    stories: Sequence[HeldOutStory],
    films: Sequence[StoryMeasure],
    true: Sequence[StoryMeasure],
    name: str,
    folder: Path,
) -> list[Path]:
    """Sheets of all stories in order: the true film above the model's, and what was read wrong below.

    Gives the paths, `sheet-1.png` and so on. Raises OutputError.
    """
    paths = []
    for number, first in enumerate(range(0, len(stories), _ON_A_SHEET), start=1):
        pictures, captions, titles = [], [], []
        here = slice(first, first + _ON_A_SHEET)
        for held, film, other in zip(stories[here], films[here], true[here], strict=True):
            for row, title in ((other, f"story {film.number}: true film"), (film, name)):
                pictures.append(list(row.pictures))
                captions.append(_captions(held, row, prompts=row is other))
                titles.append(title)
        path = folder / f"sheet-{number}.png"
        save_sheet(contact_sheet(pictures, captions, titles, width=_WIDTH), path)
        paths.append(path)
    return paths


def _captions(held: HeldOutStory, film: StoryMeasure, prompts: bool) -> list[str]:
    captions = []
    for segment, measure in zip(held.script.segments, film.segments, strict=True):
        wrong = [f"{name}: {measure.read[name]}" for name, right in measure.right.items() if not right]
        said = f"{segment.caption}\n" if prompts else ""
        captions.append(said + (f"[read as {', '.join(wrong)}]" if wrong else "[all read right]"))
    return captions
