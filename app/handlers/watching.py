"""Follows every job in a thread of its own and keeps what the page needs to know of it.

Any number of pages look at the same view, each at its own pace: a page that closes, sleeps or loses its
connection costs nothing and changes nothing, and finds everything when it comes back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from app.handlers.progress import JobView, fold
from arlon_core.errors import ArlonError
from arlon_core.jobs import JobQueue

MAX_KEPT = 200  # views; the oldest go first (our choice)


class Watcher:
    """Views of the jobs of one queue, kept up to date behind the page."""

    def __init__(self, jobs: JobQueue, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._jobs = jobs
        self._views: dict[str, JobView] = {}
        self._lock = threading.Lock()

    def view(self, job_id: str) -> JobView:
        """The job as it stands; the first call begins to follow it, so make it when the job is submitted."""
        with self._lock:
            known = self._views.get(job_id)
            if known is not None:
                return known
            self._views[job_id] = JobView()
            while len(self._views) > MAX_KEPT:
                del self._views[next(iter(self._views))]
        threading.Thread(target=self._follow, args=(job_id,), daemon=True, name=f"watch {job_id}").start()
        return JobView()

    def _follow(self, job_id: str) -> None:
        view = JobView()
        with suppress(ArlonError):  # the queue has forgotten the job
            for _, event in self._jobs.attach(job_id):
                view = fold(view, event, self.clock())
                with self._lock:
                    if job_id not in self._views:
                        return
                    self._views[job_id] = view
