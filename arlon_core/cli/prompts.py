"""`evaluate prompts`: whether the text encoder reads prompts as people type them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from arlon_core.cli import options
from arlon_core.generation.model_folder import check_model_folder, is_local
from arlon_core.generation.output import check_output, write_json

_STORIES = 256  # enough for intervals of two or three points (our choice)


def add_command(kinds: Any) -> None:
    """Add `prompts` to the evaluations of `evaluate`."""
    text = "read the test set's prompts in other words, spelling, order and with typing errors"
    parser = kinds.add_parser("prompts", help=text, description=text, allow_abbrev=False)
    options.add_model(parser)
    parser.add_argument(
        "--count", type=options.positive_int, default=_STORIES, metavar="N",
        help="stories: the test set's 64 and more like them (%(default)s)",
    )  # fmt: skip
    parser.add_argument("--report", type=Path, metavar="R.json", help="write all numbers there")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Check, load the model, read, tell. Raises ArlonError."""
    if is_local(args.model):
        check_model_folder(Path(args.model))
    if args.report is not None:
        check_output(args.report, suffixes=(".json",))

    from arlon_core.evaluation.prompts import measure_prompts, prompts_json, prompts_markdown
    from arlon_core.evaluation.test_set import prompt_story
    from arlon_core.generation.report import code_commit
    from arlon_core.pipeline import ArlonPipeline

    pipe = ArlonPipeline.from_pretrained(args.model, device="cpu")
    stories = [prompt_story(number, pipe.config.fps) for number in range(args.count)]
    clean, results = measure_prompts(pipe, stories)
    if args.report is not None:
        settings = {"model": pipe.name, "stories": args.count, "commit": code_commit()}
        write_json(args.report, {**settings, **prompts_json(clean, results)})
    print(prompts_markdown(clean, results), end="")
