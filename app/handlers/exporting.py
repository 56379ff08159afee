"""Exports in a thread behind the page: any page of the project sees how far one is, and finds its film later.

No job of the queue: that has one worker a device, and an export, which needs no model, would wait behind
every render.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app import words
from arlon_core.errors import ArlonError
from arlon_core.generation.export import export_rendered
from arlon_core.generation.rendered import RenderedFilm
from arlon_core.media.film_settings import FilmSettings

if TYPE_CHECKING:
    from arlon_core.media.film import FilmInfo

logger = logging.getLogger(__name__)

MAX_KEPT = 200  # exports that are remembered; the oldest go first (our choice)


@dataclass(frozen=True)
class Export:
    """The newest export of a project. done, total: frames. info: when it ended well; failure: when not.

    stop: set by a person who cancels it; its thread sees that at the next frame, if there is one.
    """

    total: int
    done: int = 0
    info: FilmInfo | None = None
    failure: str = ""
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def active(self) -> bool:
        return self.info is None and not self.failure and not self.cancelled

    @property
    def cancelled(self) -> bool:
        return self.stop.is_set() and self.info is None


class _CancelledError(Exception):
    """Goes through the writing of a film, which takes its half-written file away."""


class Exports:
    """The exports of a server, one at work at a time."""

    def __init__(self) -> None:
        self._exports: dict[Path, Export] = {}
        self._lock, self._turn = threading.Lock(), threading.Lock()

    def of(self, project: Path) -> Export | None:
        """The newest export of a project's folder, at work or ended."""
        with self._lock:
            return self._exports.get(project)

    def start(self, film: RenderedFilm, path: Path, settings: FilmSettings) -> bool:
        """Begin to write `path`. False when an export of this project is at work. Raises FilmError."""
        export = Export(film.plan(settings).frames)
        with self._lock:
            before = self._exports.pop(film.project, None)
            running = before is not None and before.active
            self._exports[film.project] = before if before is not None and running else export
            while len(self._exports) > MAX_KEPT:
                del self._exports[next(iter(self._exports))]
        if not running:
            work = threading.Thread(target=self._run, args=(film, path, settings, export), daemon=True)
            work.start()
        return not running

    def cancel(self, project: Path) -> bool:
        """End the export of a project's folder. False when none was at work."""
        with self._lock:
            export = self._exports.get(project)
            if export is None or not export.active:
                return False
            export.stop.set()
            return True

    def _run(self, film: RenderedFilm, path: Path, settings: FilmSettings, export: Export) -> None:
        def progress(done: int, total: int) -> None:
            if export.cancelled:
                raise _CancelledError
            self._note(film.project, replace(export, done=done))

        try:
            with self._turn:
                if export.cancelled:
                    return
                path.parent.mkdir(parents=True, exist_ok=True)
                info = export_rendered(film, path, settings, progress)
            self._note(film.project, replace(export, done=export.total, info=info))
        except _CancelledError:
            return
        except ArlonError as error:
            self._note(film.project, replace(export, failure=str(error)))
        except Exception as error:
            logger.exception("The export of %s broke.", film.project)
            self._note(
                film.project, replace(export, failure=words.EXPORT_BROKE.format(error=type(error).__name__))
            )

    def _note(self, project: Path, export: Export) -> None:
        """Tell how far an export is, unless another one has its place by now: it was cancelled then."""
        with self._lock:
            newest = self._exports.get(project)
            if newest is not None and newest.stop is export.stop:
                self._exports[project] = export
