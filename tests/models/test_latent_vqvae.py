"""The latent VQ-VAE: grids, causality, the look-back it states, and that it learns."""

from __future__ import annotations

import pytest
import torch

from arlon_core.models.latent_vqvae import LatentVQVAE

SMALL = {"latent_channels": 4, "base_channels": 16, "codebook_size": 32, "code_dim": 8}


def model(**changes) -> LatentVQVAE:
    """A small model whose residual branches do something (they start at zero)."""
    torch.manual_seed(0)
    vqvae = LatentVQVAE(**{**SMALL, **changes}).eval()
    for parameter in vqvae.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.2)
    return vqvae


@pytest.mark.parametrize(("token", "grid"), [((8, 8), (4, 7)), ((8, 14), (4, 4))])
def test_one_slice_of_tokens_a_latent_frame(token, grid):
    vqvae = model(token_height=token[0], token_width=token[1])
    latents = torch.randn(2, 4, 3, 32, 56)
    output = vqvae(latents)
    assert output.indices.shape == (2, 3, *grid)
    assert output.reconstruction.shape == latents.shape
    assert torch.equal(vqvae.encode(latents), output.indices)
    torch.testing.assert_close(vqvae.decode(output.indices), output.reconstruction)


def test_shipped_sizes_stay_within_their_limits():
    fine = LatentVQVAE(base_channels=128)
    coarse = LatentVQVAE(base_channels=96, token_width=14)
    assert fine.num_parameters() <= 3_000_000
    assert coarse.num_parameters() <= 1_800_000


@pytest.mark.parametrize("at", [1, 4])
def test_nothing_looks_ahead(at):
    vqvae = model()
    latents = torch.randn(1, 4, 6, 16, 16)
    later = latents.clone()
    later[:, :, at:] = torch.randn_like(later[:, :, at:])
    indices = vqvae.encode(latents)
    assert torch.equal(indices[:, :at], vqvae.encode(later)[:, :at])
    changed = indices.clone()
    changed[:, at:] = (changed[:, at:] + 1) % 32
    assert torch.equal(vqvae.decode(indices)[:, :, :at], vqvae.decode(changed)[:, :, :at])


@pytest.mark.parametrize("context", [0, 2, 6])
def test_the_decoder_looks_back_exactly_its_context(context):
    vqvae = model(temporal_context=context)
    assert vqvae.context == context
    indices = torch.randint(32, (1, 10, 2, 2))
    whole = vqvae.decode(indices)
    start = 2
    late = vqvae.decode(indices[:, start:])
    torch.testing.assert_close(late[:, :, context:], whole[:, :, start + context :], atol=1e-5, rtol=1e-5)
    if context:
        assert (late[:, :, context - 1] - whole[:, :, start + context - 1]).abs().max() > 1e-4


def test_it_learns_one_batch():
    torch.manual_seed(0)
    vqvae = LatentVQVAE(**{**SMALL, "base_channels": 32, "decay": 0.8}).train()
    latents = torch.nn.functional.interpolate(torch.randn(4, 4, 2, 2, 2), scale_factor=(1, 8, 8))
    optimizer = torch.optim.Adam(vqvae.parameters(), lr=3e-3)
    for _ in range(80):
        output = vqvae(latents)
        error = (output.reconstruction - latents).square().mean()
        optimizer.zero_grad()
        (error + output.commitment_loss).backward()
        optimizer.step()
    assert error < 0.15 * latents.square().mean()


def test_weights_of_pixels_reach_the_tokens():
    vqvae = model()
    latents = torch.randn(1, 4, 1, 16, 16)
    weights = torch.zeros(1, 1, 16, 16)
    weights[..., :8, :8] = 1
    whole = vqvae(latents).commitment_loss
    assert vqvae(latents, weights).commitment_loss != whole
    torch.testing.assert_close(vqvae(latents, torch.ones_like(weights)).commitment_loss, whole)


def test_grids_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="do not divide"):
        model().encode(torch.randn(1, 4, 1, 12, 16))
    with pytest.raises(ValueError, match="even"):
        model(temporal_context=3)


def test_save_and_load_keep_tokens(tmp_path):
    vqvae = model()
    latents = torch.randn(1, 4, 2, 16, 16)
    vqvae.save_pretrained(tmp_path)
    assert not list(tmp_path.glob("*.bin"))
    assert torch.equal(LatentVQVAE.from_pretrained(tmp_path).eval().encode(latents), vqvae.encode(latents))
