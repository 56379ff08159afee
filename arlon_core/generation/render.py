"""From a story to a film: `render` yields events while it works, `animatic` does the cheap half alone.

Everything that is made goes through the store under a name that hashes all it depends on, so nothing is
made twice: an edit renders again what it touched, and a killed render goes on where it was. Laws (tests hold
them): the same request gives the same frames; the frames of a segment depend on nothing after it; resumed
equals unbroken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from arlon_core.generation.animatic import animatic_events, animatic_film
from arlon_core.generation.events import Event, FilmReady, Planned, WarningRaised
from arlon_core.generation.film import film_events
from arlon_core.generation.film_edit import check_film_edit, film_edit, remember_segments
from arlon_core.generation.model_folder import NEEDS
from arlon_core.generation.output import check_output
from arlon_core.generation.request import Request, chunk_names, make_request, token_names
from arlon_core.generation.session import Cancel, PathLike, Session, open_session
from arlon_core.generation.story_texts import prompt_warnings
from arlon_core.generation.tokens import FilmTokens
from arlon_core.story import Story

if TYPE_CHECKING:
    from arlon_core.pipeline import ArlonPipeline


def render(
    pipe: ArlonPipeline,
    story: Story,
    project: PathLike | None = None,
    *,
    steps: int | None = None,
    guidance: float | None = None,
    seed: int | None = None,
    chunk: int | None = None,
    output: PathLike | None = None,
    cancel: Cancel = None,
    with_animatic: bool = True,
    previews: bool = False,
    use_coarse: bool = True,
) -> Iterator[Event]:
    """Render a story; the film grows as the events are taken.

    Events in order: Planned; WarningRaised for words that the model has never seen, and for a prompt that
    leaves something open; Sampling a latent frame and TokensReady a segment; unless `with_animatic` is False,
    AnimaticReady a segment and one for the whole; then for each chunk StepDone a step and ChunkReady;
    FilmReady at the end. Joining tells how far a file is that clips are joined into, before the event that it
    stands. Clips are encoded beside the rest: a segment's AnimaticReady comes some time after its
    TokensReady, its SegmentReady some time after its last chunk, each in the film's order, while later
    segments are under way.

    project: folder that keeps every result; without one all is kept in a temporary place, which is removed
    when the events end. Its film.json (media.film_settings), read at the end, says how segments become the
    film; without one they are joined by cuts. output: the film's file; by default `film.mp4` in the project,
    else a temporary one.
    steps, guidance, seed, chunk (new latent frames a chunk): instead of the model's and the story's.
    cancel: an Event, or a function that says True, looked at before every denoising step, token frame and
    decoded latent frame. previews: StepDone carries small pictures of what the chunk is going to be; no bit
    of the film depends on them. use_coarse: False leaves F out of the diffusion, to compare with; no tokens
    are sampled then, unless for the animatic.
    Raises ArlonError here for what cannot begin, and from the iteration for what fails; Cancelled and
    OutOfMemoryError are such. Whatever ends it, the memory it took on a GPU is given back.
    """
    request = make_request(
        pipe, story, steps=steps, guidance=guidance, seed=seed, chunk=chunk, use_coarse=use_coarse
    )
    pipe.require(*NEEDS["render"], *(["preview_decoder"] if with_animatic else []))
    if output is not None:
        check_output(Path(output))
    check_film_edit(project, story, request.plan)
    options = FilmOptions(project, output, with_animatic, previews)
    events = partial(whole_film, options=options)
    return _in_session(pipe, request, project, cancel, "render", events)


def animatic(
    pipe: ArlonPipeline,
    story: Story,
    project: PathLike | None = None,
    *,
    seed: int | None = None,
    output: PathLike | None = None,
    cancel: Cancel = None,
) -> Iterator[Event]:
    """The whole story as a film of small pictures, in full length: tokens, then the preview decoder.

    Events: Planned; WarningRaised, Sampling and TokensReady as in `render`; AnimaticReady a segment; Joining;
    AnimaticReady for the whole; FilmReady.
    Arguments and errors as in `render`; a later `render` in the same project goes on from these tokens.
    """
    request = make_request(pipe, story, seed=seed)
    pipe.require(*NEEDS["animatic"])
    if output is not None:
        check_output(Path(output))
    options = FilmOptions(project, output)
    events = partial(_animatic, options=options)
    return _in_session(pipe, request, project, cancel, "animatic", events)


@dataclass(frozen=True)
class FilmOptions:
    """Where the film goes, and what is shown on the way.

    cuda_graph: False runs the token transformer's steps one operation at a time on a GPU too, as counting
    them needs (evaluation.stage_flops).
    """

    project: PathLike | None
    output: PathLike | None
    with_animatic: bool = True
    previews: bool = False
    cuda_graph: bool = True


def _in_session(
    pipe: ArlonPipeline,
    request: Request,
    project: PathLike | None,
    cancel: Cancel,
    kind: str,
    events: Callable[[Session], Iterator[Event]],
) -> Iterator[Event]:
    """Events made inside a session, which gives all memory back when they end.

    The tensors are locals of `events`, a generator of its own, and not of this one: so they are gone by then.
    """
    with open_session(pipe, request, project, cancel) as session:
        session.note_start(kind)
        yield Planned(request.plan, request.texts, request.passes)
        yield from session.noted(prompt_warnings(pipe, request.story, request.taken))
        yield from events(session)


def whole_film(session: Session, options: FilmOptions) -> Iterator[Event]:
    """All of a render inside its session, Planned left out: from texts to the film's file."""
    blocks = token_names(session.pipe, session.request)
    tokens = FilmTokens(session, blocks, cuda_graph=options.cuda_graph)
    if options.with_animatic:
        yield from session.noted(animatic_events(session, tokens, blocks))
        place = session.place(options.project, None, "animatic.mp4")
        yield from session.noted(animatic_film(session, place))
    elif session.request.use_coarse:
        yield from session.noted(tokens.events())
    chunks = chunk_names(session.pipe, session.request, blocks)
    yield from session.noted(film_events(session, tokens.codes, chunks, previews=options.previews))
    path = session.place(options.project, options.output, "film.mp4")
    story = session.request.story
    edit = film_edit(options.project, story)
    film = yield from session.write_film(session.clips, path, edit)
    remember_segments(options.project, story)
    yield from map(WarningRaised, film.notes)
    report = session.final_report(film.frames) | {"edited": not edit.plain}
    ready = FilmReady(path, report, film.subtitles)
    yield from session.noted(iter((ready,)))


def _animatic(session: Session, options: FilmOptions) -> Iterator[Event]:
    blocks = token_names(session.pipe, session.request)
    tokens = FilmTokens(session, blocks)
    yield from session.noted(animatic_events(session, tokens, blocks))
    place = session.place(options.project, options.output, "animatic.mp4")
    yield from session.noted(animatic_film(session, place))
    yield FilmReady(place, session.final_report(session.request.plan.frames))
