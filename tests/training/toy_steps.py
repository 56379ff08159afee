"""A few optimiser steps without the trainer, for laws about a stage's loss."""

from __future__ import annotations

import torch

from arlon_core.training.stage import Stage


def take_steps(stage: Stage, count: int, learning_rate: float) -> None:
    """Train a stage's model on its own batches, and leave it in evaluation mode."""
    optimizer = torch.optim.AdamW(stage.model.parameters(), lr=learning_rate)
    stage.model.train()
    for step in range(count):
        loss = stage.loss(stage.model, stage.batch(step))["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    stage.model.eval()
