"""`export`: the clips of a project, edited into another film without rendering anything again."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from arlon_core.cli import options
from arlon_core.errors import FilmError
from arlon_core.generation.export import export_rendered
from arlon_core.generation.output import check_output
from arlon_core.generation.rendered import last_rendered
from arlon_core.media.edit_plan import describe_edit, show_seconds
from arlon_core.media.film_settings import (
    CAPTIONS,
    JOINS,
    FilmSettings,
    Join,
    Sound,
    read_film_settings,
)


def add_command(commands: Any) -> None:
    """Add `export` to the parser's commands."""
    text = "edit what a project has rendered into another film, without rendering again"
    more = (
        "Joins, captions and sound come from the project's film.json; options go before it, this time only."
    )
    parser = commands.add_parser("export", help=text, description=f"{text}. {more}", allow_abbrev=False)
    parser.add_argument("project", type=Path, metavar="PROJECT", help="folder given as `render --project`")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILM", help=".mp4, .webm or .gif"
    )
    parser.add_argument("--join", choices=JOINS, help="how every segment follows the one before it")
    parser.add_argument(
        "--join-seconds", type=options.positive_float, metavar="S", help="how long each join takes"
    )
    parser.add_argument(
        "--captions", choices=CAPTIONS, help="the prompts in the picture, or in a file beside the film"
    )
    parser.add_argument(
        "--sound", metavar="FILE", help="any sound file: repeated or cut to the length of the film"
    )
    parser.add_argument("--volume", type=options.volume, metavar="V", help="of the sound, 1 as it is")
    parser.set_defaults(run=run, stopped="stopped; what was there before is untouched.")


def run(args: argparse.Namespace) -> None:
    """Check what can be checked, tell the exact length, export, and tell it again. Raises ArlonError."""
    check_output(args.output)
    film = last_rendered(args.project)
    settings = chosen_settings(read_film_settings(args.project) or FilmSettings(), args)
    plan = film.plan(settings)
    print(f"{len(film.clips)} segments, {describe_edit(plan)}")

    from tqdm import tqdm

    bar_format = "{desc}: {percentage:3.0f}%|{bar}| {n}/{total} frames [{elapsed}<{remaining}]"
    with tqdm(desc="film", total=plan.frames, disable=None, bar_format=bar_format) as bar:

        def progress(done: int, total: int) -> None:
            bar.update(done - bar.n)

        info = export_rendered(film, args.output, settings, progress)
    for note in info.notes:
        print(f"note: {note}")
    beside = f", captions in {info.subtitles}" if info.subtitles else ""
    print(f"{info.path}: {show_seconds(info.frames, info.fps)}, {info.frames} frames{beside}")


def chosen_settings(settings: FilmSettings, args: argparse.Namespace) -> FilmSettings:
    """The project's settings with the options put before them. Raises FilmError.

    --join goes for all segments, also for those that film.json gives a join of their own; --join-seconds
    alone changes only how long the joins take.
    """
    if args.join is not None:
        settings = replace(settings, default_join=Join(args.join, settings.default_join.seconds), joins={})
    if args.join_seconds is not None:
        settings = replace(
            settings,
            default_join=Join(settings.default_join.kind, args.join_seconds),
            joins={name: Join(join.kind, args.join_seconds) for name, join in settings.joins.items()},
        )
    if args.captions is not None:
        settings = replace(settings, captions=args.captions)
    if args.sound is not None:
        settings = replace(settings, sound=Sound(str(Path(args.sound).absolute())))
    if args.volume is not None:
        if settings.sound is None:
            raise FilmError("--volume has no sound to change; give --sound as well.")
        settings = replace(settings, sound=replace(settings.sound, volume=args.volume))
    return settings
