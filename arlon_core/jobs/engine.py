"""Who does the work: the interface that the queue sees, and the real engine, which loads its model aside."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from arlon_core.generation.events import Event
from arlon_core.jobs.records import JobRequest

if TYPE_CHECKING:
    from arlon_core.pipeline import ArlonPipeline

_LOOK_EVERY = 0.1  # seconds between looks at `cancel` while the model loads


class Engine(Protocol):
    """What a queue needs: a job's events as they come, FilmReady among them; else an ArlonError, or Failed.

    `run` looks at `cancel` often, and may simply stop, or raise, when it is set.
    """

    def run(self, request: JobRequest, cancel: threading.Event) -> Iterator[Event]: ...


def closable(events: Iterator[Event]) -> Generator[Event, None, None]:
    """Any iterator as one that can be closed."""
    yield from events


class ModelEngine:
    """A pipeline that is loaded in a thread of its own while others go on; jobs wait for it."""

    def __init__(self, model: str, device: str = "auto") -> None:
        """model: pipeline folder or hub id. device: "auto", "cpu" or "cuda". Returns at once."""
        self._loaded: Future[ArlonPipeline] = Future()
        loading = threading.Thread(target=self._load, args=(model, device), name="arlon-load", daemon=True)
        loading.start()

    def ready(self) -> bool:
        """Whether the model has been loaded, or will not be: `wait` tells which."""
        return self._loaded.done()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the model is loaded. Raises what loading raised (ModelError), or TimeoutError."""
        self._loaded.result(timeout)

    @property
    def name(self) -> str:
        """The model's folder or hub id. This and the facts below wait for the model."""
        return self._pipe.name

    @property
    def fps(self) -> int:
        """Frames a second of its films."""
        return self._pipe.config.fps

    @property
    def height(self) -> int:
        """Pixels."""
        return self._pipe.config.height

    @property
    def width(self) -> int:
        """Pixels."""
        return self._pipe.config.width

    @property
    def device(self) -> str:
        """`cpu`, or the name of the GPU."""
        from arlon_core.generation.report import device_name

        return device_name(self._pipe.working_device)

    def run(self, request: JobRequest, cancel: threading.Event) -> Iterator[Event]:
        """The events of `animatic` or `render`; a render shows the animatic first, where the model can."""
        while not self.ready():
            if cancel.is_set():
                return
            with suppress(FutureTimeout):
                self._loaded.exception(_LOOK_EVERY)
        pipe = self._pipe

        from arlon_core.generation.render import animatic, render

        if request.kind == "animatic":
            yield from animatic(pipe, request.story, request.project, cancel=cancel)
            return
        yield from render(
            pipe,
            request.story,
            request.project,
            steps=request.steps,
            guidance=request.guidance,
            chunk=request.chunk,
            cancel=cancel,
            with_animatic=pipe.preview_decoder is not None,
            previews=True,
        )

    @property
    def _pipe(self) -> ArlonPipeline:
        return self._loaded.result()

    def _load(self, model: str, device: str) -> None:
        try:
            from arlon_core.pipeline import ArlonPipeline

            self._loaded.set_result(ArlonPipeline.from_pretrained(model, device=device))
        except BaseException as error:  # noqa: BLE001 (whoever waits gets it)
            self._loaded.set_exception(error)
