"""Which parameter learns by which optimiser."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from arlon_core.models.stdit import STDiT3
from arlon_core.models.video_vae import build_video_vae
from arlon_core.presets import PRESETS
from arlon_core.training.config import train_config
from arlon_core.training.muon import Muon
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


def test_muon_takes_whole_convolutions_of_repeated_blocks_and_no_depthwise_ones(model):
    names = {id(p): name for name, p in model.named_parameters()}
    assert not [names[p] for p in held(optimizers(model, MUON)[1]) if "depthwise" in names[p]]
    vae = build_video_vae(**PRESETS["tiny"].vae)
    names = {id(p): name for name, p in vae.named_parameters()}
    taken = {names[p] for p in held(optimizers(vae, train_config("vae", "tiny"))[1])}
    assert "decoder.up_blocks.0.resnets.0.conv1.weight" in taken
    assert "decoder.conv_out.weight" not in taken


def test_without_muon_adamw_has_all_that_learns(model):
    model.freeze_base()
    (adamw,) = optimizers(model, replace(MUON, muon=False))
    assert held(adamw) == [id(p) for p in model.parameters() if p.requires_grad]
    together = [p for optimizer in optimizers(model, MUON) for p in held(optimizer)]
    assert sorted(together) == sorted(held(adamw))


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="torch has Muon from 2.9 on")
def test_matrices_stepped_together_go_where_torch_takes_each_alone():
    torch.manual_seed(0)
    shapes = [(6, 10), (10, 6), (6, 10), (8, 8)]
    start = [torch.randn(shape) for shape in shapes]
    ours, theirs = ([p.clone().requires_grad_() for p in start] for _ in range(2))
    mine = Muon(ours, lr=0.02, weight_decay=0.1)
    torchs = torch.optim.Muon(theirs, lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    for _ in range(4):
        for a, b in zip(ours, theirs, strict=True):
            a.grad = torch.randn_like(a)
            b.grad = a.grad.clone()
        mine.step()
        torchs.step()
    for a, b, first in zip(ours, theirs, start, strict=True):
        # bfloat16 inside: rounding differs, the way they went does not
        assert (a - b).norm() < 0.02 * (b - first).norm()


def test_muon_leaves_a_matrix_without_gradient_alone():
    still, moved = torch.ones(4, 4, requires_grad=True), torch.ones(4, 4, requires_grad=True)
    muon = Muon([still, moved], lr=0.1)
    moved.grad = torch.eye(4)
    muon.step()
    assert torch.equal(still, torch.ones(4, 4))
    assert not torch.equal(moved, torch.ones(4, 4))


def test_a_kernel_steps_as_the_matrix_of_its_output_channels():
    torch.manual_seed(0)
    kernel, gradient = torch.randn(6, 4, 3, 3), torch.randn(6, 4, 3, 3)
    as_kernel = kernel.clone().to(memory_format=torch.channels_last).requires_grad_()
    as_matrix = kernel.flatten(1).clone().requires_grad_()
    as_kernel.grad, as_matrix.grad = gradient.to(memory_format=torch.channels_last), gradient.flatten(1)
    for parameter in (as_kernel, as_matrix):
        Muon([parameter], lr=0.1).step()
    assert torch.equal(as_kernel.flatten(1), as_matrix)


def test_muon_is_for_matrices():
    with pytest.raises(ValueError, match=r"not for a shape of \(3,\)"):
        Muon([torch.ones(3, requires_grad=True)], lr=0.1)
