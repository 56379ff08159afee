"""Laws of the job queue: one after the other, replay equals live, cancel, failures that take nobody along."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path

import numpy as np
import pytest

from arlon_core.errors import ArlonError
from arlon_core.generation.events import (
    ChunkReady,
    Event,
    Failed,
    FilmReady,
    Planned,
    StepDone,
    WarningRaised,
)
from arlon_core.generation.plan import make_plan
from arlon_core.jobs import JobQueue, JobRequest, JobState
from arlon_core.story import Segment, Story

PATIENCE = 30  # seconds until a test that hangs fails; no law depends on it
PLAN = make_plan([2.0], 12, max_new=4, overlap=2)

Script = Callable[[threading.Event], Iterator[Event]]


def request(title: str = "") -> JobRequest:
    return JobRequest("render", Story((Segment("A fox."),), title=title), Path("project"))


class ScriptedEngine:
    """Runs the script that the story's title names."""

    def __init__(self, **scripts: Script) -> None:
        self.scripts, self.began = scripts, []

    def run(self, request: JobRequest, cancel: threading.Event) -> Iterator[Event]:
        self.began.append(request.story.title)
        return self.scripts[request.story.title or "film"](cancel)


def film(cancel: threading.Event) -> Iterator[Event]:
    """A whole render of two chunks, three steps each."""
    yield Planned(PLAN)
    for chunk in range(2):
        for step in range(1, 4):
            yield StepDone(0, chunk, step, 3, np.full((3, 8, 8, 3), step, np.uint8))
        yield ChunkReady(0, chunk)
    yield FilmReady(Path("project/film.mp4"), {"frames": 24})


class Gate:
    """A script that stops at a gate after its first event, and says that it came there."""

    def __init__(self, then: Script = film) -> None:
        self.then, self.reached, self.open = then, threading.Event(), threading.Event()

    def __call__(self, cancel: threading.Event) -> Iterator[Event]:
        yield WarningRaised("at the gate.")
        self.reached.set()
        assert self.open.wait(PATIENCE)
        if cancel.is_set():
            return
        yield from self.then(cancel)


@pytest.fixture
def open_queue() -> Iterator[Callable[..., JobQueue]]:
    queues = []

    def build(**scripts: Script) -> JobQueue:
        queues.append(JobQueue(ScriptedEngine(**{"film": film, **scripts})))
        return queues[-1]

    yield build
    for queue in queues:
        queue.close()


def events(queue: JobQueue, job: str) -> list[Event]:
    return [event for _, event in queue.attach(job)]


# -- one after the other --------------------------------------------------------------------------------


def test_a_job_runs_to_its_film(open_queue):
    queue = open_queue()
    job = queue.submit(request())
    assert [type(event) for event in events(queue, job)][-1] is FilmReady
    status = queue.status(job)
    assert (status.state, status.position, status.message) == (JobState.DONE, 0, "")
    assert status.submitted <= status.started <= status.ended
    assert status.request == request()


def test_jobs_keep_their_order_and_know_their_place(open_queue):
    gate = Gate()
    queue = open_queue(gate=gate)
    ids = [queue.submit(request("gate")), *(queue.submit(request()) for _ in range(3))]
    assert gate.reached.wait(PATIENCE)
    assert [queue.status(job).position for job in ids] == [0, 1, 2, 3]
    assert [status.id for status in queue.jobs()] == ids[::-1]
    assert queue.cancel(ids[2])
    assert [queue.status(job).position for job in ids] == [0, 1, 0, 2]
    gate.open.set()
    for job in ids:
        events(queue, job)
    starts = [queue.status(job).started for job in (ids[0], ids[1], ids[3])]
    assert starts == sorted(starts)
    assert queue.status(ids[2]).started is None


def test_many_threads_submit_cancel_and_listen(open_queue):
    """Every job ends in one state, and its listeners with it, whoever submits, cancels and listens."""
    queue, ended, lock = open_queue(), {}, threading.Lock()

    def user(number: int) -> None:
        for round_ in range(10):
            job = queue.submit(request())
            if (number + round_) % 3 == 0:
                queue.cancel(job)
            seen = events(queue, job)
            with lock:
                ended[job] = (queue.status(job).state, type(seen[-1]))

    threads = [threading.Thread(target=user, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(ended) == 60
    assert set(ended.values()) <= {(JobState.DONE, FilmReady), (JobState.CANCELLED, Failed)}


# -- listening ------------------------------------------------------------------------------------------


def test_replay_equals_live(open_queue):
    """A listener who was there all along, one who comes at the end, and one who comes back in the middle."""
    gate = Gate()
    queue = open_queue(gate=gate)
    job = queue.submit(request("gate"))
    live: list[tuple[int, Event]] = []
    listener = threading.Thread(target=lambda: live.extend(queue.attach(job)))
    listener.start()
    assert gate.reached.wait(PATIENCE)
    gate.open.set()
    listener.join(PATIENCE)
    replay = list(queue.attach(job))
    assert [number for number, _ in replay] == sorted({number for number, _ in replay})
    # What the replay lacks are steps that a later one of the same chunk has made old.
    assert replay == [item for item in live if not isinstance(item[1], StepDone) or item[1].step == 3]
    middle = replay[3][0]
    assert list(queue.attach(job, after=middle)) == replay[4:]
    assert list(queue.attach(job, after=10_000)) == []


def test_a_listener_that_leaves_changes_nothing(open_queue):
    gate = Gate()
    queue = open_queue(gate=gate)
    job = queue.submit(request("gate"))
    leaving = queue.attach(job)
    assert isinstance(next(leaving)[1], WarningRaised)
    leaving.close()
    gate.open.set()
    assert isinstance(events(queue, job)[-1], FilmReady)


def test_a_slow_listener_holds_nobody_up_and_sees_the_end(open_queue):
    queue = open_queue()
    job = queue.submit(request())
    slow = queue.attach(job)
    first = next(slow)
    assert isinstance(
        events(queue, job)[-1], FilmReady
    )  # the job has ended, the slow one is at its beginning
    rest = [event for _, event in slow]
    assert isinstance(first[1], Planned)
    assert isinstance(rest[-1], FilmReady)


def test_an_unknown_job_is_said_to_be(open_queue):
    queue = open_queue()
    assert queue.status("nothing") is None
    assert not queue.cancel("nothing")
    with pytest.raises(ArlonError, match="not known here any more"):
        queue.attach("nothing")


# -- cancelling -----------------------------------------------------------------------------------------


def test_cancelling_a_queued_job_lets_it_never_run(open_queue):
    gate = Gate()
    queue = open_queue(gate=gate)
    running, queued = queue.submit(request("gate")), queue.submit(request())
    assert gate.reached.wait(PATIENCE)
    assert queue.cancel(queued)
    assert [type(event) for event in events(queue, queued)] == [Failed]
    assert queue.status(queued).state is JobState.CANCELLED
    assert queue.status(queued).message.startswith("cancelled")
    assert not queue.cancel(queued)
    gate.open.set()
    assert isinstance(events(queue, running)[-1], FilmReady)


@pytest.mark.parametrize("deaf", [False, True])
def test_cancelling_a_running_job_stops_it(open_queue, deaf: bool):
    """An engine that does not look at `cancel` is stopped at its next event."""

    def endless(cancel: threading.Event) -> Iterator[Event]:
        for step in range(10**9):
            yield StepDone(0, 0, step, 10**9)
            reached.set()
            if cancel.is_set() and not deaf:
                raise ArlonError("the render was cancelled.")

    reached = threading.Event()
    queue = open_queue(endless=endless)
    job, after = queue.submit(request("endless")), queue.submit(request())
    assert reached.wait(PATIENCE)
    assert queue.cancel(job)
    last = events(queue, job)[-1]
    assert isinstance(last, Failed)
    assert last.message.startswith("cancelled")
    assert queue.status(job).state is JobState.CANCELLED
    assert isinstance(events(queue, after)[-1], FilmReady)
    assert not queue.cancel(job)


def test_a_film_that_was_ready_first_is_no_cancelled_one(open_queue):
    gate = Gate(then=lambda cancel: iter(()))

    def late(cancel: threading.Event) -> Iterator[Event]:
        yield FilmReady(Path("film.mp4"))
        yield from gate(cancel)

    queue = open_queue(late=late)
    job = queue.submit(request("late"))
    assert gate.reached.wait(PATIENCE)
    assert queue.cancel(job)
    gate.open.set()
    assert isinstance(events(queue, job)[0], FilmReady)
    assert queue.status(job).state is JobState.DONE


# -- failing --------------------------------------------------------------------------------------------


def _raises(error: Exception) -> Script:
    def script(cancel: threading.Event) -> Iterator[Event]:
        yield Planned(PLAN)
        raise error

    return script


FAILING = {
    "sentence": (_raises(ArlonError("the disk is full; free some space.")), "the disk is full"),
    "bug": (_raises(KeyError("x")), "KeyError"),
    "failed": (lambda cancel: iter([Planned(PLAN), Failed("no room.")]), "no room."),
    "nothing": (lambda cancel: iter([]), "without a film"),
}


@pytest.mark.parametrize(("script", "said"), FAILING.values(), ids=FAILING.keys())
def test_a_failing_job_says_why_and_the_next_one_runs(open_queue, script: Script, said: str):
    queue = open_queue(failing=script)
    job, after = queue.submit(request("failing")), queue.submit(request())
    seen = events(queue, job)
    assert sum(isinstance(event, Failed) for event in seen) == 1
    assert said in seen[-1].message
    assert (queue.status(job).state, queue.status(job).message) == (JobState.FAILED, seen[-1].message)
    assert isinstance(events(queue, after)[-1], FilmReady)


def test_an_engine_that_cannot_even_begin(open_queue):
    queue = open_queue()
    job = queue.submit(request("a title without a script"))
    assert isinstance(events(queue, job)[-1], Failed)


# -- closing --------------------------------------------------------------------------------------------


def test_closing_ends_everything():
    gate = Gate()
    queue = JobQueue(ScriptedEngine(gate=gate, film=film))
    running, queued = queue.submit(request("gate")), queue.submit(request())
    assert gate.reached.wait(PATIENCE)
    threading.Timer(0.05, gate.open.set).start()
    queue.close()
    assert [queue.status(job).state for job in (running, queued)] == [JobState.CANCELLED] * 2
    assert isinstance(events(queue, running)[-1], Failed)
    with pytest.raises(ArlonError, match="closed"):
        queue.submit(request())
    queue.close()
    assert "arlon-jobs" not in {thread.name for thread in threading.enumerate()}


def test_old_jobs_are_forgotten_at_last(open_queue, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("arlon_core.jobs.queue._KEPT", 3)
    queue = open_queue()
    ids = [queue.submit(request()) for _ in range(6)]
    events(queue, ids[-1])
    assert [status.id for status in queue.jobs()] == ids[:2:-1]
    assert queue.status(ids[0]) is None


def test_a_job_runs_in_the_context_of_whoever_submitted_it(open_queue):
    """A lent GPU counts its time for the person whom the context names."""
    person: ContextVar[str] = ContextVar("person", default="nobody")
    seen = []

    def whose(cancel: threading.Event) -> Iterator[Event]:
        seen.append(person.get())
        yield Planned(PLAN)
        seen.append(person.get())
        yield FilmReady(Path("film.mp4"))

    queue = open_queue(whose=whose)
    for name in ("Ada", "Bert"):
        person.set(name)
        events(queue, queue.submit(request("whose")))
    assert seen == ["Ada", "Ada", "Bert", "Bert"]
