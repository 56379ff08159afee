"""`bench`: what a film costs with F and without, and how fast Storyworld is drawn."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arlon_core.cli import options
from arlon_core.errors import ArlonError, ModelError
from arlon_core.generation.model_folder import (
    check_model_folder,
    incomplete_sentence,
    is_local,
    missing_components,
)
from arlon_core.generation.output import check_output, output_errors, write_json
from arlon_core.presets import PRESETS
from arlon_core.story import MIN_SECONDS

if TYPE_CHECKING:
    from arlon_core.pipeline import ArlonPipeline

_STEPS = (4, 6, 10, 30)
_REPEATS = 3
_SECONDS = 4.0
_MAX_SECONDS = 600.0
_SCRIPTS, _FRAMES = 200, 97  # whose captions the tokenizer of a random model learns from


def add_command(commands: Any) -> None:
    """Add `bench` to the parser's commands; `bench world` is a command below it."""
    text = "seconds and FLOPs of a film by stage, with F and without, at several step counts"
    more = "Compare within one run: both arms are rendered in turn, and the medians of all rounds are told."
    parser = commands.add_parser("bench", help=text, description=f"{text}. {more}", allow_abbrev=False)
    model = parser.add_mutually_exclusive_group()
    options.add_model(model)
    model.add_argument(
        "--random-weights", choices=sorted(PRESETS), metavar="PRESET",
        help="a model of these sizes that nobody trained (%(choices)s): as fast as a trained one",
    )  # fmt: skip
    parser.add_argument(
        "--steps", type=options.positive_int, nargs="+", default=list(_STEPS), metavar="N",
        help=f"denoising steps a chunk, each with F and without ({' '.join(map(str, _STEPS))})",
    )  # fmt: skip
    parser.add_argument(
        "--seconds", type=options.positive_float, default=_SECONDS, metavar="S",
        help="length of the film (%(default)g)",
    )  # fmt: skip
    parser.add_argument(
        "--repeats", type=options.positive_int, default=_REPEATS, metavar="N",
        help="rounds that are timed, after the one that is counted (%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--guidance", type=options.guidance, metavar="G", help="guidance scale of both arms; 1 is none"
    )
    parser.add_argument("--device", choices=options.DEVICES, default="auto", help="(%(default)s)")
    parser.add_argument(
        "--report", type=Path, metavar="R.json", help="write everything, every round's seconds"
    )
    parser.set_defaults(run=run, stopped="stopped; nothing was written.")
    _add_world(parser.add_subparsers(title="other things to measure", metavar="[world]"))


def _add_world(kinds: Any) -> None:
    text = "frames a second at which Storyworld is drawn, scripts and captions included"
    parser = kinds.add_parser("world", help=text, description=text, allow_abbrev=False)
    parser.add_argument("--device", choices=options.DEVICES, default="auto", help="(%(default)s)")
    parser.set_defaults(run=run_world)


def run(args: argparse.Namespace) -> None:
    """Check everything that can be checked, load or make the model, measure. Raises ArlonError."""
    if not MIN_SECONDS <= args.seconds <= _MAX_SECONDS:
        raise ArlonError(
            f"--seconds {args.seconds:g} is no length to measure; give {MIN_SECONDS:g} to {_MAX_SECONDS:g}."
        )
    if args.report is not None:
        check_output(args.report, suffixes=(".json",))
    if args.random_weights is None and is_local(args.model):
        _check_complete(args.model)

    from tqdm import tqdm

    from arlon_core.evaluation.efficiency import bench_story, cases_of, measure_efficiency
    from arlon_core.evaluation.efficiency_report import efficiency_json, efficiency_markdown

    story = bench_story(args.seconds)
    pipe = _pipeline(args)
    renders = (1 + args.repeats) * len(cases_of(args.steps))
    with tqdm(desc="bench", total=renders, unit="render", disable=None) as bar:
        result = measure_efficiency(
            pipe, story, args.steps, args.repeats, guidance=args.guidance, progress=bar.update
        )
    if args.report is not None:
        write_json(args.report, {**efficiency_json(result), "random_weights": args.random_weights})
    print(efficiency_markdown(result))
    if args.random_weights is not None:
        print("\nRandom weights: what is shown is noise, which takes longer to encode than a film does.")


def _check_complete(model: str) -> None:
    """Refuse a folder that cannot render, before anything heavy is loaded."""
    missing = missing_components(check_model_folder(Path(model)), "render")
    if missing:
        sentence = incomplete_sentence(model, missing).removesuffix(".")
        raise ModelError(f"{sentence}; or measure its sizes untrained with --random-weights storyworld.")


def _pipeline(args: argparse.Namespace) -> ArlonPipeline:
    """The model that is asked for, loaded as any other."""
    from arlon_core.pipeline import ArlonPipeline

    if args.random_weights is None:
        return ArlonPipeline.from_pretrained(args.model, device=args.device)
    from arlon_core.evaluation.random_model import write_random_model
    from arlon_core.world.script import sample_script

    scripts = (sample_script(number, _FRAMES) for number in range(_SCRIPTS))
    captions = [segment.caption for script in scripts for segment in script.segments]
    with tempfile.TemporaryDirectory(prefix="arlon-bench-") as folder, output_errors(Path(folder)):
        write_random_model(Path(folder), PRESETS[args.random_weights], captions)
        pipe = ArlonPipeline.from_pretrained(folder, device=args.device)
    pipe.name = f"random weights of {args.random_weights}'s sizes"
    return pipe


def run_world(args: argparse.Namespace) -> None:
    """Draw, and tell how fast. Raises ArlonError."""
    from arlon_core.pipeline import choose_device
    from arlon_core.world.bench import measure_drawing

    device = choose_device(args.device)
    speed = measure_drawing(str(device), compile=device.type == "cuda")
    print(f"{speed:.0f} frames/s of 448x256 on {device.type}")
