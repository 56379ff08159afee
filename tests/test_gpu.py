"""Laws that only a GPU can break: its memory, its recorded graphs, its kernels. Skipped where there is none.

The engine's other laws run there with `ARLON_TEST_DEVICE=cuda pytest tests/generation`.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from arlon_core.generation.chunks import Cancelled
from arlon_core.generation.events import FilmReady, SegmentReady, StepDone
from arlon_core.generation.memory import OutOfMemoryError
from arlon_core.generation.render import animatic, render
from arlon_core.models.token_decoding import TokenDecoder
from arlon_core.models.token_sampling import SamplingConfig
from arlon_core.models.token_transformer import TokenTransformer, TokenTransformerConfig
from arlon_core.pipeline import ArlonPipeline
from arlon_core.presets import PRESETS
from arlon_core.story import Segment, Story
from arlon_core.world.renderer import StoryworldRenderer
from arlon_core.world.script import sample_script

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU"),
]

SHIPPED = Path(__file__).parents[1] / "assets" / "models" / "storyworld"
STORY = Story((Segment("A red balloon rises over green hills.", 2.0), Segment("Then night falls.", 1.0)))
MIB = 2**20


@pytest.fixture(scope="module")
def pipe(tmp_path_factory: pytest.TempPathFactory) -> ArlonPipeline:
    """The shipped model, once it has been at work: torch's libraries then hold what they keep for good."""
    pipe = ArlonPipeline.from_pretrained(SHIPPED, "cuda")
    list(render(pipe, STORY, tmp_path_factory.mktemp("first")))
    return pipe


@pytest.fixture
def held(pipe: ArlonPipeline) -> Iterator[int]:
    """Bytes that the model alone takes; at the end nothing else may be left."""
    gc.collect()
    torch.cuda.empty_cache()
    before = torch.cuda.memory_allocated()
    yield before
    gc.collect()
    assert torch.cuda.memory_allocated() <= before + MIB
    assert torch.cuda.memory_reserved() <= before + 64 * MIB


@pytest.mark.parametrize("guidance_scale", [1.0, 2.0])
def test_a_recorded_pass_draws_the_tokens_of_the_plain_one(guidance_scale: float):
    torch.manual_seed(0)
    config = TokenTransformerConfig(
        codebook_size=64, text_dim=8, token_rows=2, token_cols=3, initializer_range=0.3, hidden_size=64,
        intermediate_size=96, num_hidden_layers=3, num_attention_heads=2,
    )  # fmt: skip
    model = TokenTransformer(config).cuda().eval().requires_grad_(False)
    embeds, positions = torch.randn(2, 10, 64, device="cuda"), torch.arange(10, device="cuda")
    sampling = SamplingConfig(guidance_scale=guidance_scale, top_k=20)
    drawn = []
    for cuda_graph in (False, True):
        decoder = TokenDecoder(model, 128, cuda_graph=cuda_graph)
        for seed in (1, 2):  # a second block replays what the first has recorded
            uniforms = torch.rand(24, generator=torch.Generator().manual_seed(seed))
            drawn.append(torch.cat(list(decoder.frames(embeds, positions, uniforms, sampling))))
    assert torch.equal(drawn[0], drawn[2])
    assert torch.equal(drawn[1], drawn[3])
    assert not torch.equal(drawn[0], drawn[1])


def test_the_same_request_gives_the_same_frames(pipe: ArlonPipeline, held: int, tmp_path: Path):
    films = []
    for name in ("a", "b"):
        events = list(render(pipe, STORY, tmp_path / name))
        assert isinstance(events[-1], FilmReady)
        assert events[-1].report["device"].startswith("NVIDIA")
        films.append([event.frame_hash for event in events if isinstance(event, SegmentReady)])
    assert films[0] == films[1]


def test_a_cancelled_render_stops_within_a_step_and_gives_its_memory_back(pipe: ArlonPipeline, held: int):
    cancel, seen = threading.Event(), []

    def follow() -> None:
        for event in render(pipe, STORY, cancel=cancel, with_animatic=False):
            seen.append(event)
            if isinstance(event, StepDone) and event.step == 2:
                other = threading.Thread(target=cancel.set)
                other.start()
                other.join()

    with pytest.raises(Cancelled):
        follow()
    assert isinstance(seen[-1], StepDone)
    assert seen[-1].step == 2


def test_too_little_memory_names_what_would_fit_and_is_given_back(
    pipe: ArlonPipeline, held: int, tmp_path: Path
):
    total = torch.cuda.get_device_properties(0).total_memory
    list(animatic(pipe, STORY, tmp_path))  # the tokens, which need less
    gc.collect()
    torch.cuda.empty_cache()
    try:
        torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + 96 * MIB) / total)
        with pytest.raises(OutOfMemoryError) as caught:
            list(render(pipe, STORY, tmp_path, with_animatic=False))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    sentence = str(caught.value)
    assert "out of memory in the stage" in sentence
    assert "--device cpu" in sentence
    assert torch.cuda.memory_allocated() <= held + MIB, "although the error is still here"
    events = list(render(pipe, STORY, tmp_path, with_animatic=False))
    assert isinstance(events[-1], FilmReady)
    assert events[-1].report["cache_hits"]["tokens"], "what was made is kept"


def test_the_world_is_drawn_as_on_a_cpu():
    scripts = [sample_script(seed, 29) for seed in range(6)]
    here = StoryworldRenderer(64, 112).render(scripts)
    there = StoryworldRenderer(64, 112, device="cuda").render(scripts)
    difference = (here.frames.int() - there.frames.cpu().int()).abs().float()
    assert difference.mean() < 0.05
    assert (difference > 2).float().mean() < 1e-3
    assert (here.subject_mask != there.subject_mask.cpu()).float().mean() < 1e-2


def test_the_shipped_transformer_says_in_bf16_what_it_says_in_fp32(pipe: ArlonPipeline):
    """Up to rounding, which on a CPU is 0.02% of the variance with such a text."""
    sizes = PRESETS["storyworld"]
    generator = torch.Generator().manual_seed(0)
    latents = torch.randn(
        1, sizes.vae["z_dim"], 4, sizes.latent_height, sizes.latent_width, generator=generator
    )
    text = pipe.encode_prompt("A red balloon rises over green hills at dawn.")
    exact = type(pipe.transformer).from_pretrained(SHIPPED / "transformer", dtype=torch.float32)
    said = []
    for model in (pipe.transformer, exact):
        device, dtype = model.device, model.dtype
        with torch.no_grad():
            velocity = model(
                latents.to(device),
                torch.full((1,), 600.0, device=device),
                text.states[None].to(device, dtype),
                mask=text.mask.to(device),
                fps=12.0,
                coarse_latents=latents.to(device, dtype),
            )
        said.append(velocity.float().cpu())
    assert (said[0] - said[1]).square().mean() < 1e-2 * said[1].square().mean()
