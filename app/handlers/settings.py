"""What a person may set of a render beside its story: typed into fields, empty for the model's own."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from app import words
from app.handlers.planning import Grid
from arlon_core.errors import ArlonError

SETTINGS = ("steps", "guidance", "chunk")  # the fields, in the page's order
MAX_STEPS, MAX_GUIDANCE = 200, 20.0


def read_steps(typed: Any) -> int | None:
    """Denoising steps. Raises ArlonError."""
    number = _number(typed)
    if number is None:
        return None
    if not _whole(number, MAX_STEPS):
        raise ArlonError(words.bad_steps(typed, MAX_STEPS))
    return int(number)


def read_guidance(typed: Any) -> float | None:
    """The guidance scale. Raises ArlonError."""
    number = _number(typed)
    if number is not None and not 0 < number <= MAX_GUIDANCE:
        raise ArlonError(words.bad_guidance(typed, MAX_GUIDANCE))
    return number


def read_chunk(typed: Any, grid: Grid | None) -> int | None:
    """New latent frames a chunk, the model's own at most where they are known. Raises ArlonError."""
    number = _number(typed)
    if number is None:
        return None
    most = None if grid is None else grid.max_new
    if not _whole(number, math.inf if most is None else most):
        raise ArlonError(words.bad_chunk(typed, most))
    return int(number)


def chunked(grid: Grid | None, typed: Any) -> Grid | None:
    """The grid with chunks of the length that was typed; as it is while that is none."""
    try:
        chunk = read_chunk(typed, grid)
    except ArlonError:
        return grid
    return grid if grid is None or chunk is None else replace(grid, max_new=chunk)


def _whole(number: float, most: float) -> bool:
    return 1 <= number <= most and number.is_integer()


def _number(typed: Any) -> float | None:
    """What was typed into a field: None for an empty one, NaN for what is no number."""
    if typed is None or not str(typed).strip():
        return None
    try:
        return float(typed)
    except (TypeError, ValueError):
        return math.nan
