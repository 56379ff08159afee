"""What is asked of a render, made definite: the plan, the texts, the settings, and a name for every artefact.

A name is a hash of all that the artefact depends on, the names of what it was made from included. So a change
anywhere changes exactly the names of what it touches, and the same request finds all its work again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from arlon_core.errors import ArlonError
from arlon_core.generation.plan import Plan, SegmentPlan, chunk_length, chunk_passes, make_plan
from arlon_core.generation.story_texts import story_texts
from arlon_core.models.token_sampling import SamplingConfig
from arlon_core.store import FORMAT_VERSIONS, artefact_key
from arlon_core.story import Story

if TYPE_CHECKING:
    from arlon_core.pipeline import ArlonPipeline

_MAX_STEPS = 1000
# How segment clips are encoded; part of their names.
CLIP_CRF = 18
CLIP_PRESET = "veryfast"


@dataclass(frozen=True)
class Request:
    """A story as one model will render it."""

    story: Story
    plan: Plan
    texts: tuple[str, ...]  # one a segment: what AR and DiT read
    taken: str  # what the film takes where the first prompt leaves something open, or ""
    num_inference_steps: int
    guidance_scale: float
    sampling: SamplingConfig
    use_coarse: bool = True  # False renders without F: text, overlap and noise alone

    def seed(self, segment: int) -> int:
        """The seed of a segment's tokens and noise."""
        return self.story.segment_seed(segment)

    @property
    def passes(self) -> int:
        """Of the diffusion transformer, for each chunk."""
        return chunk_passes(self.num_inference_steps, self.guidance_scale)


def make_request(
    pipe: ArlonPipeline,
    story: Story,
    *,
    steps: int | None = None,
    guidance: float | None = None,
    seed: int | None = None,
    chunk: int | None = None,
    use_coarse: bool = True,
) -> Request:
    """Plan a story for a model; what is not given comes from the model's own defaults.

    seed: instead of the story's; segments that name their own keep it. chunk: new latent frames a chunk, up
    to the model's own number; fewer take less memory, and give another film. Raises ArlonError.
    """
    config = pipe.config
    if seed is not None:
        story = replace(story, seed=seed)
    steps = config.num_inference_steps if steps is None else steps
    if not 1 <= steps <= _MAX_STEPS:
        raise ArlonError(f"{steps} denoising steps make no film; give 1 to {_MAX_STEPS}.")
    chunk = chunk_length(chunk, config.max_new)
    seconds = [segment.seconds for segment in story.segments]
    texts, taken = story_texts(pipe, story)
    return Request(
        story=story,
        plan=make_plan(seconds, config.fps, max_new=chunk, overlap=config.overlap),
        texts=tuple(texts),
        taken=taken,
        num_inference_steps=steps,
        guidance_scale=float(config.guidance_scale if guidance is None else guidance),
        sampling=SamplingConfig(
            guidance_scale=float(config.token_guidance_scale),
            temperature=float(config.token_temperature),
            top_k=config.token_top_k,
            top_p=float(config.token_top_p),
        ),
        use_coarse=use_coarse,
    )


def token_names(pipe: ArlonPipeline, request: Request) -> tuple[str, ...]:
    """Keys of the token blocks. Each names the block before it, and with that all before."""
    pipe.require("tokenizer", "text_encoder", "token_transformer")
    models = _fingerprints(pipe, "tokenizer", "text_encoder", "token_transformer")
    names: list[str] = []
    for block in request.plan.blocks:
        names.append(
            artefact_key(
                "tokens",
                FORMAT_VERSIONS["tokens"],
                models=models,
                sampling=asdict(request.sampling),
                text=request.texts[block.segment],
                seed=request.seed(block.segment),
                block=asdict(block),
                before=names[-1] if names else None,
            )
        )
    return tuple(names)


def chunk_names(pipe: ArlonPipeline, request: Request, blocks: Sequence[str]) -> tuple[str, ...]:
    """Keys of the chunks' latents: the tokens they are steered by, if any, and the chunk before them."""
    pipe.require("latent_vqvae", "transformer", "scheduler")
    models = _fingerprints(pipe, "tokenizer", "text_encoder", "latent_vqvae", "transformer", "scheduler")
    config = pipe.config
    names: list[str] = []
    for chunk in request.plan.chunks:
        steering = next(i for i, block in enumerate(request.plan.blocks) if block.stop >= chunk.stop)
        names.append(
            artefact_key(
                "latents",
                FORMAT_VERSIONS["latents"],
                models=models,
                dtype=str(pipe.working_dtype),
                video=[config.fps, config.height, config.width],
                steps=request.num_inference_steps,
                guidance=request.guidance_scale,
                text=request.texts[chunk.segment],
                seed=request.seed(chunk.segment),
                chunk=asdict(chunk),
                tokens=blocks[steering] if request.use_coarse else None,
                before=names[-1] if names else None,
            )
        )
    return tuple(names)


def clip_name(pipe: ArlonPipeline, segment: SegmentPlan, last_chunk: str) -> str:
    """Key of a segment's clip: its latents and those before (all named by the last chunk), and the cut."""
    pipe.require("vae")
    return artefact_key(
        "clip",
        FORMAT_VERSIONS["clip"],
        models=_fingerprints(pipe, "vae"),
        frames=[segment.first_frame, segment.stop_frame],
        fps=pipe.config.fps,
        latents=last_chunk,
        encoding=[CLIP_CRF, CLIP_PRESET],
    )


def preview_name(pipe: ArlonPipeline, segment: SegmentPlan, last_block: str) -> str:
    """Key of a segment's small pictures."""
    pipe.require("latent_vqvae", "preview_decoder")
    return artefact_key(
        "preview",
        FORMAT_VERSIONS["preview"],
        models=_fingerprints(pipe, "latent_vqvae", "preview_decoder"),
        frames=[segment.first_frame, segment.stop_frame],
        fps=pipe.config.fps,
        tokens=last_block,
        encoding=[CLIP_CRF, CLIP_PRESET],
    )


def _fingerprints(pipe: ArlonPipeline, *names: str) -> list[str]:
    return [pipe.fingerprint(name) for name in names]
