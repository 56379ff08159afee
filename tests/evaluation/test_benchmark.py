"""The whole measurement at toy size: films, measures, reports, sheets; kept, and gone on from."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from arlon_core.cli import main
from arlon_core.errors import ArlonError, ModelError
from arlon_core.evaluation import benchmark, test_set
from arlon_core.evaluation import report as report_module
from arlon_core.evaluation.benchmark import Benchmark, measure_model, measure_true
from arlon_core.evaluation.compare import compare, load_run
from arlon_core.evaluation.films import ModelFilms, TrueFilms, Way, film_name
from arlon_core.evaluation.measures import load_measure, save_measure
from arlon_core.evaluation.measuring import clip_frames
from arlon_core.evaluation.report import report_json
from arlon_core.evaluation.statistics import Interval, parse_bar
from arlon_core.evaluation.story_sets import SELECTION_SET, TEST_SET, StorySet
from arlon_core.evaluation.summary import value_names
from arlon_core.evaluation.test_set import benchmark_story
from arlon_core.evaluation.true_tokens import true_tokens
from arlon_core.evaluation.vbench_export import export_vbench, vbench_prompt
from arlon_core.generation.plan import make_plan
from arlon_core.generation.request import make_request, token_names
from arlon_core.media.clips import count_frames
from arlon_core.models.folders import save_component
from arlon_core.models.latent_vqvae import LatentVQVAE
from arlon_core.pipeline import ArlonPipeline
from arlon_core.presets import PRESETS
from arlon_core.store import Store
from arlon_core.world.renderer import StoryworldRenderer

CPU = torch.device("cpu")
WAY = Way(steps=1)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stories of two segments."""
    monkeypatch.setattr(test_set, "_SHAPES", ((2, 14, 15),))


@pytest.fixture
def bench(tiny_judges: Path, tmp_path: Path, short: None) -> Benchmark:
    return Benchmark(tmp_path / "out", tiny_judges, CPU, count=2)


# -- films ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_true_films_are_the_scripts_films(tmp_path: Path, short: None):
    films = TrueFilms(tmp_path, 64, 112, 12, CPU)
    held = benchmark_story(0, 12)
    clips = films.film(0, held).clips
    frames = np.concatenate([clip_frames(clip) for clip in clips])
    drawn = StoryworldRenderer(64, 112).render([held.script]).frames[0].permute(0, 2, 3, 1).numpy()
    assert len(frames) == held.script.frames
    assert np.abs(frames.astype(int) - drawn).mean() < 4  # what the encoding costs
    written = [clip.stat().st_mtime_ns for clip in clips]
    assert [clip.stat().st_mtime_ns for clip in films.film(0, held).clips] == written


@pytest.mark.slow
def test_every_way_has_its_own_films(tiny_pipeline, tmp_path: Path, short: None):
    held = benchmark_story(0, 12)
    ways = (Way(1), Way(2), Way(1, use_coarse=False), Way(1, true_tokens=True), Way(1, guidance=2.0),
            Way(1, prompts="typing-errors"), Way(1, prompts="capitals"), Way(animatic=True),
            Way(animatic=True, true_tokens=True), Way(animatic=True, prompts="capitals"))  # fmt: skip
    films = [ModelFilms(tiny_pipeline, way, tmp_path) for way in ways]
    assert len({film.name for film in films}) == len(ways)
    assert len({film.key(held) for film in films}) == len(ways)


@pytest.mark.slow
def test_films_of_perturbed_prompts_lie_apart_and_are_asked_for_as_typed(
    tiny_pipeline, tmp_path: Path, short: None
):
    held = benchmark_story(0, 12)
    ways = (WAY, replace(WAY, prompts="capitals"))
    clean, shouted = (ModelFilms(tiny_pipeline, way, tmp_path) for way in ways)
    paths = [set(films.film(0, held).clips) for films in (clean, shouted)]
    assert not paths[0] & paths[1]
    journal = (tmp_path / shouted.name / "0000" / "journal.jsonl").read_text()
    assert held.story.segments[0].prompt.upper() in journal
    assert shouted.way.asked(held).script.segments[0].attributes == held.script.segments[0].attributes


@pytest.mark.slow
def test_true_tokens_are_those_that_the_render_takes(tiny_pipeline, tmp_path: Path, short: None):
    held = benchmark_story(1, 12)
    own = ModelFilms(tiny_pipeline, WAY, tmp_path).film(1, held)
    given = ModelFilms(tiny_pipeline, replace(WAY, true_tokens=True), tmp_path).film(1, held)
    first, second = (np.concatenate([clip_frames(clip) for clip in film.clips]) for film in (own, given))
    assert first.shape == second.shape
    assert not np.array_equal(first, second)
    assert given.seconds["tokens"] < 0.05 * own.seconds["tokens"]
    codes = true_tokens(tiny_pipeline, held)
    plan = make_plan([segment.seconds for segment in held.story.segments], 12)
    assert codes.shape == (plan.latents, 4)
    request = make_request(tiny_pipeline, held.story)
    project = Store(tmp_path / film_name(tiny_pipeline, replace(WAY, true_tokens=True)) / "0001")
    kept = [project.get("tokens", name) for name in token_names(tiny_pipeline, request)]
    assert np.array_equal(np.concatenate([block["tokens"] for block in kept if block]), codes.numpy())


# -- the whole ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_true_tokens_of_another_vqvae_steer_as_well(tiny_folder: Path, tmp_path: Path, short: None):
    """The rows on VQ ratios: tokens of another number a frame, without a token transformer of their own."""
    torch.manual_seed(3)
    sizes = PRESETS["tiny"]
    vqvae = LatentVQVAE(latent_channels=sizes.vae["z_dim"], **sizes.vqvae_coarse)
    save_component(vqvae, tmp_path / "latent_vqvae_coarse")
    exchanged = {"latent_vqvae": tmp_path / "latent_vqvae_coarse"}
    pipe = ArlonPipeline.from_pretrained(tiny_folder, "cpu", exchanged)
    films = ModelFilms(pipe, Way(steps=1, true_tokens=True), tmp_path / "films")
    film = films.film(0, benchmark_story(0, pipe.config.fps))
    assert all(count_frames(clip) for clip in film.clips)
    assert "latent_vqvae_coarse" in films.name
    films = ModelFilms(pipe, WAY, tmp_path / "films")
    with pytest.raises(ModelError, match="4 tokens a latent frame and the VQ-VAE reads 2"):
        films.film(0, benchmark_story(0, pipe.config.fps))


def test_two_stories_make_a_whole_report(tiny_pipeline, bench: Benchmark, monkeypatch, capsys):
    bars = [parse_bar("vbench.scene>=0"), parse_bar("drift<=0")]
    report = measure_model(tiny_pipeline, bench, WAY, bars)
    folder = bench.out / report.name
    assert sorted(path.name for path in folder.iterdir()) == ["report.json", "report.md", "sheet-1.webp"]
    kept = json.loads((folder / "report.json").read_text())
    assert set(kept["values"]) == set(value_names())
    assert (kept["stories"], kept["segments"]) == (2, 4)
    assert [bar["holds"] for bar in kept["bars"]] == [True, False]
    assert kept["true_films"]["vbench.aesthetic_quality"]["value"] == pytest.approx(1)
    assert kept["true_films"]["vbench.imaging_quality"]["value"] == 1
    assert kept["true_films"]["drift"]["value"] == pytest.approx(1)
    assert kept["true_films"]["seams"]["value"] == 1
    # Random weights draw no landscape.
    assert kept["values"]["vbench.imaging_quality"]["value"] < 0.9
    assert kept["values"]["frechet_distance"]["value"] > 0
    assert "| dynamic degree |" in (folder / "report.md").read_text()
    assert kept["settings"]["seconds_a_second_of_film"] > 0

    def refuse(*_: object) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr(benchmark, "measure_film", refuse)
    again = measure_model(tiny_pipeline, bench, WAY, bars)
    assert report_json(again)["values"] == kept["values"]


def test_what_is_set_against_a_nought_is_not_told_as_a_number():
    for value in (np.inf, np.nan):
        assert report_module._words(Interval(value, np.nan, np.nan)) == "nothing to measure"
    assert report_module._words(Interval(0.5, 0.25, 0.75)) == "0.500 [0.250, 0.750]"


@pytest.mark.slow
def test_true_films_measured_alone_get_full_marks_where_they_must(bench: Benchmark):
    report = measure_true(bench, 64, 112, 12)
    assert report.values["vbench.imaging_quality"].value == 1
    assert report.values["drift"].value == pytest.approx(1)
    kept = json.loads((bench.out / "true" / "report.json").read_text())
    assert kept["values"]["seams"]["value"] is None
    held = {bar["bar"]: bar["holds"] for bar in kept["bars"]}
    wrong = [name for name in held if kept["values"][name.split()[0]]["value"] < 0.5]
    assert wrong, "random weights say one thing of all films, and that is seldom so"
    assert not any(held[name] for name in wrong)


@pytest.mark.slow
def test_the_animatic_is_measured_like_a_film(tiny_pipeline, bench: Benchmark):
    """In the film's size and length, with another name and nothing of a render in it."""
    way = Way(animatic=True)
    report = measure_model(tiny_pipeline, bench, way)
    film = measure_model(tiny_pipeline, bench, WAY)
    assert report.name != film.name
    assert report.values["vbench.overall_consistency"].value > 0
    assert np.isnan(report.values["seams"].value), "it has no chunks"
    pictures = [each.pictures.shape[1:] for each in (*report.films, *film.films)]
    assert len(set(pictures)) == 1
    kept = {path.parent.name for path in (bench.out / "films" / report.name).rglob("*.mp4")}
    assert "clip" not in kept
    found = compare(*(load_run(bench.out / each.name) for each in (report, film)))
    assert all(0 <= each.value <= 1 for each in found.alike.values())


@pytest.mark.parametrize(("story_set", "judge"), [(TEST_SET, "judge"), (SELECTION_SET, "judge_report")])
def test_what_is_reported_and_what_is_chosen_by_are_read_by_two_judges(
    tiny_pipeline, tiny_judges: Path, tmp_path: Path, story_set: StorySet, judge: str
):
    wrong = Benchmark(tmp_path, tiny_judges, CPU, judge=judge, story_set=story_set)
    with pytest.raises(ValueError, match=f"{judge} does not measure models on the {story_set.name} set"):
        measure_model(tiny_pipeline, wrong, WAY)


@pytest.mark.slow
def test_the_selection_set_has_a_folder_and_a_judge_of_its_own(
    tiny_pipeline, tiny_judges: Path, tmp_path: Path, short: None
):
    chosen_by = Benchmark(tmp_path, tiny_judges, CPU, count=1, story_set=SELECTION_SET)
    report = measure_model(tiny_pipeline, chosen_by, Way(animatic=True))
    assert report.settings["judge"].startswith("judge (")
    assert report.settings["stories"] == "the first 1 of the selection set"
    found = {path.relative_to(tmp_path).parts[:3] for path in tmp_path.rglob("*.npz")}
    assert found == {("selection", "measures", "judge")}
    kept = load_run(chosen_by.out / report.name)
    assert [film.number for film in kept.films] == [film.number for film in kept.true] == [0]


def test_a_model_that_is_not_trained_is_refused_before_any_work(tiny_folder: Path, bench: Benchmark):
    pipe = ArlonPipeline.from_pretrained(tiny_folder, device="cpu")
    pipe.transformer = None
    with pytest.raises(ModelError, match="train dit"):
        measure_model(pipe, bench, WAY)
    assert not bench.out.exists()


def test_a_bar_on_an_unknown_value_is_refused_before_any_work(tiny_pipeline, bench: Benchmark):
    with pytest.raises(ArlonError, match="no report has a value 'beauty'"):
        measure_model(tiny_pipeline, bench, WAY, [parse_bar("beauty>=1")])
    assert not bench.out.exists()


def test_without_a_judge_the_command_to_train_it_is_named(tmp_path: Path):
    with pytest.raises(ModelError, match="train judge-report"):
        Benchmark(tmp_path, tmp_path, CPU)


@pytest.mark.slow
def test_a_measure_of_something_else_is_not_taken(bench: Benchmark, tmp_path: Path):
    measure = bench.measure(bench.true_films(64, 112, 12))[1]
    path = tmp_path / "measure.npz"
    save_measure(path, replace(measure, key="this"))
    found = load_measure(path, "this")
    assert found is not None
    assert found.record() == {**measure.record(), "key": "this"}
    assert np.array_equal(found.pictures, measure.pictures)
    assert load_measure(path, "other") is None
    path.write_bytes(path.read_bytes()[:1000])
    assert load_measure(path, "this") is None
    assert load_measure(tmp_path / "nothing.npz", "this") is None


# -- VBench's layout ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_export_has_what_vbench_reads(tmp_path: Path, short: None):
    films = TrueFilms(tmp_path / "films", 64, 112, 12, CPU)
    held = benchmark_story(0, 12)
    film = films.film(0, held)
    assert export_vbench([(held, film)] * 7, tmp_path / "vbench") == 10  # five videos of a prompt at most
    entries = json.loads((tmp_path / "vbench" / "VBench_full_info.json").read_text())
    prompts = json.loads((tmp_path / "vbench" / "prompts.json").read_text())
    videos = {path.name for path in (tmp_path / "vbench" / "videos").iterdir()}
    # VBench looks for the files <prompt>-<0 to 4>.mp4 of each entry.
    assert videos == {f"{entry['prompt_en']}-{i}.mp4" for entry in entries for i in range(5)} == set(prompts)
    seen = held.script.segments[0].attributes
    assert entries[0]["auxiliary_info"]["object_class"]["object"] == seen.subject
    assert entries[0]["auxiliary_info"]["scene"]["scene"]["scene"] == seen.place


def test_every_prompt_of_the_test_set_can_be_a_file_name():
    for number in range(64):
        for segment in benchmark_story(number, 12).script.segments:
            prompt = vbench_prompt(segment.attributes)
            assert "/" not in prompt
            assert len(prompt.encode()) < 200


# -- the commands ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_commands_measure_and_export(tiny_folder: Path, tiny_judges: Path, tmp_path, short, capsys):
    place = ["--out", str(tmp_path / "out"), "--count", "1", "--device", "cpu"]
    model = ["--model", str(tiny_folder), "--steps", "1"]
    judges, report = ["--judges", str(tiny_judges)], ["--report", str(tmp_path / "report.json")]
    assert main(["evaluate", "measure", *model, *judges, *place, *report, "--bar", "drift<=100"]) == 0
    assert json.loads((tmp_path / "report.json").read_text())["bars"][0]["holds"]
    assert main(["evaluate", "true", "--preset", "tiny", *judges, *place]) == 0
    assert main(["evaluate", "true", "--preset", "tiny", "--judge", "judge", *judges, *place]) == 0
    assert {"true", "true-judge"} <= {path.name for path in (tmp_path / "out").iterdir()}
    vbench = ["--vbench", str(tmp_path / "vbench")]
    assert main(["evaluate", "export-vbench", *model, *vbench, *place]) == 0
    said = capsys.readouterr().out
    assert "## Bars" in said
    assert "2 videos in" in said


@pytest.mark.slow
def test_workers_share_the_stories_and_leave_only_the_report(
    tiny_judges: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """In processes of their own, so what is forbidden here they may do."""

    def refuse(*_: object) -> None:
        raise AssertionError("measured by the process that only reports")

    monkeypatch.setattr(benchmark, "measure_film", refuse)
    command = ["evaluate", "true", "--preset", "tiny", "--judges", str(tiny_judges), "--device", "cpu"]
    command += ["--count", "2", "--out", str(tmp_path / "out"), "--workers", "2"]
    assert main(command) == 0
    kept = json.loads((tmp_path / "out" / "true" / "report.json").read_text())
    assert [film["number"] for film in kept["films"]] == [0, 1]


@pytest.mark.parametrize(("name", "count"), [("test", 64), ("selection", 128)])
def test_more_stories_than_a_set_has_are_refused(tmp_path: Path, capsys, name: str, count: int):
    command = ["evaluate", "true", "--set", name, "--count", str(count + 1), "--out", str(tmp_path / "out")]
    assert main(command) == 2
    assert f"the {name} set has {count} stories" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_worker_that_fails_ends_the_others_and_is_quoted(tmp_path: Path, capsys):
    command = ["evaluate", "true", "--preset", "tiny", "--judges", str(tmp_path), "--workers", "2"]
    assert main([*command, "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 1


@pytest.mark.slow
def test_shares_of_the_stories_are_all_of_them(
    tiny_judges: Path, tmp_path: Path, short: None, monkeypatch: pytest.MonkeyPatch
):
    def measured(share: tuple[int, int]) -> list[int]:
        part = Benchmark(tmp_path, tiny_judges, CPU, count=3, share=share)
        return [each.number for each in part.measure(part.true_films(64, 112, 12))]

    assert measured((1, 2)) == [0, 2]
    assert measured((2, 2)) == [1]
    monkeypatch.setattr(benchmark, "measure_film", None)
    assert measured((1, 1)) == [0, 1, 2], "nothing is left to measure"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["measure", "--bar", "beauty>=1"], "no report has a value"),
        (["measure", "--bar", "subject"], "is no bar"),
        (["measure", "--count", "65"], "64 stories"),
        (["measure", "--model", "nowhere/at/all"], "does not exist"),
        (["measure", "--report", "report.txt"], "does not end in .json"),
        (["true", "--judges", "nowhere"], "train judge-report"),
    ],
    ids=["value", "bar", "count", "model", "report", "judges"],
)
def test_what_cannot_begin_is_refused(
    options: list[str], said: str, tiny_folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    model = [] if "--model" in options or options[0] == "true" else ["--model", str(tiny_folder)]
    assert main(["evaluate", *options, *model]) == 2
    assert said in capsys.readouterr().err
