"""Jobs one after the other: submitted, cancelled and watched from any thread, worked on in one of its own."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from contextvars import Context, copy_context
from dataclasses import dataclass, field

from arlon_core.errors import ArlonError
from arlon_core.generation.events import Event, Failed, FilmReady
from arlon_core.jobs.engine import Engine, closable
from arlon_core.jobs.history import History
from arlon_core.jobs.records import JobRequest, JobState, JobStatus

logger = logging.getLogger(__name__)

_KEPT = 200  # ended jobs that can still be asked about; older ones are forgotten (our choice)
_CANCELLED = "cancelled; what was made is kept in the project."


@dataclass
class _Job:
    """A job, changed only under the queue's lock.

    context: of whoever submitted it. The work runs in it, so that a lent GPU's time counts as that person's.
    """

    id: str
    request: JobRequest
    submitted: float = field(default_factory=time.time)
    state: JobState = JobState.QUEUED
    message: str = ""
    started: float | None = None
    ended: float | None = None
    cancel: threading.Event = field(default_factory=threading.Event)
    history: History = field(default_factory=History)
    context: Context = field(default_factory=copy_context)


class JobQueue:
    """One worker thread for one device. Jobs live as long as the process, whatever becomes of a page."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Condition()
        self._jobs: dict[str, _Job] = {}  # in the order of submission
        self._waiting: deque[_Job] = deque()
        self._running: _Job | None = None
        self._closed = False
        self._worker = threading.Thread(target=self._work, name="arlon-jobs", daemon=True)
        self._worker.start()

    def submit(self, request: JobRequest) -> str:
        """Put a job at the end of the queue; gives its id. Raises ArlonError once the queue is closed."""
        job = _Job(secrets.token_hex(8), request)
        with self._lock:
            if self._closed:
                raise ArlonError("the queue is closed; start the studio again.")
            self._jobs[job.id] = job
            self._waiting.append(job)
            self._lock.notify_all()
        return job.id

    def cancel(self, job_id: str) -> bool:
        """Stop a job: a queued one now, a running one within a step. False when unknown, or ended before."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None or job.state.ended:
                return False
            job.cancel.set()
            if job.state is JobState.QUEUED:
                self._waiting.remove(job)
                self._end(job, JobState.CANCELLED, _CANCELLED)
            return True

    def status(self, job_id: str) -> JobStatus | None:
        """How a job stands, or None when it is unknown."""
        with self._lock:
            job = self._jobs.get(job_id)
            return None if job is None else self._status(job)

    def jobs(self) -> list[JobStatus]:
        """All jobs, newest first."""
        with self._lock:
            return [self._status(job) for job in reversed(self._jobs.values())]

    def attach(self, job_id: str, after: int = 0) -> Iterator[tuple[int, Event]]:
        """Events of a job with numbers above `after`: those that were, then those that come, until it ends.

        Any number of listeners, each at its own pace; one that goes away changes nothing. A job that failed
        or was cancelled ends with Failed. Once it ends the job's state is final. Numbers may have gaps, see
        `History`.
        Raises ArlonError when the job is unknown.
        """
        with self._lock:
            job = self._jobs.get(job_id)
        if job is None:
            raise ArlonError("this job is not known here any more; start it again.")
        return job.history.follow(after)

    def close(self) -> None:
        """Cancel what runs and what waits, and return when the worker has ended."""
        with self._lock:
            self._closed = True
            self._lock.notify_all()
        for job in self.jobs():
            self.cancel(job.id)
        self._worker.join()

    # -- the worker -------------------------------------------------------------------------------------

    def _work(self) -> None:
        while (job := self._next()) is not None:
            state, message = job.context.run(self._run, job)
            with self._lock:
                self._running = None
                self._end(job, state, message)

    def _next(self) -> _Job | None:
        """The next job, now running; None when the queue is closed."""
        with self._lock:
            self._lock.wait_for(lambda: self._closed or self._waiting)
            if not self._waiting:
                return None
            job = self._running = self._waiting.popleft()
            job.state, job.started = JobState.RUNNING, time.time()
            return job

    def _run(self, job: _Job) -> tuple[JobState, str]:
        """Do a job; how it ended, and the sentence for it. Nothing that an engine does ends the worker."""
        done = False
        try:
            with closing(closable(self._engine.run(job.request, job.cancel))) as events:
                for event in events:
                    if isinstance(event, Failed):
                        raise ArlonError(event.message)
                    job.history.append(event)
                    done = done or isinstance(event, FilmReady)
                    if job.cancel.is_set():
                        break
        except ArlonError as error:
            if not job.cancel.is_set():
                return JobState.FAILED, str(error)
        except Exception as error:  # a bug of ours must not take the other jobs with it
            logger.exception("job %s broke", job.id)
            return JobState.FAILED, f"the render broke ({type(error).__name__}); the log says where."
        if done:
            return JobState.DONE, ""
        if job.cancel.is_set():
            return JobState.CANCELLED, _CANCELLED
        return JobState.FAILED, "the render ended without a film; start it again."

    def _end(self, job: _Job, state: JobState, message: str) -> None:
        job.state, job.message, job.ended = state, message, time.time()
        if state is not JobState.DONE:
            job.history.append(Failed(message))
        job.history.end()
        ended = [each.id for each in self._jobs.values() if each.state.ended]
        for forgotten in ended[: max(0, len(ended) - _KEPT)]:
            del self._jobs[forgotten]

    def _status(self, job: _Job) -> JobStatus:
        before = 0
        if job.state is JobState.QUEUED:
            before = self._waiting.index(job) + (self._running is not None)
        return JobStatus(
            job.id, job.request, job.state, before, job.message, job.submitted, job.started, job.ended
        )
