"""`world`: ground-truth Storyworld episodes as films with their captions and attributes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from arlon_core.cli import options
from arlon_core.errors import ArlonError
from arlon_core.generation.output import output_errors

_MAX_SECONDS = 3600.0
_LARGEST_SEED = 1 << 60


def add_command(commands: Any) -> None:
    """Add `world` to the parser's commands."""
    text = "write Storyworld episodes: a film and a JSON file each"
    parser = commands.add_parser("world", help=text, description=text, allow_abbrev=False)
    parser.add_argument(
        "--count", type=options.positive_int, required=True, metavar="N", help="how many episodes"
    )
    parser.add_argument(
        "--seconds",
        type=options.positive_float,
        default=10.0,
        metavar="S",
        help="length of each (%(default)s)",
    )
    parser.add_argument(
        "--seed", type=options.seed, default=0, metavar="K", help="seed of the first (%(default)s)"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder; made when it is not there"
    )
    parser.add_argument("--device", choices=options.DEVICES, default="cpu", help="(%(default)s)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Write the episodes. Raises ArlonError."""
    if args.seconds > _MAX_SECONDS:
        raise ArlonError(
            f"--seconds {args.seconds:g} is too long for an episode; give at most {_MAX_SECONDS:.0f}."
        )
    if args.seed + args.count > _LARGEST_SEED:
        raise ArlonError(f"--seed {args.seed} is too large; give at most {_LARGEST_SEED - args.count}.")
    with output_errors(args.out):
        args.out.mkdir(parents=True, exist_ok=True)

    from tqdm import tqdm

    from arlon_core.pipeline import choose_device
    from arlon_core.world.export import iter_export

    device = str(choose_device(args.device))
    with output_errors(args.out):
        episodes = iter_export(args.count, args.seconds, args.seed, args.out, device)
        for _ in tqdm(episodes, total=args.count, unit="episode", disable=None):
            pass
    print(f"{args.count} episodes in {args.out}")
