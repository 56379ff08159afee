"""Laws of semantic injection: identity at the start, live gradients, dropping F, encoding F once."""

from __future__ import annotations

import pytest
import torch

from arlon_core.models.semantic_injection import inject, resample_statistics
from arlon_core.models.stdit import STDiT3

TINY = {
    "in_channels": 4,
    "hidden_size": 32,
    "depth": 2,
    "num_heads": 2,
    "pred_sigma": False,
    "caption_channels": 16,
    "model_max_length": 6,
    "class_dropout_prob": 0.0,
}


def awake_model(**changes) -> STDiT3:
    """A model in which neither gates nor temporal blocks are zero."""
    torch.manual_seed(0)
    model = STDiT3(**TINY, injection_adapters=2, **changes).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += torch.randn_like(parameter) * 0.05 * parameter.requires_grad
    return model


@pytest.fixture
def inputs() -> dict[str, torch.Tensor | float]:
    torch.manual_seed(1)
    return {
        "x": torch.randn(2, 4, 3, 4, 6),
        "timestep": torch.tensor([800.0, 100.0]),
        "y": torch.randn(2, 1, 6, 16),
        "fps": 12.0,
    }


@pytest.fixture
def coarse() -> torch.Tensor:
    torch.manual_seed(2)
    return torch.randn(2, 4, 3, 4, 6)


def test_injection_at_initialisation_is_identity_bit_for_bit(inputs, coarse):
    torch.manual_seed(0)
    model = STDiT3(**TINY, injection_adapters=2).eval()
    plain = STDiT3(**TINY).eval()
    base = {k: v for k, v in model.state_dict().items() if not k.startswith("semantic_injection.")}
    plain.load_state_dict(base, strict=True)
    with torch.no_grad():
        assert torch.equal(model(**inputs, coarse_latents=coarse), plain(**inputs))
        tokens = model.encode_coarse_latents(coarse).tokens
        for head in model.semantic_injection.heads:
            gate, scale, shift = head(tokens)
            assert not gate.any()
            assert scale.std() > 0.1
            assert shift.std() > 0.1


def test_the_mlp_adapter_adds_and_starts_as_identity(inputs, coarse):
    torch.manual_seed(0)
    model = STDiT3(**TINY, injection_adapters=2, injection_kind="mlp").eval()
    plain = STDiT3(**TINY).eval()
    plain.load_state_dict(model.state_dict(), strict=False)
    with torch.no_grad():
        assert torch.equal(model(**inputs, coarse_latents=coarse), plain(**inputs))
    (head, _), tokens = model.semantic_injection.heads, torch.randn(2, 9, 32)
    with torch.no_grad():
        head.mlp.fc2.bias.fill_(0.5)
        assert torch.equal(inject(tokens, head(tokens)), tokens + 0.5)


def test_an_unknown_injection_is_refused():
    with pytest.raises(ValueError, match="adaptive_norm, mlp"):
        STDiT3(**TINY, injection_adapters=2, injection_kind="controlnet")


def test_at_initialisation_the_gate_learns_and_then_everything_else(inputs, coarse):
    torch.manual_seed(0)
    model = STDiT3(**TINY, injection_adapters=2).eval()

    def loss() -> torch.Tensor:
        return (model(**inputs, coarse_latents=coarse) - coarse).square().mean()

    def norm(*words: str) -> float:
        parts = [p.grad for n, p in model.named_parameters() if all(w in n for w in words)]
        return sum(g.abs().sum().item() for g in parts if g is not None)

    loss().backward()
    assert norm("semantic_injection.heads", "fc2") > 0
    assert norm("semantic_injection.projection") == 0
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter -= 0.1 * parameter.grad
    model.zero_grad()
    loss().backward()
    unmoved = [
        n
        for n, p in model.named_parameters()
        if n.startswith("semantic_injection.") and not p.grad.abs().sum() > 0
    ]
    assert unmoved == []


def test_injection_is_local_to_its_token_in_one_block(inputs, coarse):
    """Changing F of one patch changes that token alone where the injection is applied."""
    model = awake_model()
    changed = coarse.clone()
    changed[0, :, 1, :2, :2] += 1
    parts = [
        model.semantic_injection.heads[0](model.encode_coarse_latents(f).tokens) for f in (coarse, changed)
    ]
    moved = (parts[0].gate != parts[1].gate).any(-1).nonzero()
    assert moved.tolist() == [[0, 6]]  # frame 1, row 0, column 0 of a 2x3 grid


def test_dropped_samples_equal_the_plain_model(inputs, coarse):
    model = awake_model()
    keep = torch.tensor([True, False])
    with torch.no_grad():
        plain, steered = model(**inputs), model(**inputs, coarse_latents=coarse)
        mixed = model(**inputs, coarse_latents=coarse, coarse_mask=keep)
        encoded = model(**inputs, coarse_latents=model.encode_coarse_latents(coarse, keep))
    assert not torch.allclose(plain, steered, atol=1e-3)
    assert torch.equal(mixed[0], steered[0])
    assert torch.equal(mixed[1], plain[1])
    assert torch.equal(encoded, mixed)


@pytest.mark.parametrize("precompute", [False, True])
def test_encoded_once_equals_encoded_each_time(inputs, coarse, precompute):
    model = awake_model()
    with torch.no_grad():
        condition = model.encode_coarse_latents(coarse, precompute=precompute)
        assert torch.equal(model(**inputs, coarse_latents=condition), model(**inputs, coarse_latents=coarse))


def test_condition_is_repeated_under_guidance(inputs, coarse):
    model = awake_model()
    doubled = {k: torch.cat([v, v]) if isinstance(v, torch.Tensor) else v for k, v in inputs.items()}
    with torch.no_grad():
        condition = model.encode_coarse_latents(coarse, torch.tensor([True, True, False, False]))
        output = model(**doubled, coarse_latents=condition)
        torch.testing.assert_close(output[:2], model(**inputs, coarse_latents=coarse))
        torch.testing.assert_close(output[2:], model(**inputs))


def test_wrong_conditions_are_refused(inputs, coarse):
    with pytest.raises(ValueError, match="do not fit"):
        awake_model()(**inputs, coarse_latents=coarse[:, :, :2])
    with pytest.raises(ValueError, match="without semantic injection"):
        STDiT3(**TINY)(**inputs, coarse_latents=coarse)


def test_freeze_base_leaves_the_injection_alone_trainable():
    model = awake_model()
    model.freeze_base()
    trainable = {name.split(".")[0] for name, p in model.named_parameters() if p.requires_grad}
    assert trainable == {"semantic_injection"}


def test_uncertainty_sampling_runs_in_training_only(coarse):
    model = awake_model(uncertainty_probability=1.0)
    steady = [model.encode_coarse_latents(coarse).tokens for _ in range(2)]
    assert torch.equal(*steady)
    model.train()
    assert not torch.allclose(model.encode_coarse_latents(coarse).tokens, steady[0])


def test_resampling_replaces_statistics_and_keeps_structure():
    torch.manual_seed(0)
    features = torch.randn(4, 50, 3) * torch.rand(4, 1, 3) + torch.randn(4, 1, 3) * 3
    resampled = resample_statistics(features, probability=1.0)
    assert not torch.allclose(resampled.mean(1), features.mean(1), atol=0.1)
    centred = [x - x.mean(1, keepdim=True) for x in (features, resampled)]
    cosine = torch.nn.functional.cosine_similarity(*centred, dim=1).abs()
    torch.testing.assert_close(cosine, torch.ones(4, 3), atol=1e-3, rtol=0)
    assert torch.equal(resample_statistics(features, probability=0.0), features)


def test_resampling_leaves_a_batch_of_one_alone():
    features = torch.randn(1, 50, 3)
    torch.testing.assert_close(resample_statistics(features, probability=1.0), features)
