"""The last step of every render: clips that stand become one file, which says how it was made."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from arlon_core.generation.chunks import CancelCheck, stop_if_cancelled
from arlon_core.generation.events import Joining
from arlon_core.media.film_settings import CUTS, Edit
from arlon_core.story import Story, format_story

if TYPE_CHECKING:
    from arlon_core.media.film import FilmInfo

Progress = Callable[[int, int], None]  # as in media.film.write_film


def join_film(
    clips: Sequence[Path],
    path: Path,
    fps: int,
    story: Story,
    settings: Mapping[str, Any],
    progress: Progress,
    edit: Edit = CUTS,
) -> FilmInfo:
    """Join clips into one file that carries story and settings. Raises OutputError, FilmError."""
    from arlon_core.media.film import write_film

    comment = {"story": format_story(story), **settings}
    return write_film(clips, path, fps, story.title, comment, progress, edit)


def joining(
    write: Callable[[Progress], FilmInfo], cancel: CancelCheck, fps: int, *, animatic: bool = False
) -> Generator[Joining, None, FilmInfo]:
    """Have a film written, and tell how far it is after each second of it. Raises Cancelled, and as `write`.

    It is written in a thread, since a function that is called back cannot yield. Whoever closes the generator
    stops the writing at its next frame.
    """
    news: SimpleQueue[Joining | None] = SimpleQueue()
    closed = threading.Event()

    def progress(done: int, total: int) -> None:
        stop_if_cancelled(lambda: closed.is_set() or cancel())
        if done and (done % fps == 0 or done == total):
            news.put(Joining(done, total, animatic))

    with ThreadPoolExecutor(1, thread_name_prefix="arlon-join") as thread:
        film = thread.submit(write, progress)
        film.add_done_callback(lambda _: news.put(None))
        try:
            while (event := news.get()) is not None:
                yield event
        finally:
            closed.set()
        return film.result()
