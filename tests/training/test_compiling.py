"""What training compiles, it compiles once, although sequences, chunks and drawings have many lengths."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from arlon_core.presets import PRESETS
from arlon_core.training.components import load_vae
from arlon_core.training.config import train_config
from arlon_core.training.episodes import EpisodeSource
from arlon_core.training.stage import Setting
from arlon_core.training.stages import stage_class
from arlon_core.world.renderer import KERNELS, StoryworldRenderer
from arlon_core.world.script import sample_script

CPU = torch.device("cpu")
TINY = PRESETS["tiny"]
COUNTS = {"dit": lambda batch: len(batch.latents), "ar": lambda batch: len(batch.layouts.position)}
LENGTHS = {"dit": lambda batch: batch.latents.shape[2], "ar": lambda batch: batch.layouts.position.shape[1]}


class Counting:
    """A compiler that runs graphs as they are, and keeps count of them."""

    def __init__(self) -> None:
        self.compiled = 0

    def __call__(self, graph: torch.fx.GraphModule, inputs: list[torch.Tensor]):
        self.compiled += 1
        return graph.forward


@pytest.fixture
def counting() -> Iterator[Counting]:
    torch._dynamo.reset()
    yield Counting()
    torch._dynamo.reset()


@pytest.mark.slow
@pytest.mark.parametrize("name", LENGTHS)
def test_one_compilation_serves_all_lengths(name: str, tiny_components: Path, counting: Counting):
    config = train_config(name, "tiny", batch_size=2)
    config = replace(config, pool=replace(config.pool, steps_per_group=8))  # drawing them takes the time
    source = EpisodeSource(TINY, config.pool, CPU, seed=0, rank=0)
    source.attach(load_vae(tiny_components, CPU))
    stage = stage_class(name)(config, Setting(CPU, 0, tiny_components), source)
    stage.model.compile(backend=counting)
    lengths, counts = set(), set()
    for step in range(16):
        batch = stage.batch(step)
        lengths.add(LENGTHS[name](batch))
        counts.add(COUNTS[name](batch))
        stage.loss(stage.model, batch)["loss"].backward()
    assert len(lengths) > 1
    assert (len(counts) > 1) == (name == "dit"), "short chunks come in larger batches"
    assert counting.compiled == 1


@pytest.mark.slow
def test_each_layer_is_compiled_once_for_any_number_of_frames(
    counting: Counting, monkeypatch: pytest.MonkeyPatch
):
    plain = StoryworldRenderer(32, 56)
    compile_as_is = functools.partial(torch.compile, backend=counting, fullgraph=True)
    monkeypatch.setattr(torch, "compile", lambda function, **options: compile_as_is(function))
    renderer = StoryworldRenderer(32, 56, compile=True)
    scripts = [sample_script(seed, 81) for seed in range(4)]
    first = renderer.render(scripts)
    once = counting.compiled
    assert once <= len(KERNELS)
    assert torch.equal(first.frames, plain.render(scripts).frames)
    for renderer.slab, frames in ((50, 81), (16, 40), (8, 9)):
        drawn = renderer.render(scripts, 0, frames)
        assert torch.equal(drawn.frames, first.frames[:, :frames])
    assert counting.compiled == once


@pytest.mark.slow
def test_the_encoder_is_compiled_twice_for_films_of_any_length(tiny_components: Path, counting: Counting):
    source = EpisodeSource(TINY, train_config("ar", "tiny").pool, CPU, seed=0, rank=0)
    source.attach(load_vae(tiny_components, CPU))
    source.vae.encoder.compile(backend=counting, dynamic=False)
    scripts = [sample_script(seed, 65) for seed in range(2)]
    outside = source.encode(scripts).latents
    assert counting.compiled == 2, "the first frame, and every piece after it"
    with torch.autocast("cpu", torch.bfloat16):
        inside = source.encode(scripts).latents
    assert counting.compiled == 2
    assert torch.equal(inside, outside)


@pytest.mark.slow
def test_a_judge_compiles_the_encoder_twice_whatever_it_looks_at(tiny_components: Path, counting: Counting):
    """Steps, evaluation and samples wear out other numbers of windows."""
    config = train_config("judge", "tiny", batch_size=16)
    source = EpisodeSource(TINY, config.pool, CPU, seed=0, rank=0)
    stage = stage_class("judge")(config, Setting(CPU, 0, tiny_components), source)
    source.vae.encoder.compile(backend=counting, dynamic=False)
    for step in range(3):
        stage.batch(step)
    once = counting.compiled
    assert once == 2, "the first frame, and every piece after it"
    with torch.no_grad():
        stage.evaluate(stage.model.eval())
        stage.sample(stage.model)
    assert counting.compiled == once
