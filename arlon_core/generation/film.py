"""The expensive half of a render: chunk by chunk to latents and pictures, segment by segment to clips."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial

from torch import Tensor

from arlon_core.generation.clips import find_clip
from arlon_core.generation.decode import FilmDecoder
from arlon_core.generation.events import Event, SegmentReady
from arlon_core.generation.latent_tail import LatentTail
from arlon_core.generation.plan import ChunkPlan, SegmentPlan
from arlon_core.generation.preview import chunk_pictures
from arlon_core.generation.request import clip_name
from arlon_core.generation.segment_clips import ReadyClip, SegmentClips
from arlon_core.generation.session import Paused, Session
from arlon_core.generation.steps import ChunkWork, Film, run_chunk

# A chunk's latents by their place in the plan: (segment, index) -> key.
Keys = dict[tuple[int, int], str]


def film_events(
    session: Session,
    tokens: Tensor,
    chunk_keys: tuple[str, ...],
    *,
    previews: bool = False,
    chunks: int | None = None,
) -> Iterator[Event]:
    """Render all segments in order, each from what the store holds or from its tokens.

    tokens: (latent frames, S) of the whole film. chunk_keys: one a chunk, in the film's order.
    previews: whether StepDone carries pictures (None all the same where there is no preview decoder).
    chunks: how many of the film's chunks, all by default; a segment that is not whole by then gets latents
    alone, so that no picture is decoded twice.
    A segment's event comes when its clip stands, which may be while later chunks are under way; the clips'
    paths are then in `session.clips`.
    """
    plan = session.request.plan
    keys = {(chunk.segment, chunk.index): key for chunk, key in zip(plan.chunks, chunk_keys, strict=True)}
    wanted = set(plan.chunks[:chunks])
    with SegmentClips(session.store, "clip", plan.fps, session.report) as clips:
        film = open_film(session, tokens, clips, previews=previews)
        with suppress(Paused):
            for segment in plan.segments:
                for event in _segment(
                    film, segment, [each for each in segment.chunks if each in wanted], keys
                ):
                    yield event
                    yield from _told(session, clips.ready())
                yield from _told(session, clips.ready())
        yield from _told(session, clips.rest())


def open_film(session: Session, tokens: Tensor, clips: SegmentClips, *, previews: bool = False) -> Film:
    """What the chunks share, before the first one."""
    pipe = session.pipe
    decoder = FilmDecoder(pipe.vae, session.check_cancelled)
    # A chunk is decoded before it enters the tail, so the tail need only reach back from its start.
    tail = LatentTail(*pipe.latent_size, keep=max(pipe.config.overlap, decoder.warm_up))
    small = pipe.preview_decoder
    preview = partial(chunk_pictures, small) if previews and small is not None else None
    return Film(session, tokens, decoder, tail, clips, preview)


def _segment(film: Film, segment: SegmentPlan, chunks: Sequence[ChunkPlan], keys: Keys) -> Iterator[Event]:
    """Those chunks of one segment, and, if they are all of it, its clip unless that is kept already."""
    session = film.session
    whole = len(chunks) == len(segment.chunks)
    key = clip_name(session.pipe, segment, keys[segment.index, segment.chunks[-1].index])
    clip = find_clip(session.store, "clip", key) if whole else None
    pictures = whole and clip is None
    if whole:
        session.report.count("clip", cached=clip is not None)
    if pictures:
        film.clips.begin(key)
    for chunk in chunks:
        work = ChunkWork(segment, chunk, keys[segment.index, chunk.index])
        yield from run_chunk(film, work, pictures=pictures)
    if pictures:
        film.clips.finish(segment.index)
        session.check_paused()  # never inside a clip: what was decoded of it would be lost
    elif clip is not None:
        film.clips.found(segment.index, clip)


def _told(session: Session, ready: Iterator[ReadyClip]) -> Iterator[SegmentReady]:
    for each in ready:
        clip = each.clip
        session.clips.append(clip.path)
        yield SegmentReady(each.segment, clip.path, clip.frames, clip.frame_hash, each.cached)
