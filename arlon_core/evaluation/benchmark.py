"""Measure films of the test set: make them, measure them, keep what was measured, report.

Everything is kept below one folder as it is made, so a run that was cut goes on where it was:

    films/<name>/<story>/          projects or clips; may be deleted once measured
    measures/<name>/<story>.npz    what was measured
    <name>/report.json, report.md, sheet-1.png ...

where <name> is `true`, or the model's with its way of rendering.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from arlon_core.evaluation.films import Films, ModelFilms, TrueFilms, Way, film_plan, folder_hash
from arlon_core.evaluation.held_out import HeldOutStory
from arlon_core.evaluation.measures import StoryMeasure, load_measure, save_measure
from arlon_core.evaluation.measuring import MEASURE_VERSION, measure_film
from arlon_core.evaluation.metrics.seams import chunk_borders
from arlon_core.evaluation.report import Report, check_bars, value_names, write_report, write_sheets
from arlon_core.evaluation.statistics import Bar
from arlon_core.evaluation.summary import summarise
from arlon_core.evaluation.test_set import TEST_STORIES, benchmark_story
from arlon_core.generation.output import output_errors
from arlon_core.generation.report import device_name
from arlon_core.models.judge import Judge, load_judge
from arlon_core.store import artefact_key

if TYPE_CHECKING:
    import torch

    from arlon_core.pipeline import ArlonPipeline

REPORT_JUDGE = "judge_report"  # never the other: films may have been selected by that


class Benchmark:
    """The first `count` stories of the test set, a folder, and the judge that reports.

    judges: folder that holds `judge_report/`. Raises ModelError when it does not.
    """

    def __init__(self, out: Path, judges: Path, device: torch.device, count: int = TEST_STORIES) -> None:
        self.out, self.count, self.device = out, count, device
        self.judge: Judge = load_judge(judges / REPORT_JUDGE, device)
        self._judge_hash = folder_hash(judges / REPORT_JUDGE)

    def stories(self, fps: int) -> list[HeldOutStory]:
        """The stories, as prompts at `fps`."""
        return [benchmark_story(number, fps) for number in range(self.count)]

    def true_films(self, height: int, width: int, fps: int) -> TrueFilms:
        """The world's own films of the stories."""
        return TrueFilms(self.out / "films", height, width, fps, self.device)

    def measure(self, films: Films) -> list[StoryMeasure]:
        """Every story's measure, kept or made now. Raises ArlonError."""
        found = []
        for number, held in enumerate(
            tqdm(self.stories(films.fps), desc=films.name, unit="story", disable=None)
        ):
            path = self.out / "measures" / films.name / f"{number:04d}.npz"
            key = artefact_key(
                "clip", MEASURE_VERSION, film=films.key(held), judge=self._judge_hash, story=repr(held.script)
            )
            measure = load_measure(path, key)
            if measure is None:
                film = films.film(number, held)
                measure = measure_film(number, held, film.clips, self.judge, films.fps, film.seconds)
                save_measure(path, key, measure)
            found.append(measure)
        return found


def measure_model(pipe: ArlonPipeline, benchmark: Benchmark, way: Way, bars: Sequence[Bar] = ()) -> Report:
    """Render the test set in one way, measure it and the true films, write report and sheets.

    Raises ArlonError, for a bar on an unknown value before any work.
    """
    check_bars(bars, value_names())
    config = pipe.config
    true = benchmark.measure(benchmark.true_films(config.height, config.width, config.fps))
    films = ModelFilms(pipe, way, benchmark.out / "films")
    own = benchmark.measure(films)
    stories = benchmark.stories(config.fps)
    borders = [[chunk_borders(segment) for segment in film_plan(pipe, held).segments] for held in stories]
    values, of_true = summarise(own, true, borders)
    settings = {
        "model": pipe.name,
        **asdict(way),
        "device": device_name(pipe.working_device),
        "judge": REPORT_JUDGE,
        "size": f"{config.width}x{config.height} at {config.fps} frames a second",
    }
    report = Report(films.name, settings, values, of_true, own, bars)
    folder = benchmark.out / report.name
    with output_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    write_report(report, folder)
    write_sheets(stories, own, true, report.name, folder)
    return report


def measure_true(benchmark: Benchmark, height: int, width: int, fps: int) -> Report:
    """Measure the true films against themselves: what a perfect model would get, and what the judge reads.

    They have no chunks, so there are no seams to measure.
    """
    true = benchmark.measure(benchmark.true_films(height, width, fps))
    stories = benchmark.stories(fps)
    borders: list[list[list[int]]] = [[[] for _ in held.script.segments] for held in stories]
    _, of_true = summarise(true, true, borders)
    settings = {
        "model": "none: the films are the world's own",
        "judge": REPORT_JUDGE,
        "size": f"{width}x{height} at {fps} frames a second",
    }
    report = Report("true", settings, of_true, of_true, true)
    folder = benchmark.out / report.name
    with output_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    write_report(report, folder)
    return report
