"""The city: towers far away, tall gabled houses, roofs and lamps."""

from __future__ import annotations

import numpy as np

from arlon_core.world.art.canvas import Canvas, blob, ellipse, polygon, rectangle, stroke
from arlon_core.world.art.scenery import bush, hills, round_tree, scattered, window

FACADES = (("f7d9a8", "e0b888"), ("f2b8a0", "d9937e"), ("cfe0d2", "a9c4b4"), ("f6e8cf", "dcc6a4"),
    ("c9d3ea", "a6b4d4"),
           ("f3c7c0", "d8a09c"))  # fmt: skip
ROOFS = (("c8594a", "9c4140"), ("5f7394", "465674"), ("a8605a", "7d4448"), ("6f8a80", "516a64"))


def city(far: Canvas, middle: Canvas, near: Canvas, front: Canvas) -> None:
    """A skyline over the roofs of an old town.

    Few and large houses: rows of small ones were lost in the VQ-VAE, a token of which is 64 pixels wide.
    """
    rng = np.random.default_rng(51)
    _skyline(far, rng, 40, 30, 64)
    far.land(hills(far, 92, (2, 5, 0.4)), "c0cee0", "d4dee8")
    x = 0.0
    while x < middle.width - 30:
        width = min(rng.uniform(56, 76), middle.width - x)
        _town_house(middle, rng, x, width, 128, rng.uniform(46, 72))
        x += width
    for tower in (210, 660, 1090):
        _church(middle, tower, 126, 92)
    middle.land(hills(middle, 118, (2, 4, 0.5)), "b9b0b8", "a59ca8")
    ground = hills(near, 104, (3, 3, 0.5), (2, 7, 1.0))
    x = 8.0
    while x < near.width - 100:
        width = rng.uniform(88, 104)
        _town_house(near, rng, x, width, 150, rng.uniform(60, 80))
        x += width + 12
        if rng.random() < 0.5 and x < near.width - 60:
            round_tree(near, x + 22, 126, rng.uniform(48, 58), "86b866", "5a9058")
            x += 44
    near.land(ground + 18, "c9bcb4", "a2949c", 40)
    for x0, y in scattered(near, rng, 14, ground):
        bush(near, x0, y + 21, rng.uniform(9, 12), "8fbf6c", "5f9a5c")
    ground = hills(front, 92, (1.5, 4, 0.9))
    for x0, y in scattered(front, rng, 7, ground, 0.3):
        _street_lamp(front, x0, y + 8, 66)
    front.land(ground, "8f7f8a", "5f5168", 34)
    for index in range(32):
        x0 = index * front.width / 32
        front.fill(polygon((x0, 92), (x0 + 37, 92), (x0 + 37, 97), (x0, 97)), "b5a4a8", "9a8892")


def _skyline(c: Canvas, rng: np.random.Generator, count: int, low: float, high: float) -> None:
    """Towers in the haze, some with a spire."""
    for index in range(count):
        x = (index + 0.6 * rng.random()) * c.width / count
        half, tall = rng.uniform(14, 24), rng.uniform(low, high) * (0.6 + 0.4 * np.sin(index * 0.8) ** 2)
        y, top = 110.0, 92.0 - tall
        c.fill(polygon((x - half, y), (x - half, top), (x + half, top), (x + half, y)), "a9bbd8", "c6d3e2")
        if rng.random() < 0.35:
            c.fill(polygon((x - half * 0.6, top + 1), (x, top - 24), (x + half * 0.6, top + 1)), "a9bbd8")


def _town_house(c: Canvas, rng: np.random.Generator, x: float, width: float, y: float, tall: float) -> None:
    wall, wall_dark = FACADES[int(rng.integers(len(FACADES)))]
    roof, roof_dark = ROOFS[int(rng.integers(len(ROOFS)))]
    top, right = y - tall, x + width
    peak = top - width * rng.uniform(0.4, 0.6)
    style = int(rng.integers(3))
    if style != 1:  # behind a stepped gable a chimney would stand in the air
        chimney = (x + width * 0.68, x + width * 0.8)
        c.fill(
            polygon((chimney[0], peak - 4), (chimney[1], peak - 4), (chimney[1], top), (chimney[0], top)),
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
    for row in range(int((tall - width * 0.1) / (width * 0.4))):
        for column in (0.28, 0.72):
            px, py = x + width * column, top + width * (0.24 + 0.4 * row)
            frame, pane = (width * 0.11, width * 0.15), (width * 0.08, width * 0.12)
            c.fill(rectangle(px, py, *frame), "fff6ea")
            if rng.random() < 0.7:
                window(c, px, py, 2 * pane[0], 2 * pane[1])
            else:
                c.fill(rectangle(px, py, *pane), "7f95a8")


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
