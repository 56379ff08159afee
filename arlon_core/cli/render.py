"""`render` and `animatic`: from a story file to a film."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from arlon_core.cli import options
from arlon_core.errors import ArlonError
from arlon_core.generation.events import Event, Failed, FilmReady
from arlon_core.generation.model_folder import check_model_folder, is_local
from arlon_core.generation.output import check_output, write_json
from arlon_core.generation.plan import make_plan
from arlon_core.store import Store
from arlon_core.story import Story, read_story


def add_commands(commands: Any) -> None:
    """Add `render` and `animatic` to the parser's commands."""
    for name, text in (
        ("render", "render a story into a film"),
        ("animatic", "show the whole story as small pictures, seconds after the call"),
    ):
        parser = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        parser.add_argument("story", type=Path, metavar="STORY", help="story file (.txt or .json)")
        parser.add_argument(
            "-o", "--output", type=Path, required=True, metavar="FILM.mp4", help="where to write it"
        )
        options.add_model(parser)
        parser.add_argument("--steps", type=options.positive_int, metavar="N", help="denoising steps a chunk")
        parser.add_argument(
            "--guidance", type=options.guidance, metavar="G", help="guidance scale; 1 is none"
        )
        parser.add_argument(
            "--chunk",
            type=options.positive_int,
            metavar="N",
            help="new latent frames a chunk; fewer take less memory, and give another film (the model's own)",
        )
        parser.add_argument("--seed", type=options.seed, metavar="S", help="instead of the story's own seed")
        parser.add_argument("--device", choices=options.DEVICES, default="auto", help="(%(default)s)")
        parser.add_argument(
            "--project",
            type=Path,
            metavar="DIR",
            help="keep everything there: an edit or a restart goes on from it",
        )
        parser.add_argument("--report", type=Path, metavar="R.json", help="write times, memory and settings")
        parser.set_defaults(run=run, command=name)


def run(args: argparse.Namespace) -> None:
    """Check everything that can be checked, load the model, render. Raises ArlonError."""
    story = read_story(args.story)
    check_output(args.output)
    if args.report is not None:
        check_output(args.report, suffixes=(".json",))
    if is_local(args.model):
        _check_lengths(story, args.story.name, check_model_folder(Path(args.model)))

    if args.project is not None:
        Store(args.project)  # refuses a place that cannot be written to

    started = time.perf_counter()
    from arlon_core.pipeline import ArlonPipeline

    pipe = ArlonPipeline.from_pretrained(args.model, device=args.device)
    pipe.load_seconds = time.perf_counter() - started  # the import of the libraries is waited for as well
    report = _follow(_events(pipe, story, args), animatic_only=args.command == "animatic")
    if args.report is not None:
        write_json(args.report, report)
    print(_summary(args.output, report))


def _check_lengths(story: Story, name: str, index: Mapping[str, Any]) -> None:
    """A segment too short for the model's frame rate is told before the model is loaded."""
    fps = index.get("fps")
    if isinstance(fps, int) and fps > 0:
        try:
            make_plan([segment.seconds for segment in story.segments], fps)
        except ArlonError as error:
            raise type(error)(f"{name}: {error}") from None


def _events(pipe: Any, story: Story, args: argparse.Namespace) -> Iterator[Event]:
    from arlon_core.generation.render import animatic, render

    shared = {"project": args.project, "seed": args.seed, "output": args.output}
    if args.command == "animatic":
        return animatic(pipe, story, **shared)
    own = {"steps": args.steps, "guidance": args.guidance, "chunk": args.chunk}
    return render(pipe, story, with_animatic=False, **own, **shared)


def _follow(events: Iterator[Event], *, animatic_only: bool) -> Mapping[str, Any]:
    """Draw the events as they come, and give the film's report."""
    from arlon_core.cli.progress import ProgressBars

    report: Mapping[str, Any] = {}
    with ProgressBars(animatic_only=animatic_only) as bars:
        for event in events:
            bars.show(event)
            if isinstance(event, FilmReady):
                report = event.report
            elif isinstance(event, Failed):
                raise ArlonError(event.message)
    return report


def _summary(path: Path, report: Mapping[str, Any]) -> str:
    """Two lines: what was made, and where the time went."""
    seconds = report["seconds"]
    total, film = report["seconds_total"], report["seconds_of_video"]
    times = ", ".join(f"{stage} {value:.1f}" for stage, value in seconds.items())
    return (
        f"{path}: {report['frames']} frames, {film:.1f} s of video, made in {total:.1f} s "
        f"({total / film:.2f} s a second of video), {report['peak_memory_gb']:.1f} GB\n"
        f"seconds by stage: {times}"
    )
