"""The command line: a file a command, and here what they share: the parser, the errors, the exit code.

Exit codes: 0 done, 1 stopped or broken, 2 something to mend, said in one sentence on stderr. Nothing heavy is
imported before the arguments are known to be good, so `--help` and mistakes answer at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from arlon_core.cli import bench, evaluate, export, render, train, world
from arlon_core.errors import ArlonError

STOPPED = "stopped; with --project the same command goes on from here."


class OneLineParser(argparse.ArgumentParser):
    """A parser whose complaints take one line, as all errors of the command line do."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}; see `{self.prog} --help`.\n")


def build_parser() -> argparse.ArgumentParser:
    """The whole command line; each command sets ``run`` to the function that does it."""
    parser = OneLineParser(
        prog="python -m arlon_core",
        description="Long videos from a timeline of prompts.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    render.add_commands(commands)
    export.add_command(commands)
    world.add_command(commands)
    train.add_command(commands)
    evaluate.add_command(commands)
    bench.add_command(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    args = build_parser().parse_args(argv)
    args.argv = list(sys.argv[1:] if argv is None else argv)
    try:
        args.run(args)
    except ArlonError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(getattr(args, "stopped", STOPPED), file=sys.stderr)
        return 1
    return 0
