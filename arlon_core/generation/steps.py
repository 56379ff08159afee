"""The chunk loop as a list of named steps; each takes the film and one chunk's work, and can be run alone.

    recall      latents that lie in the store already
    condition   text, coarse latents F, and the clean latents before the chunk
    noise       keyed noise behind the clean overlap
    denoise     the diffusion transformer; an event a step
    keep        the new latents into the store
    decode      latents to pictures, by the streaming VAE
    write       pictures to the segment's clip, which is encoded in another thread
    remember    latents to the tail that later chunks look back on

A step reads what those before it left in the work, adds its own, and yields the events it has to tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from arlon_core.generation.chunks import ChunkTask, Preview, denoise_chunk, start_latents
from arlon_core.generation.coarse import coarse_latents
from arlon_core.generation.decode import FilmDecoder
from arlon_core.generation.events import ChunkReady, Event
from arlon_core.generation.latent_tail import LatentTail
from arlon_core.generation.plan import ChunkPlan, SegmentPlan, frames_of_latents
from arlon_core.generation.segment_clips import SegmentClips
from arlon_core.generation.session import Session


@dataclass
class Film:
    """What the chunks of one film share."""

    session: Session
    tokens: Tensor  # (latent frames, S) of the whole film
    decoder: FilmDecoder
    tail: LatentTail
    clips: SegmentClips
    preview: Preview | None = None  # makes the pictures of StepDone


@dataclass
class ChunkWork:
    """One chunk on its way from plan to pictures."""

    segment: SegmentPlan
    plan: ChunkPlan
    key: str  # the name of its latents in the store
    task: ChunkTask | None = None
    start: Tensor | None = None  # (1, C, o + n, h, w) on the device
    latents: Tensor | None = None  # (C, n, h, w), fp16 on the CPU
    frames: np.ndarray | None = None  # uint8 (F, H, W, 3), the film's tail trimmed


Step = Callable[[Film, ChunkWork], Iterable[Event]]


def recall(film: Film, work: ChunkWork) -> Iterable[Event]:
    """Latents that lie in the store; where they do, MAKE_LATENTS is not needed."""
    found = film.session.store.get("latents", work.key)
    film.session.report.count("latents", cached=found is not None)
    if found is None:
        return ()
    work.latents = torch.from_numpy(found["latents"])
    return (ChunkReady(work.plan.segment, work.plan.index, cached=True),)


def condition(film: Film, work: ChunkWork) -> Iterable[Event]:
    """Everything that decides the chunk's latents."""
    session, chunk = film.session, work.plan
    request = session.request
    text = session.text(chunk.segment)
    coarse = None
    if request.use_coarse:
        with session.report.timed("denoise"):
            coarse = coarse_latents(session.pipe, film.tokens, chunk.start - chunk.overlap, chunk.stop)
    work.task = ChunkTask(
        plan=chunk,
        text=text,
        coarse=coarse,
        overlap=film.tail.get(chunk.start - chunk.overlap, chunk.start),
        seed=request.seed(chunk.segment),
        num_inference_steps=request.num_inference_steps,
        guidance_scale=request.guidance_scale,
    )
    return ()


def noise(film: Film, work: ChunkWork) -> Iterable[Event]:
    """The latents that denoising starts from."""
    assert work.task is not None
    with film.session.report.timed("denoise"):
        work.start = start_latents(film.session.pipe, work.task)
    return ()


def denoise(film: Film, work: ChunkWork) -> Iterator[Event]:
    """The new latents, an event a step. Raises Cancelled within one of them."""
    assert work.task is not None
    assert work.start is not None
    session = film.session
    steps = denoise_chunk(session.pipe, work.task, work.start, session.report, session.cancel, film.preview)
    work.latents = yield from steps


def keep(film: Film, work: ChunkWork) -> Iterable[Event]:
    """The new latents into the store: from here on they survive whatever happens."""
    assert work.latents is not None
    film.session.store.put("latents", work.key, {"latents": work.latents.numpy()})
    return (ChunkReady(work.plan.segment, work.plan.index),)


def decode(film: Film, work: ChunkWork) -> Iterable[Event]:
    """Pictures of the latents. Only the film's tail is trimmed: its last latent frame may make too many."""
    assert work.latents is not None
    with film.session.report.timed("decode"):
        frames = film.decoder.frames(work.latents, work.plan.start, film.tail.get)
    work.frames = frames[: max(0, work.segment.stop_frame - frames_of_latents(work.plan.start))]
    return ()


def write(film: Film, work: ChunkWork) -> Iterable[Event]:
    """The pictures on their way to the segment's clip."""
    assert work.frames is not None
    film.clips.write(work.frames)
    return ()


def remember(film: Film, work: ChunkWork) -> Iterable[Event]:
    """The latents for overlap and warm-up; after `decode`, so that the tail need not reach into the chunk."""
    assert work.latents is not None
    film.tail.append(work.latents)
    return ()


MAKE_LATENTS: tuple[Step, ...] = (condition, noise, denoise, keep)
MAKE_PICTURES: tuple[Step, ...] = (decode, write)


def run_chunk(film: Film, work: ChunkWork, *, pictures: bool) -> Iterator[Event]:
    """All steps of a chunk that are needed. pictures: whether its segment's clip is to be made."""
    yield from run_steps((recall,), film, work)
    if work.latents is None:
        film.session.check_paused()
        yield from run_steps(MAKE_LATENTS, film, work)
    yield from run_steps((*MAKE_PICTURES, remember) if pictures else (remember,), film, work)


def run_steps(steps: Iterable[Step], film: Film, work: ChunkWork) -> Iterator[Event]:
    """One step after the other; cancelled between them, too."""
    for step in steps:
        film.session.check_cancelled()
        yield from step(film, work)
