"""The cherry garden: blossom, pagodas, bridges and lanterns."""

from __future__ import annotations

import numpy as np

from arlon_core.world.art.canvas import Canvas, blob, ellipse, polygon, stroke
from arlon_core.world.art.scenery import bush, hills, rock, scattered, tuft, window

PINKS = (("ffc4d6", "f093b4"), ("ffd9e4", "f5a9c4"), ("ffb3cb", "e5829f"))


def garden(far: Canvas, middle: Canvas, near: Canvas, front: Canvas) -> None:
    """Cherry trees in bloom around ponds and pagodas."""
    rng = np.random.default_rng(31)
    _volcano(far, 330, 20)
    _volcano(far, 1010, 34)
    ground = hills(far, 84, (9, 5, 0.2), (5, 11, 1.4))
    far.land(ground, "b7b9dc", "dccbe0")
    ground = hills(middle, 84, (9, 4, 1.0), (5, 9, 0.3))
    for x, y in scattered(middle, rng, 5, ground):
        _pagoda(middle, x, y + 6, rng.uniform(48, 58))
    for x, y in scattered(middle, rng, 40, ground):
        light, dark = PINKS[int(rng.integers(3))]
        bush(middle, x, y + 2, rng.uniform(9, 15), light, dark)
    middle.land(ground, "b8d08c", "9cc48a")
    for x, y in scattered(middle, rng, 26, ground):
        light, dark = PINKS[int(rng.integers(3))]
        bush(middle, x, y + rng.uniform(14, 26), rng.uniform(7, 12), light, dark)
    ground = hills(near, 98, (6, 3, 1.9), (4, 7, 0.9))
    for x, y in scattered(near, rng, 13, ground):
        _cherry(near, rng, x, y + 6, rng.uniform(54, 78))
    near.land(ground, "a6ca7c", "6faf72")
    for x, y in scattered(near, rng, 4, ground):
        near.fill(ellipse(x, y + 30, 74, 14), "8fd0dc", "6db5d2")
        near.fill(ellipse(x - 14, y + 26, 34, 2.2), "ffffff", opacity=0.4)
        near.fill(ellipse(x + 20, y + 34, 26, 1.8), "ffffff", opacity=0.3)
        _bridge(near, x + 4, y + 31, 52)
        for dx in (-58, 52):
            rock(near, x + dx, y + 33, 8, "c3bccb", "948ca6")
    for x, y in scattered(near, rng, 9, ground):
        _stone_lantern(near, x, y + 14, 22)
    for x, y in scattered(near, rng, 90, ground):
        near.fill(ellipse(x, y + rng.uniform(8, 60), 2.0, 1.2), "ffd3e0", opacity=0.9)
    ground = hills(front, 84, (6, 4, 0.3), (3, 9, 1.7))
    for x, y in scattered(front, rng, 44, ground):
        tuft(front, rng, x, y + 6, rng.uniform(12, 19), "86b860", "4f8f58")
    for x, y in scattered(front, rng, 26, ground):
        light, dark = PINKS[int(rng.integers(3))]
        bush(front, x, y + 8, rng.uniform(10, 17), light, dark)
    front.land(ground + 6, "5f9f5c", "356e50", 40)
    for x, y in scattered(front, rng, 50, ground):
        front.fill(ellipse(x, y + rng.uniform(12, 34), 3.2, 1.8, 0.4), "ffc9da")


def _volcano(c: Canvas, x: float, top: float) -> None:
    """A wide, snow-capped cone."""
    cone = blob((x - 220, 120), (x - 90, 82), (x - 30, top + 6), (x - 16, top), (x + 16, top), (x + 30,
        top + 6), (x + 90, 82),
                (x + 220, 120), (x + 200, 170), (x - 200, 170))  # fmt: skip
    c.fill(cone, "9aa6d8", "c9c6e4")
    cap = blob((x - 60, top + 31), (x - 30, top + 2), (x - 16, top - 6), (x + 16, top - 6), (x + 30,
        top + 2), (x + 60, top + 31),
               (x + 36, top + 24), (x + 20, top + 36), (x + 3, top + 25), (x - 17, top + 38), (x - 34,
                   top + 24))  # fmt: skip
    c.fill(cap, "ffffff", "eef0ff", clip=cone)


def _pagoda(c: Canvas, x: float, y: float, size: float) -> None:
    for index in range(4):
        floor = y - size * 0.27 * index
        half = size * (0.34 - 0.055 * index)
        c.fill(polygon((x - half * 0.62, floor - size * 0.27), (x + half * 0.62, floor - size * 0.27),
            (x + half * 0.62, floor + 1),
                       (x - half * 0.62, floor + 1)), "fdf1e3", "e6cfc0")  # fmt: skip
        for dx in (-0.33, 0.0, 0.33):
            window(c, x + dx * half, floor - size * 0.08, half * 0.2, size * 0.09, "b8746a")
        c.fill(blob((x - half * 1.15, floor - size * 0.20), (x - half * 0.6, floor - size * 0.26),
            (x - half * 0.3, floor - size * 0.34),
                    (x + half * 0.3, floor - size * 0.34), (x + half * 0.6, floor - size * 0.26),
                    (x + half * 1.15, floor - size * 0.20),
                    (x, floor - size * 0.18)), "d2685f", "a34650")  # fmt: skip
    c.fill(stroke(polygon((x, y - size * 1.1), (x, y - size * 1.36)), 1.8, 0.8), "b98a4a")


def _cherry(c: Canvas, rng: np.random.Generator, x: float, y: float, size: float) -> None:
    lean = rng.uniform(-0.12, 0.12) * size
    for end_x, end_y in ((lean - size * 0.26, -0.62), (lean + size * 0.24, -0.6), (lean, -0.74)):
        limb = blob((x, y), (x + lean * 0.5, y - size * 0.32), (x + end_x, y + end_y * size), closed=False)
        c.fill(stroke(limb, size * 0.11, size * 0.035), "7b5560", "5e404c")
    puffs = [
        (-0.36, -0.60, 0.19),
        (0.36, -0.58, 0.19),
        (-0.18, -0.80, 0.23),
        (0.2, -0.78, 0.22),
        (0.0, -0.62, 0.22),
        (0.02, -0.95, 0.18),
    ]
    for dx, dy, r in puffs:
        light, dark = PINKS[int(rng.integers(3))]
        c.fill(ellipse(x + lean + dx * size, y + dy * size, r * size, r * size * 0.84), light, dark)
    for dx, dy, r in puffs:
        c.fill(
            ellipse(x + lean + (dx - 0.05) * size, y + (dy - 0.05) * size, r * size * 0.5, r * size * 0.38),
            "fff0f5",
            opacity=0.55,
        )


def _bridge(c: Canvas, x: float, y: float, half: float) -> None:
    arc = blob(
        (x - half, y),
        (x - half * 0.5, y - 15),
        (x, y - 20),
        (x + half * 0.5, y - 15),
        (x + half, y),
        closed=False,
    )
    for index in range(4, len(arc), 6):
        px, py = arc[index]
        c.fill(stroke(polygon((px, py), (px, py - 11)), 2.4), "c4484a")
    c.fill(stroke(arc - (0, 11), 2.6), "e0605a")
    c.fill(stroke(arc, 6), "d4524f")
    c.fill(stroke(arc + (0, 3), 2.2), "9c3640")


def _stone_lantern(c: Canvas, x: float, y: float, size: float) -> None:
    c.light(x, y - size * 0.6, size * 0.9, 0.6)
    c.fill(
        polygon((x - 3, y), (x - 2, y - size * 0.45), (x + 2, y - size * 0.45), (x + 3, y)),
        "b4aebc",
        "8f889c",
    )
    c.fill(
        polygon(
            (x - 5, y - size * 0.45),
            (x + 5, y - size * 0.45),
            (x + 5, y - size * 0.75),
            (x - 5, y - size * 0.75),
        ),
        "c3bdc9",
    )
    window(c, x, y - size * 0.6, 6, 5, "f0d9a0")
    c.fill(blob((x - 8, y - size * 0.72), (x, y - size), (x + 8, y - size * 0.72)), "a7a0b2", "8a8298")
