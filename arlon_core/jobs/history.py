"""The events of one job: replayed to whoever comes late, followed by whoever stays; memory stays flat."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

from arlon_core.generation.events import AnimaticReady, Event, Joining, Sampling, StepDone, TokensReady


class History:
    """Numbered events, from 1, for any number of listeners.

    What is no longer of use is forgotten: of each chunk's StepDone all but the latest; Sampling and Joining,
    once another event comes; pictures of all but the latest StepDone, and of segments whose animatic stands
    as a file; tokens, which lie in the project.
    So memory grows by two small events a chunk.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._events: dict[int, Event] = {}
        self._last = 0
        self._ended = False
        self._steps: dict[tuple[int, int], int] = {}  # chunk -> number of its latest StepDone
        self._pictured: int | None = None  # number of the StepDone that still has its pictures

    def append(self, event: Event) -> None:
        """The next event."""
        with self._changed:
            self._last += 1
            if isinstance(self._events.get(self._last - 1), (Sampling, Joining)):
                del self._events[self._last - 1]
            self._events[self._last] = _lean(event)
            if isinstance(event, StepDone):
                self._forget_steps(event)
            self._changed.notify_all()

    def end(self) -> None:
        """Nothing more will come: listeners stop when they have had all. The last pictures go."""
        with self._changed:
            self._ended = True
            self._forget_pictures()
            self._changed.notify_all()

    def follow(self, after: int = 0) -> Iterator[tuple[int, Event]]:
        """Events with numbers above `after`, old ones first, then each as it comes, until the end.

        A listener that is slow misses what was forgotten meanwhile, and holds nobody up.
        """
        while True:
            news = self._wait(after)
            yield from news
            if not news:
                return
            after = news[-1][0]

    def _wait(self, after: int) -> list[tuple[int, Event]]:
        """What has come since `after`, as soon as there is something; nothing at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._last > after or self._ended)
            return self._since(after)

    def _since(self, after: int) -> list[tuple[int, Event]]:
        news: list[tuple[int, Event]] = []
        for number in reversed(self._events):
            if number <= after:
                break
            news.append((number, self._events[number]))
        return news[::-1]

    def _forget_steps(self, event: StepDone) -> None:
        chunk = (event.segment, event.chunk)
        self._forget_pictures()
        if chunk in self._steps:
            del self._events[self._steps[chunk]]
        self._steps[chunk] = self._last
        self._pictured = self._last

    def _forget_pictures(self) -> None:
        if self._pictured is not None:
            step = self._events[self._pictured]
            assert isinstance(step, StepDone)
            self._events[self._pictured] = replace(step, preview=None)
            self._pictured = None


def _lean(event: Event) -> Event:
    """The event without the arrays that can be had from the project."""
    if isinstance(event, TokensReady):
        return replace(event, tokens=None)
    if isinstance(event, AnimaticReady) and event.path is not None:
        return replace(event, frames=None)
    return event
