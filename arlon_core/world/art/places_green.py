"""The meadow and the forest."""

from __future__ import annotations

import numpy as np

from arlon_core.world.art.canvas import Canvas, blob, ellipse, polygon, stroke
from arlon_core.world.art.scenery import (
    bush,
    fields,
    fir,
    flower,
    hills,
    house,
    poplar,
    round_tree,
    scattered,
    tuft,
    tulip,
    windmill,
)  # fmt: skip

WALLS = ("fff1dc", "f9dcc0", "f4e6c8", "ffe4d6")


def meadow(far: Canvas, middle: Canvas, near: Canvas, front: Canvas) -> None:
    """Rolling farmland with windmills, hedges and a flowery foreground."""
    rng = np.random.default_rng(21)
    far.land(hills(far, 74, (15, 4, 0.3), (8, 9, 1.0), (3, 21, 2.0)), "a3c0dc", "c4d9e4", 70)
    ground = hills(far, 88, (8, 5, 2.1), (5, 11, 0.4))
    far.land(ground, "a9cdb4", "c9e0bc")
    for x, y in scattered(far, rng, 46, ground):
        bush(far, x, y + 2, rng.uniform(4, 7), "93bda4", "a5c9ac")
    ground = hills(middle, 80, (11, 4, 1.3), (5, 9, 2.0))
    middle.land(ground, "a4cf74", "7fb565")
    fields(middle, rng, ground, ("dcd77a", "b9d977", "8fc46c", "e8c873", "c7dd86"), 15)
    for x, y in scattered(middle, rng, 30, ground):
        round_tree(middle, x, y + rng.uniform(2, 16), rng.uniform(12, 19), "6fae5e", "4c8c52")
    for x, y in scattered(middle, rng, 7, ground):
        house(middle, x, y + 9, rng.uniform(15, 18), WALLS[int(rng.integers(4))], "d9694f", "b14d3f")
        poplar(middle, x + 16, y + 9, 27, "7db663", "4f8f55")
    for x, y in scattered(middle, rng, 3, ground):
        windmill(middle, x, y + 5, 38, rng.uniform(0, 1.5))
    ground = hills(near, 92, (9, 3, 2.3), (5, 7, 0.4))
    for x, y in scattered(near, rng, 9, ground):
        round_tree(near, x, y + 3, rng.uniform(34, 46), "7cba58", "4d9150")
    near.land(ground, "94c95a", "5fa24e")
    for x, y in scattered(near, rng, 4, ground):
        path = np.stack(
            [np.linspace(x, x - 40, 12) + 7 * np.sin(np.linspace(0, 5, 12)), np.linspace(y, y + 75, 12)], 1
        )
        near.fill(stroke(path, 4, 26), "eadca0", "e0c98a", soft=0.6)
    for x, y in scattered(near, rng, 5, ground):
        _haystack(near, x, y + 12, 13)
    for x, y in scattered(near, rng, 30, ground):
        bush(near, x, y + rng.uniform(6, 40), rng.uniform(5, 8), "7fbb52", "5a9c4a")
    for x, y in scattered(near, rng, 60, ground):
        colour = ("ffffff", "ffe17a", "ff9f8f")[int(rng.integers(3))]
        near.fill(ellipse(x, y + rng.uniform(10, 50), 1.7, 1.4), colour, opacity=0.9)
    ground = hills(front, 80, (7, 4, 0.9), (3, 9, 2.7))
    for x, y in scattered(front, rng, 62, ground):
        tuft(front, rng, x, y + 4, rng.uniform(14, 22), "6fb04a", "3f8145")
    for x, y in scattered(front, rng, 30, ground):
        petal, heart = (
            ("ff7a6b", "5a3040"),
            ("fff6ee", "ffc94d"),
            ("ffd34f", "d98a2c"),
            ("b48be0", "fff0b0"),
        )[int(rng.integers(4))]
        flower(front, x, y + 3, rng.uniform(9, 13), petal, heart, "4f9447")
    for x, y in scattered(front, rng, 14, ground):
        tulip(front, x, y + 4, rng.uniform(12, 15), "ff8f7a", "e0584f", "4f9447")
    front.land(ground + 3, "4f9447", "2f6b40", 40)


def _haystack(c: Canvas, x: float, y: float, size: float) -> None:
    c.fill(blob((x - size, y), (x - size * 0.8, y - size * 0.9), (x, y - size * 1.35), (x + size * 0.8,
        y - size * 0.9),
                (x + size, y)), "f4d57a", "c99a48")  # fmt: skip
    c.fill(stroke(blob((x - size * 0.7, y - size * 0.4), (x, y - size * 0.2), (x + size * 0.7,
        y - size * 0.4), closed=False),
                  1.4), "b98a40", opacity=0.6)  # fmt: skip


def forest(far: Canvas, middle: Canvas, near: Canvas, front: Canvas) -> None:
    """Ranks of firs and birches, ferns and mushrooms."""
    rng = np.random.default_rng(22)
    ground = hills(far, 74, (13, 3, 0.8), (7, 8, 2.2))
    for x, y in scattered(far, rng, 150, ground):
        fir(far, x, y + 6, rng.uniform(16, 28), "8fb3b4", "a2c2bd")
    far.land(ground + 2, "9dbfba", "bdd6c8")
    ground = hills(middle, 84, (9, 4, 2.0), (5, 9, 0.7))
    for x, y in scattered(middle, rng, 84, ground):
        fir(middle, x, y + 5, rng.uniform(34, 58), "5b9a80", "3f7d6c")
    middle.land(ground, "6aa578", "82b784")
    for x, y in scattered(middle, rng, 46, ground):
        fir(middle, x, y + rng.uniform(14, 26), rng.uniform(26, 40), "4f8f70", "3a7560")
    ground = hills(near, 98, (7, 3, 0.4), (4, 8, 1.9))
    for x, y in scattered(near, rng, 12, ground):
        _birch(near, rng, x, y + 8, rng.uniform(62, 80))
    for x, y in scattered(near, rng, 22, ground):
        fir(near, x, y + 6, rng.uniform(48, 76), "3f8460", "285f4c")
    near.land(ground, "5f9f58", "3a7348")
    for x, y in scattered(near, rng, 4, ground):
        _cabin(near, x, y + 12, 26)
    for x, y in scattered(near, rng, 34, ground):
        bush(near, x, y + rng.uniform(6, 34), rng.uniform(6, 10), "6fae58", "437f48")
    ground = hills(front, 82, (6, 4, 2.9), (3, 7, 0.7))
    for x, y in scattered(front, rng, 34, ground):
        _fern(front, x, y + 6, rng.uniform(24, 34))
    for x, y in scattered(front, rng, 22, ground):
        _mushroom(front, x, y + 6, rng.uniform(10, 16), "e2574c" if rng.random() < 0.7 else "e8a14a")
    front.land(ground + 4, "3a7346", "1f4c3a", 40)
    for x, y in scattered(front, rng, 40, ground):
        tuft(front, rng, x, y + 9, rng.uniform(9, 13), "5a9a4e", "2f6a42")


def _birch(c: Canvas, rng: np.random.Generator, x: float, y: float, size: float) -> None:
    trunk = stroke(polygon((x, y), (x + 2, y - size * 0.9)), size * 0.085, size * 0.05)
    c.fill(trunk, "f7f2ea", "e0d8cc")
    for index in range(6):
        c.fill(
            ellipse(x + (index % 2) * 3 - 1.5, y - size * (0.1 + 0.11 * index), 2.6, 0.9),
            "5a5048",
            clip=trunk,
        )
    for dx, dy, r in ((-0.16, -0.66, 0.17), (0.19, -0.62, 0.18), (-0.05, -0.84, 0.21), (0.12, -0.94, 0.16)):
        c.fill(ellipse(x + dx * size, y + dy * size, r * size, r * size * 0.8), "b5cf5a", "82ad4c")


def _cabin(c: Canvas, x: float, y: float, size: float) -> None:
    house(c, x, y, size, "b07a4e", "6f4a3a", "56382e")
    for part in (0.2, 0.4, 0.6):
        c.fill(stroke(polygon((x - size * 0.5, y - size * part * 0.8), (x + size * 0.5,
            y - size * part * 0.8)), 0.8), "8a5c3a",
               opacity=0.6)  # fmt: skip


def _fern(c: Canvas, x: float, y: float, size: float) -> None:
    for lean in (-0.9, -0.45, 0.0, 0.45, 0.9):
        leaf = blob((x, y), (x + lean * size * 0.4, y - size * 0.62), (x + lean * size,
            y - size * (0.95 - 0.35 * abs(lean))),
                    closed=False)  # fmt: skip
        c.fill(stroke(leaf, size * 0.17, 0.6), "5fa556", "2f6e44")
        c.fill(stroke(leaf, size * 0.035, 0.3), "8cc56a", opacity=0.8)


def _mushroom(c: Canvas, x: float, y: float, size: float, cap: str) -> None:
    c.fill(blob((x - size * 0.2, y - size * 0.7), (x + size * 0.2, y - size * 0.7), (x + size * 0.3,
        y + 2), (x - size * 0.3, y + 2)),
           "fff4e0", "dcc6a8")  # fmt: skip
    top = blob((x - size * 0.75, y - size * 0.62), (x - size * 0.5, y - size * 1.15), (x, y - size * 1.38),
               (x + size * 0.5, y - size * 1.15), (x + size * 0.75, y - size * 0.62), (x,
                   y - size * 0.55))  # fmt: skip
    c.fill(top, cap, "a8343c")
    for dx, dy, r in ((-0.3, -0.95, 0.13), (0.12, -1.1, 0.15), (0.4, -0.82, 0.1)):
        c.fill(ellipse(x + dx * size, y + dy * size, r * size, r * size * 0.85), "fff8ee")
