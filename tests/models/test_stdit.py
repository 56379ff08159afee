"""STDiT3 against outputs of the reference code (tests/goldens), and its laws."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from arlon_core.models.rectified_flow import FlowBatch, flow_losses
from arlon_core.models.stdit import STDiT3
from arlon_core.models.stdit_blocks import LocalMlp

GOLDENS = Path(__file__).parents[1] / "goldens"
INFO = json.loads((GOLDENS / "stdit3_tiny_config.json").read_text())


@pytest.fixture(scope="module")
def cases() -> dict[str, torch.Tensor]:
    return load_file(GOLDENS / "stdit3_tiny_cases.safetensors")


@pytest.fixture(scope="module")
def model() -> STDiT3:
    return reference_model()


@pytest.fixture
def pooled() -> STDiT3:
    """A model whose pooling of the text has learned something."""
    model = reference_model(pooled_text=True)
    torch.manual_seed(1)
    torch.nn.init.normal_(model.text_pooling.proj.weight, std=0.1)
    return model


def reference_model(**changes) -> STDiT3:
    model = STDiT3(**(INFO["config"] | changes))
    more = changes.keys() & {"injection_adapters", "pooled_text", "local_mlp"}
    model.load_state_dict(load_file(GOLDENS / "stdit3_tiny.safetensors"), strict=not more)
    return model.eval()


def inputs_of(cases: dict[str, torch.Tensor], name: str) -> dict[str, torch.Tensor]:
    inputs = {key.split(".in.")[1]: value for key, value in cases.items() if key.startswith(f"{name}.in.")}
    return inputs | ({"x_mask": inputs["x_mask"].bool()} if "x_mask" in inputs else {})


@pytest.mark.parametrize("name", ["plain", "xmask"])
def test_forward_reproduces_the_reference(model, cases, name):
    with torch.no_grad():
        output = model(**inputs_of(cases, name))
    assert output.dtype == torch.float32
    torch.testing.assert_close(output, cases[f"{name}.out"], atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", ["plain", "xmask"])
def test_every_block_reproduces_the_reference(model, cases, name):
    seen = {}
    hooks = [
        block.register_forward_hook(lambda _, __, output, key=f"{kind}{i}": seen.__setitem__(key, output))
        for kind in ("spatial", "temporal")
        for i, block in enumerate(getattr(model, f"{kind}_blocks"))
    ]
    with torch.no_grad():
        model(**inputs_of(cases, name))
    for hook in hooks:
        hook.remove()
    assert len(seen) == 4
    for key, output in seen.items():
        torch.testing.assert_close(output, cases[f"{name}.mid.{key}"], atol=1e-4, rtol=0)


def test_bfloat16_stays_near_float32(cases):
    model = reference_model().to(torch.bfloat16)
    with torch.no_grad():
        output = model(**inputs_of(cases, "xmask"))
    assert (output - cases["xmask.out"]).abs().mean() < 0.03
    assert (output - cases["xmask.out"]).abs().max() < 0.2


@pytest.mark.parametrize("name", ["nomask", "mask"])
def test_training_losses_and_gradients_reproduce_the_reference(cases, name):
    model, inputs = reference_model(), inputs_of(cases, "xmask")
    latents, noise, t = (cases[f"train.{key}"] for key in ("x_start", "noise", "t"))
    mask = inputs.pop("x_mask") if name == "mask" else None
    batch = FlowBatch(latents=latents, noise=noise, timesteps=t, mask=mask)
    torch.testing.assert_close(
        FlowBatch(latents=latents, noise=noise, timesteps=t).model_input(), cases["train.x_t"]
    )
    losses = flow_losses(
        model, batch, **{k: v for k, v in inputs.items() if k not in ("x", "timestep", "x_mask")}
    )
    torch.testing.assert_close(losses, cases[f"train.loss_{name}"], atol=1e-4, rtol=0)

    losses.mean().backward()
    norms = {key: p.grad.norm().item() for key, p in model.named_parameters() if p.grad is not None}
    expected = {key: norm for key, norm in INFO["train"]["grad_norms"][name].items() if norm is not None}
    assert norms == pytest.approx(expected, rel=1e-4)


def test_all_frames_active_equals_no_x_mask(model, cases):
    inputs = inputs_of(cases, "plain")
    with torch.no_grad():
        assert torch.equal(model(**inputs), model(**inputs, x_mask=torch.ones(2, 5, dtype=torch.bool)))


@pytest.mark.parametrize("name", ["model", "pooled"])
def test_text_padding_does_not_matter(name, request, cases):
    model, inputs = request.getfixturevalue(name), inputs_of(cases, "plain")
    changed = torch.where(inputs["mask"][:, None, :, None].bool(), inputs["y"], torch.tensor(1e3))
    with torch.no_grad():
        assert torch.equal(model(**inputs), model(**(inputs | {"y": changed})))
        assert not torch.equal(model(**inputs), model(**(inputs | {"y": inputs["y"] + 1})))


def test_odd_sizes_pad_and_crop(model):
    """Zero padding behind the last row and column is what an odd size means."""
    torch.manual_seed(0)
    x = torch.randn(1, 4, 3, 5, 7)
    padded = torch.nn.functional.pad(x, (0, 1, 0, 1))
    inputs = {
        "timestep": torch.tensor([300.0]),
        "y": torch.randn(1, 1, 8, 32),
        "fps": 24.0,
        "height": 240.0,
        "width": 426.0,
    }
    with torch.no_grad():
        odd, even = model(x, **inputs), model(padded, **inputs)
    assert odd.shape == (1, 8, 3, 5, 7)
    torch.testing.assert_close(odd, even[..., :5, :7])


def test_pooled_text_changes_nothing_at_first_and_then_tells_the_text_by_itself(model, pooled, cases):
    inputs = inputs_of(cases, "xmask")
    other = inputs | {"y": inputs["y"].flip(0)}
    deaf = reference_model(pooled_text=True)
    with torch.no_grad():
        assert torch.equal(deaf(**inputs), model(**inputs))
        for network in (deaf, pooled):
            for block in [*network.spatial_blocks, *network.temporal_blocks]:
                torch.nn.init.zeros_(block.cross_attn.proj.weight)
        assert torch.equal(deaf(**inputs), deaf(**other))
        assert not torch.allclose(pooled(**inputs), pooled(**other))


def test_local_mlp_changes_nothing_at_first(model, cases):
    inputs = inputs_of(cases, "xmask")
    with torch.no_grad():
        assert torch.equal(reference_model(local_mlp=True)(**inputs), model(**inputs))


def test_a_local_mlp_sees_the_eight_patches_around_each_and_no_other_frame():
    torch.manual_seed(0)
    grid = (3, 5, 6)
    mlp = LocalMlp(4, 8, 4)
    torch.nn.init.normal_(mlp.depthwise.weight)
    x = torch.randn(2, 3 * 5 * 6, 4)
    poked = x.unflatten(1, grid).clone()
    poked[1, 1, 2, 3] += 1
    with torch.no_grad():
        change = (mlp(poked.flatten(1, 3), grid) - mlp(x, grid)).abs().sum(-1).unflatten(1, grid)
    seen = torch.zeros(2, *grid, dtype=torch.bool)
    seen[1, 1, 1:4, 2:5] = True
    assert torch.equal(change > 1e-4, seen)


@pytest.mark.parametrize("name", ["model", "pooled"])
def test_guidance_batch_repeats_conditions_with_fewer_rows(name, request):
    """A doubled batch equals its two halves run alone, with mask and sizes given once."""
    model = request.getfixturevalue(name)
    torch.manual_seed(0)
    x, y = torch.randn(2, 4, 4, 4, 6), torch.randn(4, 1, 8, 32)
    t, mask = torch.tensor([700.0, 200.0]), torch.tensor([[1] * 3 + [0] * 5, [1] * 8])
    x_mask = torch.tensor([[0, 1, 1, 1], [1, 1, 1, 1]]).bool()
    sizes = {
        "fps": torch.tensor([24.0, 12.0]),
        "height": torch.full((2,), 240.0),
        "width": torch.full((2,), 426.0),
    }
    with torch.no_grad():
        both = model(x.repeat(2, 1, 1, 1, 1), t.repeat(2), y, mask, x_mask.repeat(2, 1), **sizes)
        halves = [model(x, t, part, mask, x_mask, **sizes) for part in y.chunk(2)]
    torch.testing.assert_close(both, torch.cat(halves), atol=1e-5, rtol=1e-5)
    with pytest.raises(ValueError, match="cannot be repeated"):
        model(x, t, y[:2], torch.ones(3, 8), **sizes)


def test_plain_numbers_equal_tensors_and_default_pixels(model, cases):
    inputs = inputs_of(cases, "plain") | {"fps": torch.full((2,), 24.0)}
    with torch.no_grad():
        reference = model(**(inputs | {"height": torch.full((2,), 48.0), "width": torch.full((2,), 64.0)}))
        assert torch.equal(reference, model(**(inputs | {"fps": 24.0, "height": None, "width": None})))
    with pytest.raises(ValueError, match="frames per second"):
        model(**(inputs | {"fps": None}))


def test_gradient_checkpointing_changes_no_gradient(cases):
    def gradients(checkpointing: bool) -> dict[str, torch.Tensor]:
        torch.manual_seed(0)
        model = reference_model(injection_adapters=1)
        if checkpointing:
            model.enable_gradient_checkpointing()
        inputs = inputs_of(cases, "plain")
        model(**inputs, coarse_latents=inputs["x"]).square().mean().backward()
        return {key: p.grad for key, p in model.named_parameters() if p.grad is not None}

    plain, checkpointed = gradients(False), gradients(True)
    assert plain.keys() == checkpointed.keys()
    for key, gradient in plain.items():
        torch.testing.assert_close(checkpointed[key], gradient)


def test_caption_dropout_uses_the_null_caption_in_training_only(cases):
    model, inputs = reference_model(class_dropout_prob=1.0), inputs_of(cases, "plain")
    null = inputs | {"y": model.null_caption().expand(2, -1, -1, -1)}
    with torch.no_grad():
        unconditional, conditional = model(**null), model(**inputs)
        model.train()
        torch.testing.assert_close(model(**inputs), unconditional)
    assert not torch.allclose(unconditional, conditional)


def test_fresh_temporal_blocks_are_identity():
    torch.manual_seed(0)
    model = STDiT3(**INFO["config"]).eval()
    outputs = []
    for block in model.temporal_blocks:
        block.register_forward_hook(lambda _, args, output: outputs.append(torch.equal(args[0], output)))
    x = torch.randn(1, 4, 3, 4, 4)
    with torch.no_grad():
        model(x, torch.tensor([500.0]), torch.randn(1, 1, 8, 32), fps=24.0)
    assert outputs == [True, True]
    assert all(not m.bias.any() for m in model.modules() if isinstance(m, torch.nn.Linear))


def test_save_and_load(tmp_path, cases):
    model = reference_model()
    model.save_pretrained(tmp_path)
    loaded = STDiT3.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        assert torch.equal(loaded(**inputs_of(cases, "xmask")), model(**inputs_of(cases, "xmask")))
    weights = model.state_dict()
    del weights["rope.freqs"]
    reference_model().load_state_dict(weights, strict=True)


@pytest.mark.slow
def test_compiles_into_one_graph(cases):
    model = reference_model(injection_adapters=1)
    inputs = inputs_of(cases, "xmask")
    condition = model.encode_coarse_latents(inputs["x"])
    with torch.no_grad():
        compiled = torch.compile(model, backend="eager", fullgraph=True)
        assert torch.equal(
            compiled(**inputs, coarse_latents=condition), model(**inputs, coarse_latents=condition)
        )


@pytest.mark.parametrize(
    "changes", [{"num_heads": 5}, {"hidden_size": 66, "num_heads": 3}, {"skip_y_embedder": True}]
)
def test_bad_configuration_is_refused(changes):
    with pytest.raises(ValueError, match=r"must|not supported"):
        STDiT3(**(INFO["config"] | changes))
