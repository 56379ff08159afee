"""A packed matrix multiplies as F.linear does, whatever the rows and wherever oneDNN is missing."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from arlon_core.models.packed_linear import packed_linear


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("onednn", [True, False], ids=["onednn", "without"])
@pytest.mark.parametrize("shape", [(1, 24), (1, 1, 24), (2, 7, 24), (300, 24)])
def test_it_is_a_linear_layer(dtype, onednn, shape, monkeypatch):
    if not onednn:
        monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(40, 24, generator=generator).to(dtype)
    x = torch.randn(shape, generator=generator).to(dtype)
    torch.testing.assert_close(packed_linear(weight, rows=7)(x), F.linear(x, weight), atol=1e-5, rtol=1e-5)
