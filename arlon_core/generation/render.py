"""From a story to a film: `render` yields events while it works, `animatic` does the cheap half alone.

Everything that is made goes through the store under a name that hashes all it depends on, so nothing is
made twice: an edit renders again what it touched, and a killed render goes on where it was. Laws (tests hold
them): the same request gives the same frames; the frames of a segment depend on nothing after it; resumed
equals unbroken.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from arlon_core.generation.animatic import animatic_events, animatic_film
from arlon_core.generation.events import Event, FilmReady, Planned
from arlon_core.generation.film import FilmRenderer
from arlon_core.generation.output import check_output
from arlon_core.generation.request import Request, chunk_names, make_request, token_names
from arlon_core.generation.session import Cancel, PathLike, open_session
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
    output: PathLike | None = None,
    cancel: Cancel = None,
    with_animatic: bool = True,
    use_coarse: bool = True,
) -> Iterator[Event]:
    """Render a story; the film grows as the events are taken.

    Events in order: Planned; TokensReady a segment; AnimaticReady a segment and one for the whole, unless
    `with_animatic` is False; then for each chunk StepDone a step and ChunkReady, and SegmentReady after a
    segment's last chunk; FilmReady at the end.

    project: folder that keeps every result; without one all is kept in a temporary place, which is removed
    when the events end. output: the film's file; by default `film.mp4` in the project, else a temporary one.
    steps, guidance, seed: instead of the model's and the story's. cancel: an Event, or a function that says
    True, looked at before every denoising step and token block. use_coarse: False leaves F out of the
    diffusion, to compare with; tokens and animatic are made all the same.
    Raises ArlonError here for what cannot begin, and from the iteration for what fails; Cancelled is one.
    """
    request = make_request(pipe, story, steps=steps, guidance=guidance, seed=seed, use_coarse=use_coarse)
    pipe.require("latent_vqvae", "transformer", "vae", *(["preview_decoder"] if with_animatic else []))
    if output is not None:
        check_output(Path(output))
    return _render(pipe, request, project, output, cancel, with_animatic)


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

    Events: Planned; TokensReady a segment; AnimaticReady a segment and one for the whole; FilmReady.
    Arguments and errors as in `render`; a later `render` in the same project goes on from these tokens.
    """
    request = make_request(pipe, story, seed=seed)
    pipe.require("latent_vqvae", "preview_decoder")
    if output is not None:
        check_output(Path(output))
    return _animatic(pipe, request, project, output, cancel)


def _render(
    pipe: ArlonPipeline,
    request: Request,
    project: PathLike | None,
    output: PathLike | None,
    cancel: Cancel,
    with_animatic: bool,
) -> Iterator[Event]:
    with open_session(pipe, request, project, cancel) as session:
        session.note_start()
        blocks = token_names(pipe, request)
        tokens = FilmTokens(session, blocks)
        yield Planned(request.plan, request.texts)
        yield from session.noted(tokens.events())
        if with_animatic:
            yield from session.noted(animatic_events(session, tokens.codes, blocks))
            yield animatic_film(session, session.place(project, None, "animatic.mp4"))
        film = FilmRenderer(session, tokens.codes, chunk_names(pipe, request, blocks))
        yield from session.noted(film.events())
        path = session.place(project, output, "film.mp4")
        session.write_film(session.clips, path)
        yield FilmReady(path, session.final_report())


def _animatic(
    pipe: ArlonPipeline, request: Request, project: PathLike | None, output: PathLike | None, cancel: Cancel
) -> Iterator[Event]:
    with open_session(pipe, request, project, cancel) as session:
        session.note_start()
        blocks = token_names(pipe, request)
        tokens = FilmTokens(session, blocks)
        yield Planned(request.plan, request.texts)
        yield from session.noted(tokens.events())
        yield from session.noted(animatic_events(session, tokens.codes, blocks))
        ready = animatic_film(session, session.place(project, output, "animatic.mp4"))
        yield ready
        assert ready.path is not None
        yield FilmReady(ready.path, session.final_report())
