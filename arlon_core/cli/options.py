"""Argument types that say what is wrong, and options that several commands take. No torch."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

from arlon_core.media.film_settings import MAX_VOLUME
from arlon_core.story import MAX_SEED

DEVICES = ("auto", "cpu", "cuda")


def default_model() -> Path:
    """The pipeline folder that comes with the repository, relative to here when that is shorter."""
    folder = Path(__file__).resolve().parents[2] / "assets" / "models" / "storyworld"
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def add_model(parser: Any) -> None:
    """Add `--model` to a parser, or to a group of it."""
    parser.add_argument(
        "--model", default=str(default_model()), metavar="M", help="pipeline folder or hub id (%(default)s)"
    )


def positive_int(text: str) -> int:
    """A whole number of at least 1."""
    value = _whole(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return value


def port(text: str) -> int:
    """A port to listen on: 1 to 65535."""
    value = _whole(text)
    if not 1 <= value <= 65535:
        raise argparse.ArgumentTypeError(f"{_short(text)} is not from 1 to 65535")
    return value


def seed(text: str) -> int:
    """A whole number from 0 to 2^63-1."""
    value = _whole(text)
    if not 0 <= value <= MAX_SEED:
        raise argparse.ArgumentTypeError(f"{_short(text)} is not from 0 to 2^63-1")
    return value


def positive_float(text: str) -> float:
    """A number above 0, neither NaN nor endless."""
    value = _number(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def guidance(text: str) -> float:
    """A guidance scale: 0 to 100."""
    value = _number(text)
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to 100")
    return value


def volume(text: str) -> float:
    """The volume of a sound: 0 to 4."""
    value = _number(text)
    if not 0 <= value <= MAX_VOLUME:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to {MAX_VOLUME:g}")
    return value


def component(text: str) -> tuple[str, Path]:
    """A component's name and a folder that holds one, as NAME=DIR."""
    name, _, folder = text.partition("=")
    if not (name and folder):
        raise argparse.ArgumentTypeError(f"'{_short(text)}' is not NAME=DIR, such as transformer=arms/dit")
    return name, Path(folder)


def share(text: str) -> tuple[int, int]:
    """One of several equal shares, as I/N: the I-th of N."""
    number, _, count = text.partition("/")
    found = positive_int(number), positive_int(count)
    if found[0] > found[1]:
        raise argparse.ArgumentTypeError(
            f"{_short(text)} is not one of {found[1]} shares, such as 1/{found[1]}"
        )
    return found


def _whole(text: str) -> int:
    try:
        return int(text[:40])
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{_short(text)}' is not a whole number") from None


def _number(text: str) -> float:
    try:
        value = float(text[:400])
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{_short(text)}' is not a number") from None
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{_short(text)} is not a finite number")
    return value


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."
