"""Laws of a job's history: what is kept, what is forgotten, and that it stays small."""

from __future__ import annotations

import threading
import weakref
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from arlon_core.generation.events import (
    AnimaticReady,
    ChunkReady,
    Event,
    Joining,
    Sampling,
    StepDone,
    TokensReady,
)
from arlon_core.jobs.history import History

CHUNKS, STEPS = 40, 8


def pictures() -> np.ndarray:
    return np.zeros((3, 128, 224, 3), np.uint8)


def long_render(history: History) -> list[weakref.ref]:
    """Events of a long film; references to the pictures of all its steps."""
    seen = []
    for chunk in range(CHUNKS):
        for step in range(1, STEPS + 1):
            event = StepDone(0, chunk, step, STEPS, pictures())
            seen.append(weakref.ref(event.preview))
            history.append(event)
            del event
        history.append(ChunkReady(0, chunk))
    return seen


def replay(history: History) -> list[Event]:
    history.end()
    return [event for _, event in history.follow()]


def test_of_old_steps_only_the_latest_of_each_chunk_is_kept():
    history = History()
    long_render(history)
    kept = [event for event in replay(history) if isinstance(event, StepDone)]
    assert [(event.chunk, event.step) for event in kept] == [(chunk, STEPS) for chunk in range(CHUNKS)]


def test_only_the_newest_step_has_pictures_and_none_in_the_end():
    history = History()
    seen = long_render(history)
    assert [reference() is not None for reference in seen] == [False] * (len(seen) - 1) + [True]
    replay(history)
    assert not [reference for reference in seen if reference() is not None]


def test_memory_grows_by_two_small_events_a_chunk():
    history = History()
    long_render(history)
    assert len(replay(history)) == 2 * CHUNKS


def test_what_lies_in_the_project_is_not_kept_in_memory():
    history = History()
    history.append(TokensReady(0, np.zeros((13, 28), np.int64)))
    history.append(AnimaticReady(0, pictures(), Path("a.mp4")))
    history.append(AnimaticReady(0, pictures()))
    tokens, filed, shown = replay(history)
    assert tokens.tokens is None
    assert (filed.frames, filed.path) == (None, Path("a.mp4"))
    assert shown.frames is not None


def test_steps_of_a_chunk_rendered_again_stay_apart():
    """Numbers only grow, and none is told twice to one listener, though older ones are forgotten."""
    history, numbers = History(), []
    done = threading.Event()

    def listen() -> None:
        numbers.extend(number for number, _ in history.follow())
        done.set()

    threading.Thread(target=listen, daemon=True).start()
    long_render(history)
    history.end()
    assert done.wait(30)
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == CHUNKS * (STEPS + 1)


@pytest.mark.parametrize("told", [Sampling, partial(Joining, total=600)])
def test_of_what_tells_how_far_it_is_only_the_latest_is_kept_and_nothing_once_it_ended(told):
    history = History()
    history.append(ChunkReady(0, 0))
    for done in range(1, 600):
        history.append(told(done))
    assert [number for number, _ in history._since(0)] == [1, 600]
    history.append(AnimaticReady(None))
    assert replay(history) == [ChunkReady(0, 0), AnimaticReady(None)]
