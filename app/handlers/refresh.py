"""Which parts of a page are out of date. A page keeps a mark of each value that it shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

ROUNDS = 10  # every so many times all is sent: two answers may have overtaken each other (our choice)
_ROUND = "round"


def changed(values: Mapping[str, Any], shown: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The values that differ from what a page shows, and the marks of what it shows once it has them."""
    shown = shown if isinstance(shown, Mapping) else {}
    turn = (int(shown.get(_ROUND, -1)) + 1) % ROUNDS
    marks = {name: _mark(value) for name, value in values.items()}
    new = {name: value for name, value in values.items() if turn == 0 or marks[name] != shown.get(name)}
    return new, {**marks, _ROUND: turn}


def _mark(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
