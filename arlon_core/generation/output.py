"""Where results go: checked before the work begins, and written whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from arlon_core.errors import OutputError
from arlon_core.store.atomic import os_reason, replacing

FILM_SUFFIXES = (".mp4", ".webm", ".gif")  # what media.film can write
_PROBE_BYTES = 4096


def check_output(path: Path, suffixes: Sequence[str] = FILM_SUFFIXES) -> None:
    """Refuse a path that the result could not be written to in the end; nothing is left behind.

    Raises OutputError naming the path and the mend.
    """
    if path.is_dir():
        example = path / f"film{suffixes[0]}"
        raise OutputError(f"{path} is a folder; give the name of a file in it, such as {example}.")
    if path.suffix.lower() not in suffixes:
        raise OutputError(f"{path} does not end in {' or '.join(suffixes)}; give it such a name.")
    if path.exists() and not os.access(path, os.W_OK):
        raise OutputError(f"{path} is write-protected; give another path.")
    with output_errors(path), tempfile.NamedTemporaryFile(dir=path.parent, prefix=".arlon-") as probe:
        probe.write(bytes(_PROBE_BYTES))
        probe.flush()


@contextmanager
def output_errors(path: Path) -> Iterator[None]:
    """Turn a failing disk inside the block into an OutputError about `path`."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {os_reason(error)}.") from error


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write `value` in one move. Raises OutputError; what was there before is then untouched."""
    with output_errors(path), replacing(path) as partial:
        partial.write_text(json.dumps(value, indent=2) + "\n")
