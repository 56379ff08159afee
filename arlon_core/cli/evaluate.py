"""`evaluate`: what a trained model does on held-out stories."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from arlon_core.cli import compare, measure, options, prompts
from arlon_core.errors import ArlonError
from arlon_core.evaluation.held_out import FILMS, FIRST_STORY, STORIES
from arlon_core.generation.model_folder import check_model_folder, is_local
from arlon_core.generation.output import check_output, output_errors

_FILES = ("animatics-1.webp", "films-1.webp", "stories.json")
_LARGEST_SEED = 1 << 60


def add_command(commands: Any) -> None:
    """Add `evaluate` to the parser's commands; each evaluation is a command below it."""
    text = "judge a model on held-out stories"
    parser = commands.add_parser("evaluate", help=text, description=text, allow_abbrev=False)
    kinds = parser.add_subparsers(title="evaluations", metavar="WHAT", required=True)
    _add_stories(kinds)
    measure.add_commands(kinds)
    compare.add_command(kinds)
    prompts.add_command(kinds)


def _add_stories(kinds: Any) -> None:
    text = "contact sheets of held-out Storyworld stories: animatics, and films with and without F"
    parser = kinds.add_parser("stories", help=text, description=text, allow_abbrev=False)
    options.add_model(parser)
    parser.add_argument(
        "--count",
        type=options.positive_int,
        default=STORIES,
        metavar="N",
        help="stories, in order (%(default)s)",
    )
    parser.add_argument(
        "--films", type=options.positive_int, default=FILMS, metavar="N",
        help="of them that are rendered as well (%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--without-f", type=options.positive_int, default=FILMS, metavar="N",
        help="of those that are rendered without F as well, which takes longest (%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--steps", type=options.positive_int, metavar="N", help="steps with F (the model's own number)"
    )
    parser.add_argument(
        "--first-seed", type=options.seed, default=FIRST_STORY, metavar="K",
        help="the first story, counted from the first held-out seed (%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, default=Path("runs") / "stories", metavar="DIR",
        help="folder for sheets, stories.json and films; made when it is not there (%(default)s)",
    )  # fmt: skip
    parser.add_argument("--device", choices=options.DEVICES, default="auto", help="(%(default)s)")
    parser.set_defaults(run=run_stories)


def run_stories(args: argparse.Namespace) -> None:
    """Check everything that can be checked, load the model, evaluate. Raises ArlonError."""
    if args.first_seed + args.count > _LARGEST_SEED:
        raise ArlonError(f"--first-seed {args.first_seed} is too large; give at most 2^60 - {args.count}.")
    if is_local(args.model):
        check_model_folder(Path(args.model))
    with output_errors(args.out):
        args.out.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        check_output(args.out / name, suffixes=(Path(name).suffix,))

    from arlon_core.evaluation.stories import evaluate_stories
    from arlon_core.pipeline import ArlonPipeline

    pipe = ArlonPipeline.from_pretrained(args.model, device=args.device)
    evaluate_stories(
        pipe,
        args.out,
        count=args.count,
        films=args.films,
        without_f=args.without_f,
        steps=args.steps,
        first=args.first_seed,
    )
    print(f"{args.count} stories in {args.out}: {', '.join(_FILES)}")
