"""Vector quantisation: identity, gradients, a codebook that follows its data and revives its dead."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from arlon_core.models.quantizer import VectorQuantizer


def clusters(count: int, size: int, dim: int = 8) -> torch.Tensor:
    """`size` vectors around each of `count` directions."""
    centres = F.normalize(torch.randn(count, 1, dim), dim=-1)
    return (centres + 0.05 * torch.randn(count, size, dim)).reshape(-1, dim)


def test_index_to_code_to_index_is_identity():
    torch.manual_seed(0)
    quantizer = VectorQuantizer(64, 8).eval()
    indices = torch.arange(64).view(4, 16)
    assert torch.equal(quantizer.encode(quantizer.lookup(indices)), indices)
    half = quantizer.to(torch.bfloat16)
    assert torch.equal(half.encode(half.lookup(indices)), indices)


def test_gradients_pass_straight_through_and_commitment_pulls():
    torch.manual_seed(0)
    quantizer = VectorQuantizer(16, 4).eval()
    x = torch.randn(10, 4, requires_grad=True)
    pull = torch.randn(10, 4)
    (quantizer(x).codes * pull).sum().backward()
    through, x.grad = x.grad, None
    torch.testing.assert_close(through, pull)
    x.grad = None
    loss = quantizer(x).commitment_loss
    loss.backward()
    with torch.no_grad():
        assert quantizer(x - 0.1 * x.grad).commitment_loss < loss


def test_the_codebook_settles_on_the_data():
    torch.manual_seed(0)
    data = clusters(12, 40)
    quantizer = VectorQuantizer(32, 8, decay=0.8).train()
    before = quantizer(data).commitment_loss
    for _ in range(60):
        after = quantizer(data)
    assert after.commitment_loss < 0.2 * before
    assert after.usage > 0.8
    assert 12 < after.perplexity <= 32


def test_a_dead_code_is_revived_where_the_data_is():
    torch.manual_seed(0)
    quantizer = VectorQuantizer(16, 8, decay=0.5).train()
    data = clusters(16, 30)
    for _ in range(30):
        quantizer(data)
    quantizer.codebook[3] = quantizer.sums[3] = 100.0
    quantizer.hits[3] = 0.0
    for _ in range(3):
        quantizer(data)
    assert torch.cdist(quantizer.codebook[3:4], data).min() < 0.3


def test_nothing_moves_outside_training():
    torch.manual_seed(0)
    quantizer = VectorQuantizer(16, 8).eval()
    before = {name: buffer.clone() for name, buffer in quantizer.named_buffers()}
    quantizer(torch.randn(100, 8))
    assert all(torch.equal(buffer, before[name]) for name, buffer in quantizer.named_buffers())


def test_weights_decide_what_counts():
    torch.manual_seed(0)
    quantizer = VectorQuantizer(16, 8).eval()
    x = torch.randn(6, 8)
    only_third = torch.tensor([0.0, 0, 1, 0, 0, 0])
    weighted = quantizer(x, only_third).commitment_loss
    torch.testing.assert_close(weighted, quantizer(x[2:3]).commitment_loss)
    quantizer.train()
    quantizer.hits += 1.0
    quantizer.sums += quantizer.codebook
    quantizer(x, only_third)
    heaviest = quantizer.hits.argmax()
    assert heaviest == quantizer.encode(x[2])


def test_the_nearest_code_is_the_nearest_in_any_precision_of_the_product():
    """A coarse matrix product (as TF32 on a GPU) may not change tokens: exact distances decide."""
    torch.manual_seed(0)
    quantizer, x = VectorQuantizer(64, 8).eval(), torch.randn(500, 8)
    exact = (x[:, None] - quantizer.codebook).square().sum(-1).argmin(-1)
    assert torch.equal(quantizer.encode(x), exact)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(quantizer.encode(x), exact)


@pytest.mark.parametrize("shape", [(5,), (2, 3), (2, 3, 4, 5)])
def test_leading_dimensions_are_kept(shape):
    quantizer = VectorQuantizer(16, 8).eval()
    quantized = quantizer(torch.randn(*shape, 8))
    assert quantized.indices.shape == shape
    assert quantized.codes.shape == (*shape, 8)
