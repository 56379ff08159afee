"""Measure films of a set of stories: make them, measure them, keep what was measured, report.

Everything is kept below one folder as it is made, so a run that was cut goes on where it was:

    films/<name>/<story>/                  projects or clips; may be deleted once measured
    measures/<judge>/<name>/<story>.npz    what was measured
    <name>/report.json, report.md, sheet-1.webp ...

where <name> is `true`, or the model's with its way of rendering. Sets other than the test set have a folder
of their own below that one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from arlon_core.evaluation.films import (
    Films,
    ModelFilms,
    TrueFilms,
    Way,
    film_name,
    film_plan,
    folder_hash,
)
from arlon_core.evaluation.held_out import HeldOutStory
from arlon_core.evaluation.measures import StoryMeasure, load_measure, measure_path, save_measure
from arlon_core.evaluation.measuring import MEASURE_VERSION, measure_film
from arlon_core.evaluation.metrics.seams import chunk_borders
from arlon_core.evaluation.report import Report, check_bars, write_report, write_sheets
from arlon_core.evaluation.statistics import Bar
from arlon_core.evaluation.story_sets import LONG_SET, TEST_SET, StorySet
from arlon_core.evaluation.summary import TENTHS, Borders, Values, summarise, value_names
from arlon_core.generation.model_folder import NEEDS
from arlon_core.generation.report import code_commit, device_name
from arlon_core.models.judge import Judge
from arlon_core.models.judge_folder import load_judge
from arlon_core.store import artefact_key

if TYPE_CHECKING:
    import torch

    from arlon_core.pipeline import ArlonPipeline

# What a judge has to read on true films.
JUDGE_BARS = tuple(
    Bar(f"accuracy.{name}", True, 0.98) for name in ("subject", "colour", "place", "time_of_day", "weather")
) + tuple(Bar(f"accuracy.{name}", True, 0.95) for name in ("action", "camera", "second_subject"))

# What the shipped model has to clear over 600 frames.
LONG_BARS = (
    Bar("identity.both", True, 0.92),
    *(Bar(f"tenths.{name}", True, 0.97) for name in TENTHS),
    *(Bar(f"tenths.{name}", False, 1.03) for name in TENTHS),
    Bar("seams", False, 1.05),
)


class Benchmark:
    """The first `count` stories of a set, all unless told otherwise; a folder, and a judge.

    judges: folder of the judges; judge: which, in place of the set's own. share: (I, N) measures every N-th
    story from the I-th; other processes measure the others. Raises ModelError when there is no such judge.
    """

    def __init__(
        self,
        out: Path,
        judges: Path,
        device: torch.device,
        count: int | None = None,
        judge: str | None = None,
        story_set: StorySet = TEST_SET,
        share: tuple[int, int] = (1, 1),
    ) -> None:
        judge = judge or story_set.judge
        self.out, self.device, self.judge_name = out / story_set.folder, device, judge
        self.story_set, self.count, self.share = story_set, count or story_set.count, share
        self.judge: Judge = load_judge(judges / judge, device)
        self._judge_hash = folder_hash(judges / judge)

    def stories(self, fps: int) -> list[HeldOutStory]:
        """The stories, as prompts at `fps`."""
        return [self.story_set.story(number, fps) for number in range(self.count)]

    def settings(self, height: int, width: int, fps: int) -> dict[str, str]:
        """What every report says of its making."""
        return {
            "stories": f"the first {self.count} of {self.story_set}",
            "judge": f"{self.judge_name} ({self._judge_hash[:12]})",
            "size": f"{width}x{height} at {fps} frames a second",
            "commit": code_commit(),
        }

    def true_films(self, height: int, width: int, fps: int) -> TrueFilms:
        """The world's own films of the stories."""
        return TrueFilms(self.out / "films", height, width, fps, self.device)

    def measures(self, name: str) -> Path:
        """Where what was measured of the films `name` is kept."""
        return self.out / "measures" / self.judge_name / name

    def by_kind(
        self, own: list[StoryMeasure], true: list[StoryMeasure], borders: Borders
    ) -> dict[str, Values]:
        """The values of each kind of story apart, where the set has several."""
        if self.story_set.kind is None:
            return {}
        kinds = [self.story_set.kind(film.number) for film in own]
        found = {}
        for kind in dict.fromkeys(kinds):
            chosen = [i for i, each in enumerate(kinds) if each == kind]
            films, others = ([each[i] for i in chosen] for each in (own, true))
            found[kind], _ = summarise(films, others, [borders[i] for i in chosen])
        return found

    def measure(self, films: Films) -> list[StoryMeasure]:
        """The measure of every story of the share, kept or made now. Raises ArlonError."""
        found = []
        first, step = self.share
        numbers = range(first - 1, self.count, step)
        for number in tqdm(numbers, desc=films.name, unit="story", disable=None):
            held = self.story_set.story(number, films.fps)
            path = measure_path(self.measures(films.name), number)
            key = artefact_key(
                "clip", MEASURE_VERSION, film=films.key(held), judge=self._judge_hash, story=repr(held.script)
            )
            measure = load_measure(path, key)
            if measure is None:
                film = films.film(number, held)
                seconds = film.seconds if step == 1 else {}  # beside other processes they say nothing
                measure = measure_film(number, held, film.clips, self.judge, films.fps, seconds, film.size)
                measure = replace(measure, key=key)
                save_measure(path, measure)
            found.append(measure)
        return found


def measure_films(
    pipe: ArlonPipeline, benchmark: Benchmark, way: Way
) -> tuple[list[StoryMeasure], list[StoryMeasure]]:
    """Render the benchmark's share of the stories in one way; measure these films, and the true ones.

    Raises ArlonError, before any work for a component that is not trained; ValueError for a judge that is
    not the set's: what is reported must not be read by the judge that selects.
    """
    pipe.require(*NEEDS["animatic" if way.animatic else "render"])
    if benchmark.judge_name != benchmark.story_set.judge:
        raise ValueError(f"{benchmark.judge_name} does not measure models on {benchmark.story_set}")
    config = pipe.config
    true = benchmark.measure(benchmark.true_films(config.height, config.width, config.fps))
    return benchmark.measure(ModelFilms(pipe, way, benchmark.out / "films")), true


def measure_model(pipe: ArlonPipeline, benchmark: Benchmark, way: Way, bars: Sequence[Bar] = ()) -> Report:
    """`measure_films`, then report and sheets.

    Raises ArlonError, before any work for a bar on an unknown value; and as `measure_films` does.
    """
    check_bars(bars, value_names())
    own, true = measure_films(pipe, benchmark, way)
    config = pipe.config
    stories = benchmark.stories(config.fps)
    borders = [
        [[] if way.animatic else chunk_borders(segment) for segment in film_plan(pipe, held).segments]
        for held in stories
    ]
    values, of_true = summarise(own, true, borders)
    settings = {
        "model": pipe.name,
        **asdict(way),
        "device": device_name(pipe.working_device),
        "dtype": str(pipe.working_dtype).removeprefix("torch."),
        "seconds_a_second_of_film": _speed(own, config.fps),
        **benchmark.settings(config.height, config.width, config.fps),
    }
    report = Report(
        film_name(pipe, way),
        settings,
        values,
        of_true,
        own,
        (*(LONG_BARS if benchmark.story_set is LONG_SET else ()), *bars),
        true_keys=[film.key for film in true],
        borders=borders,
        by_kind=benchmark.by_kind(own, true, borders),
    )
    folder = benchmark.out / report.name
    write_report(report, folder)
    write_sheets([way.asked(held) for held in stories], own, true, report.name, folder)
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
        **benchmark.settings(height, width, fps),
    }
    own = benchmark.judge_name == benchmark.story_set.judge
    name = "true" if own else f"true-{benchmark.judge_name}"
    bars = JUDGE_BARS if benchmark.story_set is TEST_SET else ()
    report = Report(name, settings, of_true, of_true, true, bars)
    folder = benchmark.out / report.name
    write_report(report, folder)
    return report


def _speed(films: Sequence[StoryMeasure], fps: int) -> float | None:
    """Wall seconds of rendering a second of film, over the films that were rendered in one go."""
    whole = [film for film in films if film.seconds]
    frames = sum(len(segment.steps) + 1 for film in whole for segment in film.segments)
    total = sum(sum(film.seconds.values()) for film in whole)
    return round(total * fps / frames, 3) if frames else None
