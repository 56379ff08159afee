"""The project folder on disk: ``artefacts/<kind>/<key[:2]>/<key>.safetensors`` and ``journal.jsonl``."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from arlon_core.errors import ProjectError
from arlon_core.store.artefacts import FORMAT_VERSIONS, Artefact, pack, unpack
from arlon_core.store.atomic import is_partial, os_reason, replacing
from arlon_core.store.journal import Journal

logger = logging.getLogger(__name__)

STALE_SECONDS = 24 * 3600  # half-written files older than this belong to no living writer (our choice)


class ArtefactStore(Protocol):
    """What the engine needs of a store: Store on disk, MemoryStore without a project."""

    journal: Journal

    def put(
        self, kind: str, key: str, tensors: Mapping[str, np.ndarray], meta: Mapping[str, Any] | None = None
    ) -> None: ...

    def get(self, kind: str, key: str) -> dict[str, np.ndarray] | None: ...

    def get_artefact(self, kind: str, key: str) -> Artefact | None: ...

    def file_path(self, kind: str, key: str, suffix: str) -> Path: ...


class Store:
    """A project folder. Several processes may share it: every file appears whole, by a rename.

    root: made when missing. Raises ProjectError when it cannot be made or written to.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        try:
            (self.root / "artefacts").mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise ProjectError(f"the project {self.root} is a file; give the path of a folder.") from None
        except OSError as error:
            raise ProjectError(
                f"the project folder {self.root} cannot be made: {os_reason(error)}."
            ) from None
        if not os.access(self.root / "artefacts", os.W_OK | os.X_OK):
            raise ProjectError(f"the project folder {self.root} is not writable; choose another folder.")
        self.journal = Journal(self.root / "journal.jsonl")
        self._sweep()

    def put(
        self, kind: str, key: str, tensors: Mapping[str, np.ndarray], meta: Mapping[str, Any] | None = None
    ) -> None:
        """Keep ``tensors`` and ``meta`` (plain JSON values) under ``key``, on the disk when this returns.

        Raises ProjectError when the disk is full or cannot be written; what was there stays.
        """
        data = pack(kind, key, tensors, meta or {})
        path = self.file_path(kind, key, ".safetensors")
        try:
            with replacing(path) as partial:
                partial.write_bytes(data)
        except OSError as error:
            raise ProjectError(
                f"the project {self.root} cannot keep its {kind}: {os_reason(error)}."
            ) from None

    def get(self, kind: str, key: str) -> dict[str, np.ndarray] | None:
        """The tensors kept under ``key``, or None when there are none or they are damaged."""
        artefact = self.get_artefact(kind, key)
        return None if artefact is None else artefact.tensors

    def get_artefact(self, kind: str, key: str) -> Artefact | None:
        """Tensors and meta kept under ``key``; None when absent or damaged (then set aside)."""
        path = self._path(kind, key, ".safetensors")
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            logger.warning("%s cannot be read (%s); it is made again.", path, error.strerror)
            return None
        artefact = unpack(kind, key, data)
        if artefact is None:
            self._set_aside(path)
        return artefact

    def file_path(self, kind: str, key: str, suffix: str) -> Path:
        """Where a file of another format (``.mp4``) belongs under ``key``; its folder exists on return.

        Whoever writes there does so whole or not at all, as media.segment_writer does.
        Raises ProjectError when the folder cannot be made.
        """
        path = self._path(kind, key, suffix)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ProjectError(
                f"the project {self.root} cannot keep its {kind}: {os_reason(error)}."
            ) from None
        return path

    def _path(self, kind: str, key: str, suffix: str) -> Path:
        assert kind in FORMAT_VERSIONS, f"{kind} has no format version"
        return self.root / "artefacts" / kind / key[:2] / (key + suffix)

    def _set_aside(self, path: Path) -> None:
        """Rename a damaged artefact, so that it is made again and can still be looked at."""
        aside = path.with_suffix(".damaged")
        logger.warning("%s is damaged; it is kept as %s and made again.", path, aside.name)
        with suppress(OSError):  # gone already, or read-only: it is made again all the same
            os.replace(path, aside)

    def _sweep(self) -> None:
        """Remove what killed writers left behind."""
        limit = time.time() - STALE_SECONDS
        for path in (self.root / "artefacts").rglob(".*"):
            with suppress(OSError):
                if is_partial(path) and path.stat().st_mtime < limit:
                    path.unlink()
