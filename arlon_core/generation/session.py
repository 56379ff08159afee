"""One render at work: the request, the store it keeps its results in, the clock, and whether to go on."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from arlon_core.generation.chunks import CancelCheck, stop_if_cancelled
from arlon_core.generation.events import Event, Joining, event_record
from arlon_core.generation.joining import Progress, join_film, joining
from arlon_core.generation.memory import (
    OutOfMemoryError,
    Shortage,
    is_out_of_memory,
    memory_given_back,
    memory_sizes,
    shortage_sentence,
    watch_memory,
)
from arlon_core.generation.report import RenderReport, device_name
from arlon_core.generation.request import Request
from arlon_core.media.film_settings import CUTS, Edit
from arlon_core.store import ArtefactStore, MemoryStore, Store, environment_record
from arlon_core.story import format_story

if TYPE_CHECKING:
    from arlon_core.media.film import FilmInfo
    from arlon_core.pipeline import ArlonPipeline, PromptStates

_TEXTS_KEPT = 16

PathLike = str | os.PathLike[str]
Cancel = Callable[[], bool] | threading.Event | None


class Paused(Exception):  # noqa: N818 (an outcome rather than an error)
    """The render stops here for now: whoever lends the device wants it back soon. Never leaves the engine."""


@dataclass
class Session:
    """What the parts of a render share."""

    pipe: ArlonPipeline
    request: Request
    store: ArtefactStore
    report: RenderReport
    cancel: CancelCheck
    pause: Callable[[], bool] = field(default=lambda: False)
    previews: list[Path] = field(default_factory=list)
    clips: list[Path] = field(default_factory=list)
    _texts: dict[str, PromptStates] = field(default_factory=dict)
    _lengths: dict[int, int] = field(default_factory=dict)

    def check_cancelled(self) -> None:
        """Raises Cancelled when the render was asked to stop."""
        stop_if_cancelled(self.cancel)

    def check_paused(self) -> None:
        """Raises Paused when the render is to go on at another time; asked between pieces of work."""
        if self.pause():
            raise Paused

    def text(self, segment: int) -> PromptStates:
        """The encoded text of a segment; the latest few are remembered."""
        text = self.request.texts[segment]
        if text not in self._texts:
            with self.report.timed("text"):
                encoded = self.pipe.encode_prompt(text)
            while len(self._texts) >= _TEXTS_KEPT:
                del self._texts[next(iter(self._texts))]
            self._texts[text] = encoded
        return self._texts[text]

    def forget(self) -> None:
        """Let the encoded texts go: they lie on the device."""
        self._texts.clear()

    def text_length(self, segment: int) -> int:
        """How many items a segment's text has for the token transformer."""
        if segment not in self._lengths:
            self._lengths[segment] = len(self.text(segment).items)
        return self._lengths[segment]

    def place(self, project: PathLike | None, output: PathLike | None, name: str) -> Path:
        """Where a film goes: the path asked for, else `name` in the project, else a temporary file."""
        if output is not None:
            return Path(output)
        if project is not None:
            return Path(project) / name
        return self.store.file_path("clip", Path(name).stem, Path(name).suffix)

    def write_film(
        self, clips: Sequence[Path], path: Path, edit: Edit = CUTS, *, animatic: bool = False
    ) -> Generator[Joining, None, FilmInfo]:
        """Join clips into one file that carries story and settings, and tell how far it is.

        Raises OutputError, FilmError, Cancelled.
        """
        story, fps = self.request.story, self.request.plan.fps

        def write(progress: Progress) -> FilmInfo:
            with self.report.timed("encode"):
                return join_film(clips, path, fps, story, self.settings(), progress, edit)

        return (yield from joining(write, self.cancel, fps, animatic=animatic))

    def settings(self) -> dict[str, Any]:
        """What the film was made with, for the report and the film's metadata."""
        request = self.request
        return {
            "model": self.pipe.name,
            "dtype": str(self.pipe.working_dtype).removeprefix("torch."),
            "steps": request.num_inference_steps,
            "guidance_scale": request.guidance_scale,
            "coarse_latents": request.use_coarse,
            "token_sampling": asdict(request.sampling),
            "seed": request.story.seed,
            "segments": len(request.plan.segments),
        }

    def final_report(self, frames: int) -> dict[str, Any]:
        """The report of the finished film, which crossfades may have made shorter than its segments."""
        return self.report.as_dict(frames=frames, fps=self.request.plan.fps, settings=self.settings())

    def noted(self, events: Iterator[Event]) -> Iterator[Event]:
        """Write what matters later into the project's journal as it passes."""
        for event in events:
            record = event_record(event)
            if record["event"] not in ("StepDone", "Planned", "Sampling", "Joining"):
                self.store.journal.append("event", event=record)
            yield event

    def note_start(self, kind: str) -> None:
        """Write what was asked, and where it runs, into the project's journal. kind: as of a JobRequest."""
        report, request = self.report, self.request
        device, threads = device_name(report.device), torch.get_num_threads()
        environment = environment_record(device, self.settings()["dtype"], threads)
        story = format_story(request.story)
        self.store.journal.append("story", kind=kind, text=story, settings=self.settings())
        borders = [[segment.first_frame, segment.stop_frame] for segment in request.plan.segments]
        chunk = max(each.latents for each in request.plan.chunks)
        self.store.journal.append("plan", fps=request.plan.fps, segments=borders, chunk=chunk)
        self.store.journal.append("environment", **environment)


@contextmanager
def open_session(
    pipe: ArlonPipeline, request: Request, project: PathLike | None, cancel: Cancel
) -> Iterator[Session]:
    """A session in a project folder, or, without one, in a temporary place that goes with it.

    When the block ends, memory is given back; where it ran out, OutOfMemoryError says what would fit.
    """
    report = RenderReport(pipe.working_device)
    report.seconds["load"] = pipe.load_seconds
    if isinstance(cancel, threading.Event):
        check: CancelCheck = cancel.is_set
    else:
        check = cancel or _never
    with ExitStack() as stack:
        store = Store(Path(project)) if project is not None else stack.enter_context(MemoryStore())
        session = Session(pipe, request, store, report, check)
        stack.enter_context(_shortage_told(session))
        stack.enter_context(memory_given_back(report.device))
        stack.callback(session.forget)
        watch_memory(report.device)
        yield session


@contextmanager
def _shortage_told(session: Session) -> Iterator[None]:
    """Turn "out of memory" into a sentence, once everything is given back and the sizes can be read."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemoryError(shortage_sentence(_shortage(session, error))) from None


def _shortage(session: Session, error: BaseException) -> Shortage:
    device, request = session.report.device, session.request
    chunk = max(request.plan.chunks, key=lambda each: (each.latents, each.overlap))
    on_gpu = device.type == "cuda"
    free, needed = memory_sizes(device, error)
    return Shortage(
        place=f"the GPU ({device_name(device)})" if on_gpu else "the machine",
        stage=session.report.stage,
        free=free,
        needed=needed,
        new=chunk.latents,
        overlap=chunk.overlap,
        guided=request.guidance_scale != 1,
        on_gpu=on_gpu,
    )


def _never() -> bool:
    return False
