"""A render in parts, for a device that is lent for a minute at a time: each part goes on from the store.

Everything that is made lies in the project, and a render that goes on equals one never broken; so a part is
nothing but a render that stops early. What needs no such device, joining clips into one file, is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from arlon_core.generation.animatic import animatic_events
from arlon_core.generation.clips import find_clip
from arlon_core.generation.events import Event, PartReady, Planned
from arlon_core.generation.film import film_events
from arlon_core.generation.model_folder import NEEDS
from arlon_core.generation.request import (
    Request,
    chunk_names,
    clip_name,
    make_request,
    preview_name,
    token_names,
)
from arlon_core.generation.session import Cancel, PathLike, Paused, Session, open_session
from arlon_core.generation.story_texts import prompt_warnings
from arlon_core.generation.tokens import FilmTokens
from arlon_core.story import Story

if TYPE_CHECKING:
    from arlon_core.pipeline import ArlonPipeline


@dataclass(frozen=True)
class PartOptions:
    """How far a part goes.

    film: False leaves the film out, and an animatic is all that is asked for. with_animatic: whether there
    is to be one. chunks: how many of the film's chunks are to stand at its end, counted from the first;
    tokens and animatic come before them and are always made. previews: as in `render`.
    """

    chunks: int = 0
    film: bool = True
    with_animatic: bool = True
    previews: bool = False


def render_part(
    pipe: ArlonPipeline,
    story: Story,
    project: PathLike,
    options: PartOptions,
    *,
    steps: int | None = None,
    guidance: float | None = None,
    chunk: int | None = None,
    cancel: Cancel = None,
    pause: Callable[[], bool],
) -> Iterator[Event]:
    """Render the next part of a story's film into its project.

    Events as in `render`, those of what stands already marked as cached, without any joined file; PartReady
    at the end. pause: looked at before each token block, animatic clip and chunk that is to be made, and
    after each clip; True ends the part there, where little that was made is lost. Other arguments and errors
    as in `render`.
    """
    request = make_request(pipe, story, steps=steps, guidance=guidance, chunk=chunk)
    pipe.require(*NEEDS["render" if options.film else "animatic"])
    if options.with_animatic:
        pipe.require("preview_decoder")
    return _in_session(pipe, request, project, options, cancel, pause)


def _in_session(
    pipe: ArlonPipeline,
    request: Request,
    project: PathLike,
    options: PartOptions,
    cancel: Cancel,
    pause: Callable[[], bool],
) -> Iterator[Event]:
    """The tensors are locals of `_part`, a generator of its own: they are gone when memory is given back."""
    with open_session(pipe, request, project, cancel) as session:
        session.pause = pause
        session.note_start("render" if options.film else "animatic")
        yield Planned(request.plan, request.texts, request.passes)
        yield from session.noted(prompt_warnings(pipe, request.story, request.taken))
        yield from session.noted(_part(session, options))


def _part(session: Session, options: PartOptions) -> Iterator[Event]:
    blocks = token_names(session.pipe, session.request)
    chunks = chunk_names(session.pipe, session.request, blocks) if options.film else ()
    with suppress(Paused):
        tokens = FilmTokens(session, blocks)
        yield from animatic_events(session, tokens, blocks) if options.with_animatic else tokens.events()
        if options.chunks:
            previews, count = options.previews, options.chunks
            yield from film_events(session, tokens.codes, chunks, previews=previews, chunks=count)
    yield _left(session, options, blocks, chunks)


def _left(
    session: Session, options: PartOptions, blocks: tuple[str, ...], chunks: tuple[str, ...]
) -> PartReady:
    """What the store still lacks."""
    pipe, store, segments = session.pipe, session.store, session.request.plan.segments
    block = chunk = 0
    previews, clips = [], []
    for segment in segments:
        block += len(segment.blocks)
        chunk += len(segment.chunks)
        if options.with_animatic:
            key = preview_name(pipe, segment, blocks[block - 1])
            if find_clip(store, "preview", key) is None:
                previews.append(segment.index)
        if options.film:
            key = clip_name(pipe, segment, chunks[chunk - 1])
            if find_clip(store, "clip", key) is None:
                clips.append(segment.index)
    return PartReady(
        blocks=sum(store.get("tokens", key) is None for key in blocks),
        previews=tuple(previews),
        chunks=tuple(i for i, key in enumerate(chunks) if store.get("latents", key) is None),
        clips=tuple(clips),
        settings=session.settings(),
        report=session.final_report(session.request.plan.frames),
    )
