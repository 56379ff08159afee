"""A store for renders without a project: artefacts in memory, files in a folder that goes with it."""

from __future__ import annotations

import tempfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from arlon_core.errors import ProjectError
from arlon_core.store.artefacts import Artefact
from arlon_core.store.atomic import os_reason
from arlon_core.store.journal import Journal

DEFAULT_BUDGET = 256 * 1024 * 1024  # bytes of tensors kept (our choice); a ten-minute film stays flat


class MemoryStore:
    """Keeps the latest artefacts up to ``budget`` bytes and forgets the oldest; use as a context manager.

    Files (segment clips) lie in a temporary folder, made at first need and removed by close().
    """

    def __init__(self, budget: int = DEFAULT_BUDGET) -> None:
        self.journal = Journal(None)
        self._budget = budget
        self._artefacts: OrderedDict[tuple[str, str], Artefact] = OrderedDict()
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def put(
        self, kind: str, key: str, tensors: Mapping[str, np.ndarray], meta: Mapping[str, Any] | None = None
    ) -> None:
        """Keep copies of ``tensors`` and ``meta`` under ``key``."""
        copies = {name: np.array(array) for name, array in tensors.items()}
        self._artefacts.pop((kind, key), None)
        self._artefacts[kind, key] = Artefact(copies, dict(meta or {}))
        while len(self._artefacts) > 1 and self.bytes_kept > self._budget:
            self._artefacts.popitem(last=False)

    def get(self, kind: str, key: str) -> dict[str, np.ndarray] | None:
        """The tensors kept under ``key``, or None."""
        artefact = self.get_artefact(kind, key)
        return None if artefact is None else artefact.tensors

    def get_artefact(self, kind: str, key: str) -> Artefact | None:
        """Copies of the tensors and meta kept under ``key``, or None when absent or forgotten."""
        kept = self._artefacts.get((kind, key))
        if kept is None:
            return None
        return Artefact({name: array.copy() for name, array in kept.tensors.items()}, dict(kept.meta))

    def file_path(self, kind: str, key: str, suffix: str) -> Path:
        """Where a file belongs under ``key``. Raises ProjectError when there is no room for a folder."""
        try:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="arlon-")
            path = Path(self._folder.name) / kind / (key + suffix)
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ProjectError(f"no folder for temporary files can be made: {os_reason(error)}.") from None
        return path

    @property
    def bytes_kept(self) -> int:
        """Bytes of all tensors held."""
        return sum(array.nbytes for kept in self._artefacts.values() for array in kept.tensors.values())

    def close(self) -> None:
        """Forget everything and remove the files."""
        self._artefacts.clear()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def __enter__(self) -> MemoryStore:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
