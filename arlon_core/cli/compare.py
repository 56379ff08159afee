"""`evaluate compare`: two reports of `evaluate measure`, value by value."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from arlon_core.generation.output import check_output, output_errors, write_json


def add_command(kinds: Any) -> None:
    """Add `compare` to the evaluations of `evaluate`."""
    text = "set two measured runs against each other: which values differ significantly"
    parser = kinds.add_parser("compare", help=text, description=text, allow_abbrev=False)
    parser.add_argument("first", type=Path, metavar="FIRST", help="report folder of evaluate measure")
    parser.add_argument("second", type=Path, metavar="SECOND", help="the one that is to be better")
    parser.add_argument("--report", type=Path, metavar="R.json", help="write all numbers there")
    parser.add_argument("--markdown", type=Path, metavar="R.md", help="write the table there too")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Load both, compare, tell. Raises ArlonError."""
    for path, suffix in ((args.report, ".json"), (args.markdown, ".md")):
        if path is not None:
            check_output(path, suffixes=(suffix,))

    from arlon_core.evaluation.compare import compare, comparison_json, comparison_markdown, load_run

    found = compare(load_run(args.first), load_run(args.second))
    table = comparison_markdown(found)
    if args.report is not None:
        write_json(args.report, comparison_json(found))
    if args.markdown is not None:
        with output_errors(args.markdown):
            args.markdown.write_text(table, encoding="utf-8")
    print(table)
