"""Two runs against each other: who wins by construction wins, and what cannot be compared is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from arlon_core.cli import main
from arlon_core.errors import ArlonError
from arlon_core.evaluation.compare import Run, compare, comparison_json, load_run
from arlon_core.evaluation.measures import (
    EndMeasure,
    SegmentMeasure,
    StoryMeasure,
    measure_path,
    save_measure,
)
from arlon_core.evaluation.summary import VBENCH, value_names
from arlon_core.models.judge import ATTRIBUTES

STORIES = 24


def story(number: int, quality: float, noise: np.random.Generator) -> StoryMeasure:
    """A film of two segments. quality: 0..1, of everything."""
    hard = 0.2 * np.random.default_rng(number).random()  # what a story does to every run

    def score() -> float:
        return float(np.clip(quality - hard + 0.01 * noise.normal(), 0, 1))

    def segment(changed: bool) -> SegmentMeasure:
        right = {name: noise.random() < quality for name in ATTRIBUTES}
        return SegmentMeasure(
            scores={name: score() for name in VBENCH},
            right=right,
            read={name: "as asked" if right[name] else f"{noise.random()}" for name in ATTRIBUTES},
            octaves=[10 * score() + 1] * 3,
            steps=[1.0] * 30,
            lags={"place": round(40 - 20 * quality + noise.normal())} if changed else {},
        )

    def end() -> EndMeasure:
        look = {"sharpness": 1.0, "contrast": 1.0, "colourfulness": 1.0}
        return EndMeasure({"motion_smoothness": score()}, look, [5.0] * 3, {"subject": True, "colour": True})

    windows = noise.normal(loc=2 * (1 - quality), size=(12, 4))
    return StoryMeasure(
        number=number,
        segments=[segment(False), segment(True)],
        ends=(end(), end()),
        key=f"{quality}-{number}",
        embeddings=windows,
        end_embeddings=np.stack([windows, windows]),
        pictures=np.zeros((2, 4, 8, 3), np.uint8),
    )


def run(name: str, quality: float, seed: int) -> Run:
    films = [story(number, quality, np.random.default_rng([seed, number])) for number in range(STORIES)]
    true = [story(number, 1.0, np.random.default_rng([99, number])) for number in range(STORIES)]
    return Run(name, {}, films, true, [film.key for film in true], [[[], [15]]] * STORIES)


def test_the_better_run_is_found_better_in_everything_that_differs():
    found = compare(run("base", 0.6, 1), run("arlon", 0.9, 2))
    verdicts = {each.name: each.verdict for each in found.differences}
    assert list(verdicts) == value_names()
    assert found.count("better") == len(VBENCH)
    assert found.much_worse == []
    for name in ("accuracy.subject", "obeyed.place", "lag.place", "frechet_distance"):
        assert verdicts[name] == "better", name
    assert verdicts["identity.both"] == "no difference"


def test_turned_round_it_is_worse_by_more_than_the_bar_allows():
    found = compare(run("arlon", 0.9, 2), run("base", 0.6, 1))
    assert (found.count("better"), found.count("worse")) == (0, len(VBENCH))
    assert set(found.much_worse) == {f"vbench.{name}" for name in VBENCH}


def _with_less(segment: SegmentMeasure, name: str, share: float) -> SegmentMeasure:
    return replace(segment, scores={**segment.scores, name: segment.scores[name] * share})


def test_a_small_loss_is_worse_and_not_much_worse():
    first = run("a", 0.9, 1)
    lost = []
    for film in first.films:
        lost.append(replace(film, segments=[_with_less(each, "scene", 0.99) for each in film.segments]))
    found = compare(first, replace(first, films=lost))
    scene = next(each for each in found.differences if each.name == "vbench.scene")
    assert scene.verdict == "worse"
    assert found.much_worse == []


def test_the_same_run_twice_differs_in_nothing():
    found = compare(run("a", 0.8, 1), run("a", 0.8, 1))
    assert {each.verdict for each in found.differences} == {"no difference"}


def test_segments_are_read_alike_as_often_as_they_are():
    """Of the gist all three must be; what the script says takes no part."""
    first = run("animatic", 0.9, 1)
    same = compare(first, first)
    assert {each.value for each in same.alike.values()} == {1.0}
    films = [
        replace(
            film,
            segments=[
                replace(each, read={**each.read, "place": each.read["place"] if number else "elsewhere"})
                for number, each in enumerate(film.segments)
            ],
        )
        for film in first.films
    ]
    found = compare(first, replace(first, films=films)).alike
    assert found["subject"].value == 1
    assert found["place"].value == found["subject_place_and_time"].value == 0.5


def test_other_stories_are_refused():
    other = run("b", 0.8, 1)
    with pytest.raises(ArlonError, match="measure both alike"):
        compare(run("a", 0.8, 1), replace(other, true_keys=other.true_keys[1:]))


def keep(made: Run, out: Path) -> Path:
    """A run on the disk, as `evaluate measure` leaves it."""
    for name, films in ((made.name, made.films), ("true", made.true)):
        for film in films:
            save_measure(measure_path(out / "measures" / "judge_report" / name, film.number), film)
    folder = out / made.name
    folder.mkdir()
    report = {
        "settings": {"judge": "judge_report (1234)"},
        "films": [film.record() for film in made.films],
        "true_keys": made.true_keys,
        "borders": made.borders,
    }
    (folder / "report.json").write_text(json.dumps(report))
    return folder


def test_the_command_compares_what_was_kept(tmp_path: Path, capsys):
    first, second = keep(run("base", 0.6, 1), tmp_path), keep(run("arlon", 0.9, 2), tmp_path)
    report, table = tmp_path / "r.json", tmp_path / "r.md"
    options = ["--report", str(report), "--markdown", str(table)]
    assert main(["evaluate", "compare", str(first), str(second / "report.json"), *options]) == 0
    assert "significantly better in 11" in capsys.readouterr().out
    assert "| vbench.scene |" in table.read_text()
    kept = json.loads(report.read_text())
    assert kept == json.loads(json.dumps(comparison_json(compare(load_run(first), load_run(second)))))
    assert kept["better"] == 11


def test_what_is_gone_or_no_report_is_told(tmp_path: Path):
    folder = keep(run("base", 0.6, 1), tmp_path)
    measure_path(tmp_path / "measures" / "judge_report" / "base", 3).unlink()
    with pytest.raises(ArlonError, match=r"0003.npz is gone or of another run; run evaluate measure"):
        load_run(folder)
    with pytest.raises(ArlonError, match="no report of evaluate measure"):
        load_run(tmp_path)
