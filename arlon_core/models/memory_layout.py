"""How weights lie in memory; it changes speed and the last bit of a rounding, and no value."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn

Module = TypeVar("Module", bound=nn.Module)


def lay_channels_last(module: Module) -> Module:
    """The same module, its convolutions' weights laid out channels last in place; activations follow them.

    What tensor cores read: cuDNN stops turning activations round at every convolution. On a CPU the VAE takes
    0.28 s instead of 0.42 for a latent frame (256x448, bf16, one thread).
    """
    for parameter in module.parameters():
        if parameter.dim() in (4, 5):
            layout = torch.channels_last if parameter.dim() == 4 else torch.channels_last_3d
            parameter.data = parameter.data.contiguous(memory_format=layout)
    return module


def own_memory(module: nn.Module) -> None:
    """Move weights on a CPU out of the file they are mapped from.

    There they begin at any byte, and kernels round differently by alignment; memory of one's own is aligned,
    so that no bit depends on how a folder was sharded.
    """
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.device.type == "cpu":
            tensor.data = tensor.data.clone()
