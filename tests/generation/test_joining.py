"""Joining clips tells how far it is, and stops at the next frame for whoever cancels it or goes away."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from arlon_core.generation.chunks import Cancelled
from arlon_core.generation.events import Joining
from arlon_core.generation.joining import Progress, joining
from arlon_core.media.film import FilmInfo

FPS, FRAMES = 12, 30
PATIENCE = 30  # seconds until a test that hangs fails; no law depends on it


class Film:
    """Writes frames one by one; `stops` after so many until `go_on` is set."""

    def __init__(self, stops: int = FRAMES + 1) -> None:
        self.written, self.stops, self.go_on = 0, stops, threading.Event()

    def write(self, progress: Progress) -> FilmInfo:
        progress(0, FRAMES)  # as while the sound is worked on
        for _ in range(FRAMES):
            self.written += 1
            progress(self.written, FRAMES)
            if self.written == self.stops:
                assert self.go_on.wait(PATIENCE)
        return FilmInfo(Path("film.mp4"), FRAMES, FPS, True)


def test_it_tells_each_second_of_film_and_gives_the_film():
    def told():
        film = yield from joining(Film().write, lambda: False, FPS, animatic=True)
        assert film.frames == FRAMES

    assert list(told()) == [Joining(done, FRAMES, animatic=True) for done in (12, 24, 30)]


@pytest.mark.parametrize("closed", [False, True], ids=["cancelled", "closed"])
def test_it_stops_at_the_next_frame(closed: bool):
    film, cancel = Film(stops=FPS), threading.Event()
    events = joining(film.write, cancel.is_set, FPS)
    assert next(events) == Joining(FPS, FRAMES)
    if closed:
        threading.Timer(0.1, film.go_on.set).start()
        events.close()
    else:
        cancel.set()
        film.go_on.set()
        with pytest.raises(Cancelled):
            next(events)
    assert film.written == FPS + 1


def test_what_fails_in_the_writing_is_raised():
    def broken(progress: Progress) -> FilmInfo:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(joining(broken, lambda: False, FPS))
