"""Films of the test stories, as one clip a segment: the true ones, and a model's in several ways.

All are encoded alike, since what is measured of one must be measurable of the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

from arlon_core.evaluation.held_out import HeldOutStory
from arlon_core.evaluation.perturbed import perturbed_story
from arlon_core.evaluation.true_tokens import keep_true_tokens
from arlon_core.generation.events import AnimaticReady, Event, FilmReady, SegmentReady
from arlon_core.generation.output import output_errors
from arlon_core.generation.plan import Plan, make_plan
from arlon_core.generation.render import animatic, render
from arlon_core.generation.request import (
    CLIP_CRF,
    CLIP_PRESET,
    chunk_names,
    clip_name,
    make_request,
    preview_name,
    token_names,
)
from arlon_core.media.clips import count_frames
from arlon_core.media.segment_writer import SegmentWriter
from arlon_core.store import artefact_key
from arlon_core.world.renderer import StoryworldRenderer

if TYPE_CHECKING:
    from arlon_core.pipeline import ArlonPipeline

_PIECE = 48  # frames drawn before they are written


@dataclass(frozen=True)
class Film:
    """One clip a segment, and the wall seconds of its render by stage, unless it went on from before.

    size: (height, width) to which frames are enlarged before they are measured, where clips are smaller.
    """

    clips: list[Path]
    seconds: dict[str, float]
    size: tuple[int, int] | None = None


class Films(Protocol):
    """Where the films of the test stories come from."""

    name: str
    fps: int

    def key(self, held: HeldOutStory) -> str:
        """A name for everything that a film depends on."""
        ...

    def film(self, number: int, held: HeldOutStory) -> Film:
        """The clips of a story, made now or found."""
        ...


class TrueFilms:
    """The world's own films, drawn from the scripts."""

    name = "true"

    def __init__(self, folder: Path, height: int, width: int, fps: int, device: torch.device) -> None:
        """folder: of all films."""
        self.fps = fps
        self._folder = folder / self.name
        self._renderer = StoryworldRenderer(height, width, device=device)

    def key(self, held: HeldOutStory) -> str:
        size = [self._renderer.height, self._renderer.width, self.fps]
        return artefact_key("clip", 1, true=repr(held.script), size=size, encoding=[CLIP_CRF, CLIP_PRESET])

    def film(self, number: int, held: HeldOutStory) -> Film:
        """Raises OutputError."""
        folder = self._folder / self.key(held)[:16]
        with output_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        clips = []
        for index, segment in enumerate(held.script.segments):
            path = folder / f"segment-{index:02d}.mp4"
            frames = segment.stop_frame - segment.start_frame
            if not path.is_file() or count_frames(path) != frames:
                self._write(path, held, segment.start_frame, segment.stop_frame)
            clips.append(path)
        return Film(clips, {})

    def _write(self, path: Path, held: HeldOutStory, start: int, stop: int) -> None:
        with SegmentWriter(path, self.fps, crf=CLIP_CRF, preset=CLIP_PRESET) as writer:
            for first in range(start, stop, _PIECE):
                drawn = self._renderer.render([held.script], first, min(_PIECE, stop - first)).frames[0]
                writer.write(np.ascontiguousarray(drawn.permute(0, 2, 3, 1).cpu().numpy()))


@dataclass(frozen=True)
class Way:
    """How a model renders the stories."""

    steps: int | None = None  # None: the model's own
    guidance: float | None = None
    use_coarse: bool = True
    true_tokens: bool = False  # tokens of the true film in place of the token transformer's own
    prompts: str | None = None  # a kind of perturbed.KINDS in place of the clean prompts
    animatic: bool = False  # the small pictures in place of the film; steps and guidance take no part

    @property
    def name(self) -> str:
        """Short, and another one for each way."""
        parts = ["animatic"] if self.animatic else self._rendered
        parts += ["true-tokens"] if self.true_tokens else []
        parts += [f"prompts-{self.prompts}"] if self.prompts else []
        return "-".join(parts)

    @property
    def _rendered(self) -> list[str]:
        parts = [f"steps-{self.steps}" if self.steps else "default-steps"]
        parts += [f"guidance-{self.guidance:g}"] if self.guidance is not None else []
        return parts + ([] if self.use_coarse else ["without-coarse"])

    def asked(self, held: HeldOutStory) -> HeldOutStory:
        """The story as the model is asked for it. What its film should show is the same."""
        return held if self.prompts is None else perturbed_story(held, self.prompts)


class ModelFilms:
    """A model's films. Each story has a project of its own, so a broken run goes on where it was."""

    def __init__(self, pipe: ArlonPipeline, way: Way, folder: Path) -> None:
        """folder: of all films."""
        self.pipe, self.way = pipe, way
        self.name = film_name(pipe, way)
        self.fps: int = pipe.config.fps
        self._folder = folder / self.name

    def key(self, held: HeldOutStory) -> str:
        asked = self.way.asked(held)
        true_tokens = self.pipe.fingerprint("vae") if self.way.true_tokens else None
        if self.way.animatic:
            small = small_clip_names(self.pipe, asked)
            return artefact_key("preview", 1, clips=small, true_tokens=true_tokens)
        names = clip_names(self.pipe, asked, self.way)
        return artefact_key("clip", 1, clips=names, true_tokens=true_tokens)

    def film(self, number: int, held: HeldOutStory) -> Film:
        """Render a story. Raises ArlonError."""
        # True tokens lie under the names of the model's own, so they need a project apart.
        project = self._folder / f"{number:04d}"
        held = self.way.asked(held)
        if self.way.true_tokens:
            keep_true_tokens(self.pipe, held, project)
        clips: list[Path] = []
        seconds: dict[str, float] = {}
        for event in self._events(held, project):
            if isinstance(event, (SegmentReady, AnimaticReady)) and event.segment is not None:
                assert event.path is not None
                clips.append(event.path)
            elif isinstance(event, FilmReady) and not event.report["cache_hits"].get(self._made):
                seconds = {name: value for name, value in event.report["seconds"].items() if name != "load"}
        size = (self.pipe.config.height, self.pipe.config.width) if self.way.animatic else None
        return Film(clips, seconds, size)

    @property
    def _made(self) -> str:
        """The artefact that takes the time; found and not made, the seconds would say nothing."""
        return "preview" if self.way.animatic else "latents"

    def _events(self, held: HeldOutStory, project: Path) -> Iterator[Event]:
        if self.way.animatic:
            return animatic(self.pipe, held.story, project)
        options: dict[str, Any] = {"steps": self.way.steps, "guidance": self.way.guidance}
        return render(
            self.pipe, held.story, project, with_animatic=False, use_coarse=self.way.use_coarse, **options
        )


def film_name(pipe: ArlonPipeline, way: Way) -> str:
    """The folder of a model's films and measures."""
    return f"{Path(pipe.name).name.replace(' ', '-')}-{way.name}"


def clip_names(pipe: ArlonPipeline, held: HeldOutStory, way: Way) -> list[str]:
    """The store's names of a story's clips: hashes of all that they depend on."""
    request = make_request(
        pipe, held.story, steps=way.steps, guidance=way.guidance, use_coarse=way.use_coarse
    )
    plan = request.plan
    chunks = chunk_names(pipe, request, token_names(pipe, request))
    last = {chunk.segment: name for chunk, name in zip(plan.chunks, chunks, strict=True)}
    return [clip_name(pipe, segment, last[segment.index]) for segment in plan.segments]


def small_clip_names(pipe: ArlonPipeline, held: HeldOutStory) -> list[str]:
    """The store's names of the clips of a story's animatic."""
    request = make_request(pipe, held.story)
    blocks, last, names = token_names(pipe, request), 0, []
    for segment in request.plan.segments:
        last += len(segment.blocks)
        names.append(preview_name(pipe, segment, blocks[last - 1]))
    return names


def film_plan(pipe: ArlonPipeline, held: HeldOutStory) -> Plan:
    """The plan by which a model renders a story: where its chunks lie."""
    config = pipe.config
    seconds = [segment.seconds for segment in held.story.segments]
    return make_plan(seconds, config.fps, max_new=config.max_new, overlap=config.overlap)


def folder_hash(folder: Path) -> str:
    """SHA-256 of a component's files by name and content."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*")):
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
