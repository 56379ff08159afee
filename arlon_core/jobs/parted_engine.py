"""The engine for a GPU that is lent call by call (ZeroGPU): the same events, made in several calls."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from arlon_core.errors import ArlonError
from arlon_core.generation.events import Event, Failed, PartReady
from arlon_core.jobs.engine import ModelEngine, closable
from arlon_core.jobs.gpu_calls import GpuCall, GpuLostError, Pace, measured, next_call, perform
from arlon_core.jobs.parted_film import PartedFilm
from arlon_core.jobs.records import JobRequest

Calls = Callable[[GpuCall], Iterator[Event]]

_LOOK_EVERY = 0.1  # seconds between looks at `cancel` while a call runs
_STUCK = "the GPU got nowhere in its time; what was made is kept: give fewer steps, and start it again."
_CUT_OFF = "the GPU's work broke off; what was made is kept: start it again, and it goes on from there."


class PartedEngine(ModelEngine):
    """A ModelEngine whose work runs elsewhere, a call at a time.

    The model is loaded by the constructor, in the thread that calls it: where a GPU is lent, the main process
    only pretends to have one, and pretends so in its main thread alone.
    """

    def __init__(self, model: str, device: str, lend: Callable[[Calls], Calls]) -> None:
        """lend: makes of a generator function one whose work runs where the GPU is.

        Arguments and events are pickled on the way. It may raise ArlonErrors, GpuLostError among them.
        """
        self._loaded = Future()
        self._pace = Pace()
        self._device = ""
        self._load(model, device)
        self._calls = lend(self._work())

    @property
    def device(self) -> str:
        """As in ModelEngine, asked while loading: other threads would not see the GPU."""
        self.wait()
        return self._device

    def run(self, request: JobRequest, cancel: threading.Event) -> Iterator[Event]:
        """As in ModelEngine. Errors say that what was made is kept: the next start goes on from there."""
        film = PartedFilm(self._pipe, request)
        with TemporaryDirectory(prefix="arlon-") as folder:
            flag = Path(folder) / "cancel"
            with _flag_raised(cancel, flag):
                while not film.sketched and not cancel.is_set():
                    yield from self._call(film, flag)
                yield from film.join_animatic(cancel)
                while not film.rendered and not cancel.is_set():
                    yield from self._call(film, flag)
                yield from film.join(cancel)

    def _call(self, film: PartedFilm, flag: Path) -> Iterator[Event]:
        """One call: its news, and what it tells about the pace."""
        chunks, seconds = next_call(film.work, film.left, self._pace)
        part: PartReady | None = None
        news = 0
        try:
            with closing(closable(self._calls(GpuCall(film.request, chunks, seconds, flag)))) as events:
                for event in events:
                    if isinstance(event, Failed):
                        raise ArlonError(event.message)
                    if isinstance(event, PartReady):
                        part = event
                    elif film.is_news(event):
                        news += 1
                        yield event
        except GpuLostError:
            self._pace = self._pace.slower()
            raise
        if part is None:
            if not flag.exists():
                raise ArlonError(_CUT_OFF)
            return
        if not news and part.pieces >= film.left.pieces:
            raise ArlonError(_STUCK)
        self._pace = measured(film.work, film.left, part, self._pace)
        film.note(part)

    def _load(self, model: str, device: str) -> None:
        super()._load(model, device)
        if self._loaded.exception() is None:
            from arlon_core.generation.report import device_name
            from arlon_core.pipeline import COMPONENTS

            self._device = device_name(self._pipe.working_device)
            for name in COMPONENTS:  # once here, rather than in each new process while the GPU's time runs
                self._pipe.fingerprint(name)

    def _work(self) -> Calls:
        """What runs where the GPU is, in a process forked from this one.

        It holds the pipeline itself: another thread may hold the lock of `self._loaded` when it is forked,
        and then holds it for ever. All modules are imported by now for the same reason.
        """
        import arlon_core.generation.parts
        import arlon_core.pipeline  # noqa: F401

        pipe: Any = None if self._loaded.exception() else self._pipe

        def work(call: GpuCall) -> Iterator[Event]:
            yield from perform(pipe, call)

        return work


@contextmanager
def _flag_raised(cancel: threading.Event, flag: Path) -> Iterator[None]:
    """Within, `flag` comes to exist soon after `cancel` is set: an Event cannot cross to another process."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_LOOK_EVERY):
            if cancel.is_set():
                flag.touch()
                return

    thread = threading.Thread(target=watch, name="arlon-cancel", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
