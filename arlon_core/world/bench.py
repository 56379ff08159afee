"""How fast Storyworld is drawn."""

from __future__ import annotations

import time

import torch

from arlon_core.world.renderer import StoryworldRenderer
from arlon_core.world.script import sample_script


def measure_drawing(device: str = "cuda", compile: bool = True, batch: int = 16, frames: int = 61) -> float:
    """Frames a second at 256x448, scripts and captions included, after two warm-up rounds."""
    renderer = StoryworldRenderer(device=device, compile=compile)
    rounds, seed = (1, 0) if device == "cpu" else (8, 0)

    def draw() -> None:
        nonlocal seed
        scripts = [sample_script(number, frames) for number in range(seed, seed + batch)]
        seed += batch
        renderer.render(scripts)

    for _ in range(1 if device == "cpu" else 2):
        draw()
    _wait(device)
    begun = time.perf_counter()
    for _ in range(rounds):
        draw()
    _wait(device)
    return rounds * batch * frames / (time.perf_counter() - begun)


def _wait(device: str) -> None:
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize()
