"""The expensive half of a render: chunk after chunk to latents, to frames, to segment clips."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import torch
from torch import Tensor

from arlon_core.generation.chunks import ChunkTask, denoise_chunk
from arlon_core.generation.clips import Clip, ClipWriter, find_clip
from arlon_core.generation.coarse import coarse_latents
from arlon_core.generation.decode import FilmDecoder
from arlon_core.generation.events import ChunkReady, Event, SegmentReady, StepDone
from arlon_core.generation.plan import ChunkPlan, SegmentPlan, frames_of_latents
from arlon_core.generation.request import clip_name
from arlon_core.generation.session import Session


class LatentTail:
    """The latest latent frames of the film: what overlap and warm-up look back on, and no more."""

    def __init__(self, channels: int, height: int, width: int, keep: int) -> None:
        self.keep = keep
        self.latents = torch.empty(channels, 0, height, width, dtype=torch.float16)
        self.stop = 0  # the film's latent frame after the last one held

    def append(self, latents: Tensor) -> None:
        """The next latents (C, n, h, w)."""
        joined = torch.cat([self.latents, latents], dim=1)
        self.latents = joined[:, max(0, joined.shape[1] - self.keep) :].clone()
        self.stop += latents.shape[1]

    def get(self, start: int, stop: int) -> Tensor:
        """Latent frames [start, stop) of the film: (C, stop - start, h, w)."""
        first = self.stop - self.latents.shape[1]
        assert first <= start <= stop <= self.stop, f"held are {first}..{self.stop}, not {start}..{stop}"
        return self.latents[:, start - first : stop - first]


class FilmRenderer:
    """Renders the segments of a film in order, each from what the store holds or from its tokens."""

    def __init__(self, session: Session, tokens: Tensor, chunk_keys: tuple[str, ...]) -> None:
        """tokens: (latent frames, S) of the whole film. chunk_keys: one a chunk, in the film's order."""
        self.session, self.tokens = session, tokens
        self.keys = {
            (chunk.segment, chunk.index): key
            for chunk, key in zip(session.request.plan.chunks, chunk_keys, strict=True)
        }
        pipe = session.pipe
        self.decoder = FilmDecoder(pipe.vae)
        # A chunk is decoded before it enters the tail, so the tail need only reach back from its start.
        self.tail = LatentTail(*pipe.latent_size, keep=max(pipe.config.overlap, self.decoder.warm_up))

    def events(self) -> Iterator[Event]:
        """All segments, chunk by chunk."""
        for segment in self.session.request.plan.segments:
            yield from self.segment(segment)

    def segment(self, segment: SegmentPlan) -> Iterator[Event]:
        """One segment; its clip is in the store at the end."""
        session = self.session
        key = clip_name(session.pipe, segment, self.keys[segment.index, segment.chunks[-1].index])
        clip = find_clip(session.store, "clip", key)
        session.report.count("clip", cached=clip is not None)
        cached = clip is not None
        if clip is None:
            clip = yield from self._make_clip(segment, key)
        else:
            for chunk in segment.chunks:
                latents = yield from self._latents(chunk)
                self.tail.append(latents)
        session.clips.append(clip.path)
        yield SegmentReady(segment.index, clip.path, clip.frames, clip.frame_hash, cached=cached)

    def _make_clip(self, segment: SegmentPlan, key: str) -> Generator[Event, None, Clip]:
        session = self.session
        with ClipWriter(session.store, "clip", key, session.request.plan.fps) as writer:
            for chunk in segment.chunks:
                latents = yield from self._latents(chunk)
                with session.report.timed("decode"):
                    frames = self.decoder.frames(latents, chunk.start, self.tail.get)
                self.tail.append(latents)
                with session.report.timed("encode"):
                    # Only the film's tail is trimmed: the last latent frame may make more than was asked for.
                    writer.write(frames[: max(0, segment.stop_frame - frames_of_latents(chunk.start))])
            with session.report.timed("encode"):
                return writer.finish()

    def _latents(self, chunk: ChunkPlan) -> Generator[Event, None, Tensor]:
        """Latents (C, n, h, w) of a chunk, fp16 on the CPU: found, or made and kept."""
        session, key = self.session, self.keys[chunk.segment, chunk.index]
        session.check_cancelled()
        found = session.store.get("latents", key)
        session.report.count("latents", cached=found is not None)
        if found is not None:
            yield ChunkReady(chunk.segment, chunk.index, cached=True)
            return torch.from_numpy(found["latents"])
        latents = yield from self._denoise(chunk)
        session.store.put("latents", key, {"latents": latents.numpy()})
        yield ChunkReady(chunk.segment, chunk.index)
        return latents

    def _denoise(self, chunk: ChunkPlan) -> Generator[StepDone, None, Tensor]:
        session = self.session
        request = session.request
        text = session.text(chunk.segment)
        coarse = None
        if request.use_coarse:
            with session.report.timed("denoise"):
                coarse = coarse_latents(session.pipe, self.tokens, chunk.start - chunk.overlap, chunk.stop)
        task = ChunkTask(
            plan=chunk,
            text=text,
            coarse=coarse,
            overlap=self.tail.get(chunk.start - chunk.overlap, chunk.start),
            seed=request.seed(chunk.segment),
            num_inference_steps=request.num_inference_steps,
            guidance_scale=request.guidance_scale,
        )
        return (yield from denoise_chunk(session.pipe, task, session.report, session.cancel))
