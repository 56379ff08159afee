"""`train`: one or more stages, one after the other, into a folder of components."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from arlon_core.cli import options
from arlon_core.errors import ArlonError
from arlon_core.presets import PRESETS
from arlon_core.training.config import STAGES, train_config


def add_command(commands: Any) -> None:
    """Add `train` to the parser's commands."""
    parser = commands.add_parser(
        "train",
        help="train stages of a model on Storyworld",
        description="Train one or more stages, each on what the ones before it wrote. Several GPUs: "
        "accelerate launch -m arlon_core train ...",
        allow_abbrev=False,
    )
    parser.add_argument("stages", nargs="+", metavar="STAGE", choices=STAGES, help=", ".join(STAGES))
    parser.add_argument("--preset", choices=sorted(PRESETS), default="storyworld", help="sizes (%(default)s)")
    parser.add_argument(
        "--components", type=Path, default=options.default_model(), metavar="DIR",
        help="pipeline folder: frozen parts are read there, results written (%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--runs", type=Path, default=Path("runs"), metavar="DIR",
        help="checkpoints, TensorBoard scalars and samples (%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--init", type=Path, metavar="WEIGHTS",
        help="the first stage starts from a component's weights, those after it as always",
    )  # fmt: skip
    parser.add_argument(
        "--decoder-only", action="store_true",
        help="vae: train its decoder on, and leave the latents that other stages stand on as they are",
    )  # fmt: skip
    parser.add_argument(
        "--minutes", type=options.positive_float, nargs="+", default=[], metavar="M",
        help="length by the clock, one number a stage, instead of steps",
    )  # fmt: skip
    parser.add_argument("--steps", type=options.positive_int, metavar="N", help="length in steps")
    parser.add_argument("--batch-size", type=options.positive_int, metavar="N", help="per process")
    parser.add_argument("--learning-rate", type=options.positive_float, metavar="LR")
    parser.add_argument("--seed", type=options.seed, metavar="S")
    parser.add_argument(
        "--guidance", type=options.guidance, metavar="G", help="where a stage distils: its teacher's scale"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the run's checkpoint")
    parser.add_argument(
        "--profile", action="store_true",
        help="train nothing; take some steps and say where their time goes",
    )  # fmt: skip
    parser.add_argument("--device", choices=options.DEVICES, default="auto", help="(%(default)s)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Train, then write the pipeline's index. Raises ArlonError for what the user can mend."""
    if args.minutes and len(args.minutes) != len(args.stages):
        raise ArlonError(
            f"--minutes has {len(args.minutes)} numbers for {len(args.stages)} stages; give one a stage."
        )
    if args.init is not None and not args.init.is_dir():
        raise ArlonError(f"--init {args.init} is not a folder; name the folder of one component.")
    if args.decoder_only and args.init is None and not args.resume:
        raise ArlonError("--decoder-only goes on from a trained encoder; name the VAE's folder with --init.")
    configs = [
        train_config(
            stage,
            args.preset,
            max_steps=args.steps,
            batch_size=args.batch_size,
            learning_rate=args.learning_rate,
            seed=args.seed,
            guidance_scale=args.guidance,
            decoder_only=args.decoder_only,
        )
        for stage in args.stages
    ]
    for folder in (args.components, args.runs):
        _make_folder(folder)

    from arlon_core.pipeline import assemble
    from arlon_core.training.run import train

    try:
        train(
            configs,
            args.components,
            args.runs,
            minutes=args.minutes,
            init=args.init,
            resume=args.resume,
            device=args.device,
            profile=args.profile,
        )
    finally:
        # A stage writes its component at every checkpoint, so there is something to load even after a cut.
        if int(os.environ.get("RANK", "0")) == 0:
            assemble(args.components, PRESETS[args.preset])


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArlonError(f"{folder} cannot be made ({error.strerror}); give another folder.") from None
