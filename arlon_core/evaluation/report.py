"""The report of a measurement: JSON for machines, Markdown for people, contact sheets for eyes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

from PIL import Image

from arlon_core.errors import ArlonError
from arlon_core.evaluation.held_out import HeldOutStory
from arlon_core.evaluation.measures import StoryMeasure
from arlon_core.evaluation.sheets import save_sheets
from arlon_core.evaluation.statistics import CONFIDENCE, MARGIN, Bar, Interval
from arlon_core.evaluation.summary import CHANGED, SAME, TENTHS, VBENCH, Borders, Values
from arlon_core.generation.output import output_errors, write_json
from arlon_core.media.contact_sheet import contact_sheet
from arlon_core.models.judge import ATTRIBUTES
from arlon_core.store.atomic import replacing

_ON_A_SHEET = 8  # stories
_WIDTH = 192  # of a picture on a sheet, pixels


@dataclass(frozen=True)
class Report:
    """What was measured, of what, and with what.

    true_keys: of the true films' measures, a story each; equal keys mean the same script, size and judge.
    borders: the films' chunk borders. by_kind: the values of each kind of story, where the set has several.
    """

    name: str
    settings: Mapping[str, Any]
    values: Values
    of_true: Values
    films: Sequence[StoryMeasure]
    bars: Sequence[Bar] = field(default_factory=tuple)
    true_keys: Sequence[str] = ()
    borders: Borders = ()
    by_kind: Mapping[str, Values] = field(default_factory=dict)

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


# -- JSON and Markdown ----------------------------------------------------------------------------------


def write_report(report: Report, folder: Path) -> None:
    """Write `report.json` and `report.md` into `folder`, which is made. Raises OutputError or ArlonError."""
    with output_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
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
        "values": _records(report.values),
        "true_films": _records(report.of_true),
        "by_kind": {kind: _records(values) for kind, values in report.by_kind.items()},
        "bars": [
            {"bar": str(bar), "margin": MARGIN, **interval.record(), "holds": holds}
            for bar, interval, holds in report.bar_lines()
        ],
        "films": [film.record() for film in report.films],
        "true_keys": list(report.true_keys),
        "borders": [[list(segment) for segment in story] for story in report.borders],
    }


def _records(values: Values) -> dict[str, dict[str, float | None]]:
    return {name: interval.record() for name, interval in values.items()}


def report_markdown(report: Report) -> str:
    """Tables of all values with their intervals."""
    segments = sum(len(film.segments) for film in report.films)
    lines = [
        f"# {report.name}",
        "",
        f"{len(report.films)} stories, {segments} segments; in brackets {CONFIDENCE:.0%} bootstrap "
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
        "## Progressive prompts: what a prompt changes",
        "",
        "Obeyed is relative to the true films. Lag is how many frames later than in the true film the change",
        "is seen; of the true films it is the frames from the border until it is.",
        "",
        "| change of | obeyed | of the true films | lag | of the true films |",
        "|---|---|---|---|---|",
        *_change_rows(report),
        "",
        "## Long films, relative to the true films (1 is as good as true)",
        "",
        "| value | films | true films |",
        "|---|---|---|",
        *_rows(report, ["drift", "seams", "frechet_distance"]),
        "",
        "## The last tenth of a film against its first, relative to the same of the true films",
        "",
        "| value | films | true films |",
        "|---|---|---|",
        *_rows(report, [f"tenths.{name}" for name in TENTHS]),
        *_rows(report, [f"identity.{name}" for name in SAME], "identity: "),
    ]
    if report.by_kind:
        lines += _kind_lines(report)
    if report.bars:
        lines += ["", f"## Bars (hold when the interval's end is within {MARGIN:g} of them)", ""]
        lines += ["| bar | value | holds |", "|---|---|---|"]
        lines += [
            f"| {bar} | {_words(interval)} | {'yes' if holds else 'no'} |"
            for bar, interval, holds in report.bar_lines()
        ]
    return "\n".join(lines) + "\n"


def _rows(report: Report, names: Sequence[str], prefix: str = "") -> list[str]:
    return [
        f"| {prefix}{_short(name)} | {_words(report.values[name])} | {_words(report.of_true[name])} |"
        for name in names
    ]


def _change_rows(report: Report) -> list[str]:
    return [
        f"| {name.replace('_', ' ')} | "
        + " | ".join(
            _words(values[f"{what}.{name}"])
            for what in ("obeyed", "lag")
            for values in (report.values, report.of_true)
        )
        + " |"
        for name in CHANGED
    ]


def _kind_lines(report: Report) -> list[str]:
    """The values that speak of whole films, for each kind of story."""
    names = [f"tenths.{name}" for name in TENTHS] + [f"identity.{name}" for name in SAME]
    kinds = list(report.by_kind)
    return [
        "",
        "## By kind of story",
        "",
        f"| value | {' | '.join(kinds)} |",
        "|---" * (1 + len(kinds)) + "|",
        *(
            f"| {name.replace('.', ': ').replace('_', ' ')} | "
            + " | ".join(_words(report.by_kind[kind][name]) for kind in kinds)
            + " |"
            for name in ["drift", "seams", *names]
        ),
    ]


def _short(name: str) -> str:
    return (name.partition(".")[2] or name).replace("_", " ")


def _words(interval: Interval) -> str:
    if not isfinite(interval.value):  # nothing was counted, or it is set against a nought
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

    Gives the paths, `sheet-1.webp` and so on. Raises OutputError.
    """
    return save_sheets(_sheets(stories, films, true, name), folder, "sheet")


def _sheets(
    stories: Sequence[HeldOutStory], films: Sequence[StoryMeasure], true: Sequence[StoryMeasure], name: str
) -> Iterator[Image.Image]:
    for first in range(0, len(stories), _ON_A_SHEET):
        pictures, captions, titles = [], [], []
        here = slice(first, first + _ON_A_SHEET)
        for held, film, other in zip(stories[here], films[here], true[here], strict=True):
            for row, title in ((other, f"story {film.number}: true film"), (film, name)):
                pictures.append(list(row.pictures))
                captions.append(_captions(held, row, prompts=row is other))
                titles.append(title)
        yield contact_sheet(pictures, captions, titles, width=_WIDTH)


def _captions(held: HeldOutStory, film: StoryMeasure, prompts: bool) -> list[str]:
    captions = []
    for segment, measure in zip(held.script.segments, film.segments, strict=True):
        wrong = [f"{name}: {measure.read[name]}" for name, right in measure.right.items() if not right]
        said = f"{segment.caption}\n" if prompts else ""
        captions.append(said + (f"[read as {', '.join(wrong)}]" if wrong else "[all read right]"))
    # A film of one segment is shown in several pictures.
    return captions + [""] * (len(film.pictures) - len(captions))
