"""Training compiles a model once, although sequences and chunks have many lengths."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from arlon_core.presets import PRESETS
from arlon_core.training.components import load_vae
from arlon_core.training.config import train_config
from arlon_core.training.episodes import EpisodeSource
from arlon_core.training.stage import Setting
from arlon_core.training.stages import stage_class

CPU = torch.device("cpu")
LENGTHS = {"dit": lambda batch: batch.latents.shape[2], "ar": lambda batch: batch.layouts.position.shape[1]}


@pytest.mark.slow
@pytest.mark.parametrize("name", LENGTHS)
def test_one_compilation_serves_all_lengths(name: str, tiny_components: Path):
    config = train_config(name, "tiny", batch_size=2)
    source = EpisodeSource(PRESETS["tiny"], config.pool, CPU, seed=0, rank=0)
    source.attach(load_vae(tiny_components, CPU))
    stage = stage_class(name)(config, Setting(CPU, 0, tiny_components), source)
    compiled = []

    def backend(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]):
        compiled.append(graph)
        return graph.forward

    torch._dynamo.reset()
    stage.model.compile(backend=backend)
    lengths = set()
    for step in range(16):
        batch = stage.batch(step)
        lengths.add(LENGTHS[name](batch))
        stage.loss(stage.model, batch)["loss"].backward()
    torch._dynamo.reset()
    assert len(lengths) > 1
    assert len(compiled) == 1
