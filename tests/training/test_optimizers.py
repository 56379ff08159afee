"""Which parameter learns by which optimiser."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from arlon_core.errors import ArlonError
from arlon_core.models.stdit import STDiT3
from arlon_core.presets import PRESETS
from arlon_core.training.config import train_config
from arlon_core.training.optimizers import optimizers

MUON = train_config("dit", "tiny")


@pytest.fixture
def model() -> STDiT3:
    return STDiT3(**PRESETS["tiny"].transformer)


def held(optimizer: torch.optim.Optimizer) -> list[int]:
    return [id(p) for group in optimizer.param_groups for p in group["params"]]


def test_muon_takes_the_matrices_of_the_blocks_and_adamw_all_else(model):
    adamw, muon = optimizers(model, MUON)
    names = {id(p): name for name, p in model.named_parameters() if p.requires_grad}
    assert sorted(held(adamw) + held(muon)) == sorted(names)  # each once
    taken = {names[p] for p in held(muon)}
    assert {"spatial_blocks.0.attn.qkv.weight", "temporal_blocks.0.mlp.fc1.weight"} <= taken
    for name in ("final_layer.linear.weight", "t_block.1.weight", "spatial_blocks.0.scale_shift_table"):
        assert name not in taken


def test_without_muon_adamw_has_all_that_learns(model):
    model.freeze_base()
    (adamw,) = optimizers(model, replace(MUON, muon=False))
    assert held(adamw) == [id(p) for p in model.parameters() if p.requires_grad]
    together = [p for optimizer in optimizers(model, MUON) for p in held(optimizer)]
    assert sorted(together) == sorted(held(adamw))


def test_an_old_torch_is_told(model, monkeypatch):
    monkeypatch.delattr(torch.optim, "Muon")
    with pytest.raises(ArlonError, match=r"needs torch 2\.9 or later"):
        optimizers(model, MUON)
