"""Opens the studio page: parses the flags, opens the engine, launches. Everything else is in app/."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from pathlib import Path

from app.handlers.desk import open_desk
from app.keeping import default_days, default_projects, pruning
from app.zerogpu import open_engine
from arlon_core.cli import OneLineParser, options
from arlon_core.errors import ArlonError
from arlon_core.jobs import JobQueue


def parse_flags(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line. Exits with code 2 and one sentence when a flag is no good."""
    parser = OneLineParser(
        prog="app.py",
        description="The studio page: write a story, render it into a film.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--host", help="address to listen on; 0.0.0.0 lets other machines in (this machine only)")
    add("--port", type=options.port, help="port to listen on (the first free one from 7860)")
    add("--share", action="store_true", help="also open a public link through a tunnel")
    add(
        "--auth",
        type=user_and_password,
        metavar="USER:PASSWORD",
        help="ask for these before the page",
    )
    options.add_model(parser)
    add(
        "--projects",
        type=Path,
        default=default_projects(),
        metavar="DIR",
        help="keep all films there (%(default)s)",
    )
    add(
        "--keep-days",
        type=options.positive_int,
        default=default_days(),
        metavar="N",
        help="remove projects that were not rendered in for N days (kept for ever)",
    )
    add("--device", choices=options.DEVICES, default="auto", help="(%(default)s)")
    return parser.parse_args(arguments)


def user_and_password(text: str) -> tuple[str, str]:
    """ "USER:PASSWORD", both not empty; the password may hold colons."""
    user, colon, password = text.partition(":")
    if not (user and colon and password):
        raise argparse.ArgumentTypeError("give it as USER:PASSWORD")
    return user, password


def main(arguments: list[str] | None = None) -> None:
    """Serve the page until interrupted; the model loads behind it. Exits with code 2 when it cannot begin."""
    flags = parse_flags(arguments)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # nothing leaves this machine
    # FastAPI silences pydantic where it has to, until another thread that does so with others undoes it.
    warnings.filterwarnings("ignore", module=r"pydantic\.")
    from app.serving import serve
    from app.studio import build_studio

    engine = open_engine(flags.model, flags.device)
    jobs = JobQueue(engine)
    try:
        desk = open_desk(jobs, engine, flags.model, flags.projects)
        address = {"host": flags.host, "port": flags.port, "share": flags.share, "auth": flags.auth}
        with pruning(flags.projects, flags.keep_days):
            serve(build_studio(desk), flags.projects, **address)
    except ArlonError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    finally:
        jobs.close()


if __name__ == "__main__":
    main()
