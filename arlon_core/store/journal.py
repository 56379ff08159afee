"""The journal of a project: what was asked, planned and done, one JSON object a line, append-only."""

from __future__ import annotations

import json
import logging
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from arlon_core.errors import ProjectError
from arlon_core.store.atomic import os_reason

logger = logging.getLogger(__name__)

# The libraries whose versions can change what a render gives.
LIBRARIES = ("torch", "diffusers", "transformers", "tokenizers", "safetensors", "numpy", "av", "moviepy")


class Journal:
    """Append-only JSON lines. path: the file, made at the first append; None keeps nothing.

    A line torn by a crash is left where it is: reading passes over it, and the next record starts a new line.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path

    def append(self, record: str, **values: Any) -> None:
        """Write one line ``{"at": time in UTC, "record": record, **values}``; values are plain JSON values.

        Records in use: story, plan, event, environment. Raises ProjectError when it cannot be written.
        """
        if self.path is None:
            return
        line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "record": record, **values}
        data = (json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8")
        try:
            self._write(data)
        except OSError as error:
            raise ProjectError(f"the journal {self.path} cannot be written: {os_reason(error)}.") from None

    def read(self, record: str | None = None) -> list[dict[str, Any]]:
        """All whole lines in order, or those of one kind of record. Torn lines are passed over.

        Raises ProjectError when the file is there and cannot be read.
        """
        if self.path is None:
            return []
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise ProjectError(f"the journal {self.path} cannot be read: {os_reason(error)}.") from None
        lines = [_parse(line) for line in data.split(b"\n") if line]
        torn = lines.count(None)
        if torn:
            logger.info("%s has %d torn lines; they are passed over.", self.path, torn)
        return [line for line in lines if line is not None and record in (None, line["record"])]

    def _write(self, data: bytes) -> None:
        assert self.path is not None
        # One write in append mode: the lines of two processes do not mix.
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            size = os.fstat(descriptor).st_size
            if size:
                os.lseek(descriptor, size - 1, os.SEEK_SET)
                if os.read(descriptor, 1) != b"\n":
                    data = b"\n" + data
            written = os.write(descriptor, data)
            while written < len(data):  # a nearly full disk takes a part, then raises
                written += os.write(descriptor, data[written:])
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def environment_record(device: str, dtype: str, threads: int) -> dict[str, Any]:
    """What sameness of frames depends on besides the project: machine, dtype, threads and library versions.

    device: its model in words, such as "cpu" or the GPU's name.
    """
    libraries: dict[str, str | None] = {}
    for name in LIBRARIES:
        try:
            libraries[name] = version(name)
        except PackageNotFoundError:
            libraries[name] = None
    return {
        "device": device,
        "dtype": dtype,
        "threads": threads,
        "machine": platform.machine(),
        "python": platform.python_version(),
        "libraries": libraries,
    }


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and isinstance(value.get("record"), str) else None
