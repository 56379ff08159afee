"""Muon for many small matrices and kernels: all of one shape take their step together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

# Jordan et al. 2024: five turns of this polynomial bring all singular values to between 0.5 and 1.5.
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_TURNS = 5
_RMS_OF_ADAMW = 0.2  # Liu et al. 2025, "Muon is scalable for LLM training", section 2.2


class Muon(Optimizer):
    """Orthogonal matrices as steps (Jordan et al. 2024), as large as AdamW's steps (Liu et al. 2025).

    The same steps as `torch.optim.Muon(..., adjust_lr_fn="match_rms_adamw")`, which takes one matrix after
    the other: for the hundred matrices of our DiT its step is 38 ms of launching kernels on an H200, where
    making them orthogonal in batches takes 2 ms. The kernel of a convolution is the matrix of its output
    channels (Jordan et al.). Raises ValueError for a vector.
    """

    def __init__(
        self, params: Iterable[Tensor], lr: float, weight_decay: float = 0.1, momentum: float = 0.95
    ) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.ndim < 2:
                    raise ValueError(f"Muon is for matrices, not for a shape of {tuple(parameter.shape)}.")

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step of all matrices that have a gradient."""
        with torch.enable_grad():
            loss = None if closure is None else closure()
        for group in self.param_groups:
            of_shape: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    of_shape[parameter.shape].append(parameter)
            for parameters in of_shape.values():
                self._step(parameters, group)
        return loss

    def _step(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        """`parameters` all have the same shape."""
        for parameter in parameters:
            if not self.state[parameter]:
                self.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        averages = [self.state[parameter]["momentum_buffer"] for parameter in parameters]
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        torch._foreach_lerp_(averages, gradients, 1 - group["momentum"])
        nesterov = torch._foreach_lerp(gradients, averages, group["momentum"])
        stacked = torch.stack(nesterov)
        matrices = stacked.flatten(2)
        updates = orthogonal(matrices).to(stacked.dtype).reshape(stacked.shape)
        rate = group["lr"] * _RMS_OF_ADAMW * max(matrices.shape[1:]) ** 0.5
        torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
        torch._foreach_add_(parameters, list(updates.unbind()), alpha=-rate)


def orthogonal(matrices: Tensor) -> Tensor:
    """Matrices (N, rows, columns) -> bfloat16 ones with the same singular vectors and values near 1."""
    a, b, c = _COEFFICIENTS
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.bfloat16()
    x = x.mT if tall else x
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(_TURNS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x
