"""The city: towers far away, tall gabled houses, roofs and lamps."""

from __future__ import annotations

import numpy as np

from arlon_core.world.art.canvas import Canvas, blob, ellipse, polygon, stroke
from arlon_core.world.art.scenery import bush, hills, round_tree, scattered, window

FACADES = (("f7d9a8", "e0b888"), ("f2b8a0", "d9937e"), ("cfe0d2", "a9c4b4"), ("f6e8cf", "dcc6a4"),
    ("c9d3ea", "a6b4d4"),
           ("f3c7c0", "d8a09c"))  # fmt: skip
ROOFS = (("c8594a", "9c4140"), ("5f7394", "465674"), ("a8605a", "7d4448"), ("6f8a80", "516a64"))


def city(far: Canvas, middle: Canvas, near: Canvas, front: Canvas) -> None:
    """A skyline over the roofs of an old town."""
    rng = np.random.default_rng(51)
    _skyline(far, rng, 70, 30, 64, "a9bbd8", "c6d3e2", 0.35)
    far.land(hills(far, 92, (2, 5, 0.4)), "c0cee0", "d4dee8")
    x = 0.0
    while x < middle.width - 20:
        width = min(rng.uniform(26, 40), middle.width - x)
        _town_house(middle, rng, x, width, 128, rng.uniform(40, 66))
        x += width
    for tower in (210, 660, 1090):
        _church(middle, tower, 126, 92)
    middle.land(hills(middle, 118, (2, 4, 0.5)), "b9b0b8", "a59ca8")
    ground = hills(near, 104, (3, 3, 0.5), (2, 7, 1.0))
    x = 8.0
    while x < near.width - 60:
        width = rng.uniform(44, 62)
        if rng.random() < 0.66:
            _town_house(near, rng, x, width, 150, rng.uniform(52, 76))
        else:
            for dx in (0.25, 0.75):
                round_tree(near, x + dx * width, 124, rng.uniform(34, 44), "86b866", "5a9058")
        x += width + rng.uniform(2, 14)
    near.land(ground + 18, "c9bcb4", "a2949c", 40)
    for x0, y in scattered(near, rng, 26, ground):
        bush(near, x0, y + 21, rng.uniform(6, 9), "8fbf6c", "5f9a5c")
    ground = hills(front, 92, (1.5, 4, 0.9))
    for x0, y in scattered(front, rng, 10, ground, 0.3):
        _street_lamp(front, x0, y + 8, 58)
    for x0, y in scattered(front, rng, 13, ground):
        bush(front, x0, y + 6, rng.uniform(11, 16), "6a9f5c", "3f7350")
    front.land(ground, "8f7f8a", "5f5168", 34)
    for index in range(64):
        x0 = index * front.width / 64
        front.fill(polygon((x0, 92), (x0 + 17, 92), (x0 + 17, 97), (x0, 97)), "b5a4a8", "9a8892")


def _skyline(
    c: Canvas, rng: np.random.Generator, count: int, low: float, high: float, light: str, to: str, lit: float
) -> None:
    for index in range(count):
        x = (index + 0.6 * rng.random()) * c.width / count
        half, tall = rng.uniform(8, 15), rng.uniform(low, high) * (0.6 + 0.4 * np.sin(index * 0.45) ** 2)
        y = 110.0
        c.fill(
            polygon((x - half, y), (x - half, y - tall - 18), (x + half, y - tall - 18), (x + half, y)),
            light,
            to,
        )
        if rng.random() < 0.35:
            c.fill(
                polygon((x - half * 0.6, y - tall - 17), (x, y - tall - 36), (x + half * 0.6, y - tall - 17)),
                light,
            )
        for row in range(int(tall / 9)):
            for column in (-0.5, 0.05, 0.6):
                if rng.random() < lit:
                    window(c, x + column * half, y - tall - 10 + 9 * row, 3, 4, "bccbe0")


def _town_house(c: Canvas, rng: np.random.Generator, x: float, width: float, y: float, tall: float) -> None:
    wall, wall_dark = FACADES[int(rng.integers(len(FACADES)))]
    roof, roof_dark = ROOFS[int(rng.integers(len(ROOFS)))]
    top, right = y - tall, x + width
    peak = top - width * rng.uniform(0.4, 0.6)
    style = int(rng.integers(3))
    c.fill(
        polygon(
            (x + width * 0.68, peak - 4),
            (x + width * 0.8, peak - 4),
            (x + width * 0.8, top),
            (x + width * 0.68, top),
        ),
        roof_dark,
    )
    if style == 0:
        c.fill(polygon((x - 1, top + 2), (x + width / 2, peak), (right + 1, top + 2)), roof, roof_dark)
        c.fill(polygon((x, top + 1), (right, top + 1), (right, y), (x, y)), wall, wall_dark)
    elif style == 1:
        gable = polygon((x, y), (x, top), (x + width * 0.18, top), (x + width * 0.18, top - 7),
            (x + width * 0.34, top - 7),
                        (x + width * 0.34, peak), (x + width * 0.66, peak), (x + width * 0.66,
                            top - 7), (x + width * 0.82, top - 7),
                        (x + width * 0.82, top), (right, top), (right, y))  # fmt: skip
        c.fill(gable, wall, wall_dark)
        window(c, x + width / 2, (peak + top) / 2 + 1, width * 0.13, width * 0.16)
    else:
        c.fill(polygon((x, top + 1), (right, top + 1), (right, y), (x, y)), wall, wall_dark)
        c.fill(
            polygon(
                (x - 2, top + 2),
                (x + width * 0.14, peak + 3),
                (right - width * 0.14, peak + 3),
                (right + 2, top + 2),
            ),
            roof,
            roof_dark,
        )
        c.fill(polygon((x + width * 0.38, top), (x + width * 0.5, peak + 4), (x + width * 0.62, top)), wall)
    columns = 3 if width > 34 else 2
    for row in range(int(tall / (width * 0.36)) + 1):
        for column in range(columns):
            px, py = x + width * (column + 0.5) / columns, top + width * (0.18 + 0.36 * row)
            if py < y - 6:
                c.fill(polygon((px - width * 0.085, py - width * 0.12), (px + width * 0.085,
                    py - width * 0.12),
                               (px + width * 0.085, py + width * 0.12), (px - width * 0.085,
                                   py + width * 0.12)), "fff6ea")  # fmt: skip
                if rng.random() < 0.62:
                    window(c, px, py, width * 0.12, width * 0.19)
                else:
                    c.fill(ellipse(px, py, width * 0.06, width * 0.095), "7f95a8")


def _church(c: Canvas, x: float, y: float, size: float) -> None:
    c.fill(
        polygon((x - 9, y), (x - 9, y - size * 0.8), (x + 9, y - size * 0.8), (x + 9, y)), "efe0cc", "cdb9a8"
    )
    c.fill(
        polygon((x - 12, y - size * 0.78), (x, y - size * 1.28), (x + 12, y - size * 0.78)),
        "6fa398",
        "4d7f7a",
    )
    c.fill(ellipse(x, y - size * 0.66, 5.4, 5.4), "fffaf0", glow=0.8)
    c.fill(stroke(polygon((x, y - size * 0.66), (x, y - size * 0.7)), 1.2), "5a4a50")
    c.fill(stroke(polygon((x, y - size * 0.66), (x + 3, y - size * 0.66)), 1.2), "5a4a50")


def _street_lamp(c: Canvas, x: float, y: float, size: float) -> None:
    c.light(x, y - size, 30, 0.9)
    c.fill(stroke(polygon((x, y), (x, y - size * 0.86)), 3.6, 2.4), "4a4258")
    c.fill(blob((x - 5, y + 1), (x - 3, y - 8), (x + 3, y - 8), (x + 5, y + 1)), "4a4258")
    c.fill(
        polygon(
            (x - 4, y - size * 0.86),
            (x + 4, y - size * 0.86),
            (x + 6, y - size * 1.06),
            (x - 6, y - size * 1.06),
        ),
        "fff0c4",
        glow=1.0,
    )
    c.fill(blob((x - 7, y - size * 1.05), (x, y - size * 1.2), (x + 7, y - size * 1.05)), "4a4258")
