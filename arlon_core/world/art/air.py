"""Clouds, stars, rain and snow: soft shapes on tiles that repeat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arlon_core.world.art.canvas import Canvas, blob, ellipse, stroke

Planes = tuple[NDArray[np.float32], NDArray[np.float32]]


def paint_cloud_strips(scale: float, width: float, height: float) -> list[Planes]:
    """Fair clouds and dense clouds: (alpha, brightness) planes."""
    fair = Canvas(width, height, scale, wrap=True)
    rng = np.random.default_rng(11)
    for index in range(9):
        x = (index + 0.25 + 0.5 * rng.random()) * width / 9
        _cloud(fair, rng, x, rng.uniform(32, 84), rng.uniform(0.6, 1.15))
    dense = Canvas(width, height, scale, wrap=True)
    for row, (y, count, size) in enumerate(((26, 15, 1.7), (52, 14, 1.5), (74, 12, 1.2))):
        for index in range(count):
            x = (index + 0.5 * row + 0.7 * rng.random()) * width / count
            _cloud(dense, rng, x, y + rng.uniform(-8, 8), size * rng.uniform(0.8, 1.2))
    return [_cloud_planes(fair), _cloud_planes(dense)]


def _cloud(canvas: Canvas, rng: np.random.Generator, x: float, y: float, size: float) -> None:
    """A heap of round puffs on a flat base; white paint is the lit side, black the shaded one."""
    puffs = []
    count = int(rng.integers(4, 7))
    for index in range(count):
        across = (index - (count - 1) / 2) / count
        radius = size * (17 - 26 * across * across) * rng.uniform(0.8, 1.15)
        puffs.append((x + across * 84 * size, y - radius * 0.35, radius))
    base = ellipse(x, y + 3 * size, 46 * size, 9 * size)
    canvas.fill(base, "808080", "505050", soft=0.8)
    for px, py, radius in puffs:
        canvas.fill(ellipse(px, py + 1, radius, radius * 0.86), "d8d8d8", "6c6c6c", soft=0.8)
    for px, py, radius in puffs:
        canvas.fill(
            ellipse(px - 1, py - 1.5, radius * 0.82, radius * 0.7), "ffffff", "a0a0a0", soft=1.8, opacity=0.8
        )


def _cloud_planes(canvas: Canvas) -> Planes:
    alpha = canvas.planes[4]
    return alpha, canvas.planes[0] / np.maximum(alpha, 1e-3)


def paint_stars(scale: float, width: float, height: float) -> Planes:
    """Soft round stars of a few pixels, some with a cross of light."""
    canvas = Canvas(width, height, scale, wrap=True)
    rng = np.random.default_rng(5)
    for index in range(150):
        x = (index + rng.random()) * width / 150
        y = height * rng.random() ** 1.2
        bright = rng.random() ** 2
        radius = 0.9 + 0.9 * bright
        canvas.fill(ellipse(x, y, radius * 2.2, radius * 2.2), "ffffff", opacity=0.16, soft=0.7)
        canvas.fill(ellipse(x, y, radius, radius), "ffffff", opacity=0.45 + 0.5 * bright)
        if bright > 0.6:
            for rx, ry in ((5.5, 0.55), (0.55, 5.5)):
                canvas.fill(ellipse(x, y, rx, ry), "ffffff", opacity=0.5)
    return canvas.planes[4], canvas.planes[4]


def paint_falling(scale: float, size: float) -> Planes:
    """A tile, repeating both ways: rain as few big slanted streaks, snow as soft discs."""
    rng = np.random.default_rng(3)
    rain = Canvas(size, size, scale, wrap=True)
    snow = Canvas(size, size, scale, wrap=True)
    for index in range(26):
        x, y = rng.random() * size, (index + 0.7 * rng.random()) * size / 26
        length, opacity = rng.uniform(20, 32), rng.uniform(0.55, 0.9)
        line = blob(
            (x, y), (x - 0.09 * length, y + length / 2), (x - 0.18 * length, y + length), closed=False
        )
        for lift in (-size, 0, size):
            rain.fill(stroke(line + (0, lift), 0.8, 2.7), "ffffff", opacity=opacity, soft=0.4)
    for index in range(44):
        x, y = rng.random() * size, (index + 0.7 * rng.random()) * size / 44
        radius, opacity = rng.uniform(1.7, 3.4), rng.uniform(0.7, 1.0)
        for lift in (-size, 0, size):
            snow.fill(ellipse(x, y + lift, radius, radius), "ffffff", opacity=opacity, soft=0.5)
    return rain.planes[4], snow.planes[4]
