"""Work that goes on beside the render: one thread, in order, with room for little that waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

Result = TypeVar("Result")

_WAITING = 3  # pieces of work that wait or run, a chunk's frames each: 17 MB at 256x448


class BackgroundThread:
    """Does what is submitted in a thread of its own, one piece after the other.

    At most `waiting` pieces are held; to submit one more waits for the oldest, so memory stays flat however
    slow the disk is. The first piece that raises ends it: what waits is dropped, and `check`, `submit` and
    `drain` raise that error in the thread that calls them.

    worked: seconds spent on the work. waited: seconds that others waited for it.
    """

    def __init__(self, name: str, waiting: int = _WAITING) -> None:
        self.worked = self.waited = 0.0
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._room = threading.BoundedSemaphore(waiting)
        self._error: BaseException | None = None
        self._latest: Future | None = None

    def submit(self, work: Callable[[], Result]) -> Future[Result]:
        """Have `work` done after all that was submitted before."""
        started = time.perf_counter()
        self._room.acquire()  # always comes: after an error the pieces that wait are passed over
        self.waited += time.perf_counter() - started
        try:
            self.check()
            future = self._pool.submit(self._do, work)
        except BaseException:
            self._room.release()
            raise
        self._latest = future
        return future

    def check(self) -> None:
        """Raises what the work raised, if it did."""
        if self._error is not None:
            raise self._error

    def drain(self) -> None:
        """Wait until all is done. Raises what the work raised."""
        started = time.perf_counter()
        if self._latest is not None:
            self._latest.exception()
        self.waited += time.perf_counter() - started
        self.check()

    def _do(self, work: Callable[[], Result]) -> Result:
        started = time.perf_counter()
        try:
            self.check()
            return work()
        except BaseException as error:
            self._error = self._error or error
            raise
        finally:
            self.worked += time.perf_counter() - started
            self._room.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drops what waits, and returns when the thread has ended; `drain` first to have all done."""
        self._pool.shutdown(wait=True, cancel_futures=True)
