"""The optimisers of a run: AdamW, or Muon for the matrices of layers that repeat and AdamW for the rest."""

from __future__ import annotations

from typing import TypeGuard

from torch import nn
from torch.optim import AdamW, Optimizer

from arlon_core.training.config import TrainConfig
from arlon_core.training.muon import Muon


def optimizers(model: nn.Module, config: TrainConfig) -> list[Optimizer]:
    """One or two optimisers over all of the model's trainable parameters.

    Muon's steps are as large as AdamW's, so that one learning rate and weight decay do for both.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    matrices = repeated_matrices(model) if config.muon else []
    known = {id(p) for p in matrices}
    rest = [p for p in parameters if id(p) not in known]
    made: list[Optimizer] = [
        AdamW(rest, lr=config.learning_rate, betas=config.betas, weight_decay=config.weight_decay)
    ]
    if matrices:
        made.append(Muon(matrices, lr=config.learning_rate, weight_decay=config.weight_decay))
    return made


def repeated_matrices(model: nn.Module) -> list[nn.Parameter]:
    """Weights of the linear layers and whole convolutions inside a ModuleList.

    Embeddings and the layers at the ends are not among them, nor are depthwise convolutions, which mix no
    channels.
    """
    lists = [module for module in model.modules() if isinstance(module, nn.ModuleList)]
    layers = {id(layer.weight) for blocks in lists for layer in blocks.modules() if _is_matrix(layer)}
    return [p for p in model.parameters() if p.requires_grad and id(p) in layers]


def _is_matrix(layer: nn.Module) -> TypeGuard[nn.Linear | nn.Conv2d | nn.Conv3d]:
    if isinstance(layer, (nn.Conv2d, nn.Conv3d)):
        return layer.groups == 1
    return isinstance(layer, nn.Linear)
