"""A matrix laid out for products with few rows, again and again, on a CPU."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

Linear = Callable[[Tensor], Tensor]


def packed_linear(weight: Tensor, rows: int) -> Linear:
    """F.linear by a weight (out, in) that stays as it is, for inputs (..., in) of about `rows` rows.

    On a CPU F.linear goes by way of MKL, which on processors that are not Intel's takes two or three times as
    long for few rows as oneDNN, once that has laid out the weight in its own way: 12 rows through all
    matrices of the shipped token transformer take 8.7 ms and 4.1, on one thread of an EPYC. PyTorch has both
    operations for its compiler. Where there is no oneDNN, and for anything but fp32, this is F.linear.
    """
    here = weight.device.type == "cpu" and torch.backends.mkldnn.is_available()
    if not here or weight.dtype != torch.float32:
        return partial(_plain, weight)
    return partial(_packed, torch.ops.mkldnn._reorder_linear_weight(weight.detach().contiguous(), rows))


def _plain(weight: Tensor, x: Tensor) -> Tensor:
    return F.linear(x, weight)


def _packed(weight: Tensor, x: Tensor) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise(x, weight, None, "none", [], "")
