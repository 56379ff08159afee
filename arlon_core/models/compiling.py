"""One compilation for inputs of every length.

torch.compile takes the sizes of its first call for constants, and compiles once more when one of them
changes. That second time costs as much as the first, in runs that are measured in minutes.
"""

from __future__ import annotations

import torch
from torch import Tensor


def any_length(tensor: Tensor | None, axis: int) -> None:
    """Tell torch.compile that this axis of an input has another length at other steps.

    Lengths of 1 are compiled apart whatever is said here: keep to 2 and more.
    """
    if tensor is not None:
        torch._dynamo.maybe_mark_dynamic(tensor, axis)
