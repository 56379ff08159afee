"""`evaluate measure`, `true` and `export-vbench`: numbers on the test set, and films for others' numbers."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arlon_core.cli import options
from arlon_core.cli.shares import measure_in_shares
from arlon_core.errors import ArlonError
from arlon_core.evaluation.perturbed import KINDS
from arlon_core.evaluation.story_sets import STORY_SETS
from arlon_core.generation.model_folder import check_components, check_model_folder, is_local
from arlon_core.generation.output import check_output, output_errors, write_json
from arlon_core.presets import PRESETS

if TYPE_CHECKING:
    from arlon_core.evaluation.benchmark import Benchmark
    from arlon_core.evaluation.films import Way


def add_commands(kinds: Any) -> None:
    """Add the three to the evaluations of `evaluate`."""
    text = "render the test set with a model and measure it: attributes, VBench's metrics, drift, seams"
    parser = kinds.add_parser("measure", help=text, description=text, allow_abbrev=False)
    _add_model(parser)
    _add_prompts(parser)
    _add_shared(parser)
    parser.add_argument(
        "--animatic", action="store_true",
        help="measure the animatic, enlarged, in place of the film; compare tells how far both agree",
    )  # fmt: skip
    parser.add_argument(
        "--bar", action="append", default=[], metavar="BAR",
        help="a bar to clear, such as accuracy.subject>=0.9 or drift<=1.1; may be given several times",
    )  # fmt: skip
    parser.set_defaults(run=run_measure)

    text = "measure the true films of the test set: what a perfect model would get"
    parser = kinds.add_parser("true", help=text, description=text, allow_abbrev=False)
    parser.add_argument("--preset", choices=sorted(PRESETS), default="storyworld", help="size (%(default)s)")
    parser.add_argument(
        "--judge", choices=("judge_report", "judge"),
        help="which of the two (the set's own: judge_report, but for the selection set)",
    )  # fmt: skip
    _add_shared(parser)
    parser.set_defaults(run=run_true)

    text = "write films of the test set in VBench's file layout, a video a segment"
    parser = kinds.add_parser("export-vbench", help=text, description=text, allow_abbrev=False)
    _add_model(parser)
    parser.add_argument("--true-films", action="store_true", help="the true films, in the model's size")
    parser.add_argument("--vbench", type=Path, required=True, metavar="DIR", help="where to write the layout")
    _add_place(parser)
    parser.set_defaults(run=run_export)


def _add_model(parser: argparse.ArgumentParser) -> None:
    options.add_model(parser)
    parser.add_argument(
        "--component", type=options.component, action="append", default=[], metavar="NAME=DIR",
        help="this component in the place of the model's own, such as transformer=runs/arms/transformer_text",
    )  # fmt: skip
    parser.add_argument("--steps", type=options.positive_int, metavar="N", help="denoising steps a chunk")
    parser.add_argument("--guidance", type=options.guidance, metavar="G", help="guidance scale; 1 is none")
    parser.add_argument("--without-coarse", action="store_true", help="leave the coarse latents F out")
    parser.add_argument(
        "--true-tokens", action="store_true", help="the true film's tokens in place of the model's own"
    )


def _add_prompts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--prompts", choices=KINDS,
        help="the prompts as other people would type them: the films should stay as good",
    )  # fmt: skip


def _add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--count", type=options.positive_int, metavar="N", help="the first N stories (all of a set)",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, default=Path("runs") / "benchmark", metavar="DIR",
        help="films, measures and reports are kept there; a run that was cut goes on from it (%(default)s)",
    )  # fmt: skip
    parser.add_argument("--device", choices=options.DEVICES, default="auto", help="(%(default)s)")


def _add_shared(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set", choices=sorted(STORY_SETS), default="test", dest="story_set",
        help="which stories: the test set, those of 600 frames, or those to choose by (%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--judges", type=Path, default=options.default_model().parent / "judges", metavar="DIR",
        help="folder of the judges (%(default)s)",
    )  # fmt: skip
    _add_place(parser)
    parser.add_argument(
        "--workers", type=options.positive_int, default=1, metavar="N",
        help="processes that share the stories; a GPU wants about as many as there are cores (%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--share", type=options.share, metavar="I/N",
        help="measure every N-th story from the I-th, alone, and write no report",
    )  # fmt: skip
    parser.add_argument("--report", type=Path, metavar="R.json", help="write report.json there as well")


# -- running --------------------------------------------------------------------------------------------


def run_measure(args: argparse.Namespace) -> None:
    """Render, measure, report. Raises ArlonError."""
    from arlon_core.evaluation.report import check_bars
    from arlon_core.evaluation.statistics import parse_bar
    from arlon_core.evaluation.summary import value_names

    bars = [parse_bar(text) for text in args.bar]
    check_bars(bars, value_names())
    _check(args)
    _in_shares(args)
    from arlon_core.evaluation.benchmark import measure_films, measure_model
    from arlon_core.pipeline import ArlonPipeline

    benchmark = _benchmark(args)
    pipe = ArlonPipeline.from_pretrained(args.model, args.device, exchanged=dict(args.component))
    if args.share:
        measure_films(pipe, benchmark, _way(args))
    else:
        _tell(args, measure_model(pipe, benchmark, _way(args), bars))


def run_true(args: argparse.Namespace) -> None:
    """Measure the true films. Raises ArlonError."""
    _check(args)
    _in_shares(args)
    from arlon_core.evaluation.benchmark import measure_true

    benchmark, preset = _benchmark(args, args.judge), PRESETS[args.preset]
    size = preset.height, preset.width, preset.fps
    if args.share:
        benchmark.measure(benchmark.true_films(*size))
    else:
        _tell(args, measure_true(benchmark, *size))


def _in_shares(args: argparse.Namespace) -> None:
    """With several workers everything is measured here, and the rest of the command finds it done."""
    if args.workers > 1 and args.share is None:
        measure_in_shares(args.argv, args.workers)


def _benchmark(args: argparse.Namespace, judge: str | None = None) -> Benchmark:
    from arlon_core.evaluation.benchmark import Benchmark
    from arlon_core.pipeline import choose_device

    stories, share = STORY_SETS[args.story_set], args.share or (1, 1)
    return Benchmark(args.out, args.judges, choose_device(args.device), args.count, judge, stories, share)


def run_export(args: argparse.Namespace) -> None:
    """Write VBench's layout. Raises ArlonError."""
    args.report = None
    _check(args)
    from tqdm import tqdm

    from arlon_core.evaluation.films import Films, ModelFilms, TrueFilms
    from arlon_core.evaluation.test_set import benchmark_story
    from arlon_core.evaluation.vbench_export import export_vbench
    from arlon_core.pipeline import ArlonPipeline

    pipe = ArlonPipeline.from_pretrained(args.model, args.device, exchanged=dict(args.component))
    config = pipe.config
    films: Films
    if args.true_films:
        films = TrueFilms(args.out / "films", config.height, config.width, config.fps, pipe.working_device)
    else:
        films = ModelFilms(pipe, _way(args), args.out / "films")
    numbers = tqdm(range(args.count), desc=films.name, unit="story", disable=None)
    stories = ((number, benchmark_story(number, config.fps)) for number in numbers)
    count = export_vbench(((held, films.film(number, held)) for number, held in stories), args.vbench)
    print(f"{count} videos in {args.vbench / 'videos'}")


def _check(args: argparse.Namespace) -> None:
    """Refuse what cannot begin, before anything heavy is loaded."""
    stories = STORY_SETS[getattr(args, "story_set", "test")]
    args.count = args.count or stories.count
    if args.count > stories.count:
        raise ArlonError(f"--count {args.count} is too many; {stories} has {stories.count} stories.")
    model = getattr(args, "model", None)
    if model is not None and is_local(model):
        check_model_folder(Path(model))
        check_components(dict(args.component))
    with output_errors(args.out):
        args.out.mkdir(parents=True, exist_ok=True)
    if args.report is not None:
        check_output(args.report, suffixes=(".json",))


def _way(args: argparse.Namespace) -> Way:
    from arlon_core.evaluation.films import Way

    return Way(
        steps=args.steps,
        guidance=args.guidance,
        use_coarse=not args.without_coarse,
        true_tokens=args.true_tokens,
        prompts=getattr(args, "prompts", None),
        animatic=getattr(args, "animatic", False),
    )


def _tell(args: argparse.Namespace, report: Any) -> None:
    from arlon_core.evaluation.report import report_json, report_markdown

    if args.report is not None:
        write_json(args.report, report_json(report))
    print(report_markdown(report))
    print(f"kept in {args.out / STORY_SETS[args.story_set].folder / report.name}")
