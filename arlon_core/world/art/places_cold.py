"""The mountains and the polar ice."""

from __future__ import annotations

import numpy as np

from arlon_core.world.art.canvas import Array, Canvas, blob, ellipse, polygon, stroke
from arlon_core.world.art.scenery import fir, flower, hills, house, ridge, rock, scattered, tuft


def mountains(far: Canvas, middle: Canvas, near: Canvas, front: Canvas) -> None:
    """Two snowy ranges above alpine pastures with huts and firs."""
    rng = np.random.default_rng(61)
    _range(far, rng, 9, 34, 62, 96, ("a9b9de", "c9d3ea"), ("ffffff", "e9effc"), ("93a5d0", "b4c2e0"))
    _range(middle, rng, 10, 30, 60, 100, ("7f92b8", "9fb2c4"), ("ffffff", "e3ecfa"), ("65789f", "8b9fb4"))
    ground = hills(middle, 98, (7, 4, 1.3), (4, 9, 0.2))
    for x, y in scattered(middle, rng, 90, ground):
        fir(middle, x, y + 5, rng.uniform(13, 22), "5f957f", "437a6c")
    middle.land(ground, "86b678", "a5c98a")
    ground = hills(near, 94, (11, 3, 0.3), (5, 7, 2.3))
    for x, y in scattered(near, rng, 24, ground):
        fir(near, x, y + 6, rng.uniform(34, 56), "46866a", "2e6656")
    near.land(ground, "8cc468", "5a9b58")
    for x, y in scattered(near, rng, 5, ground):
        house(near, x, y + 13, 24, "e6c49c", "8a5644", "694036")
    for x, y in scattered(near, rng, 12, ground):
        fir(near, x, y + rng.uniform(18, 34), rng.uniform(30, 42), "3f7d5f", "2b6050")
    for x, y in scattered(near, rng, 12, ground):
        rock(near, x, y + rng.uniform(16, 46), rng.uniform(5, 9), "b9bccb", "8a8fa6")
    for x, y in scattered(near, rng, 8, ground):
        _sheep(near, x, y + rng.uniform(14, 34), 7)
    ground = hills(front, 84, (7, 4, 1.4), (4, 7, 0.3))
    for x, y in scattered(front, rng, 12, ground):
        rock(front, x, y + 8, rng.uniform(11, 19), "9aa0b6", "666c88")
    for x, y in scattered(front, rng, 40, ground):
        tuft(front, rng, x, y + 6, rng.uniform(11, 17), "6fae58", "3d7f4c")
    for x, y in scattered(front, rng, 24, ground):
        petal = ("8f9bea", "fff8ee", "ffd35c")[int(rng.integers(3))]
        flower(front, x, y + 5, rng.uniform(8, 11), petal, "ffe9a0", "4f9450")
    front.land(ground + 5, "4d8f4e", "2b6046", 40)


def _range(
    c: Canvas, rng: np.random.Generator, count: int, low: float, high: float, base: float,
    body: tuple[str, str], snow: tuple[str, str], shadow: tuple[str, str],
) -> None:  # fmt: skip
    """A row of peaks with snow caps and a shaded flank."""
    heights, summits = ridge(c, rng, count, low, high, base)
    c.land(heights, *body, depth=80)
    for x, y in summits:
        flank = _under(c, heights, x, x + 64)
        c.fill(
            polygon(
                (x, y), *flank, (x + 46, base + 44), (x + 8, base + 30), (x + 14, y + 38), (x + 3, y + 22)
            ),
            *shadow,
            opacity=0.75,
        )
        depth = (base - y) * 0.42
        left, right = _under(c, heights, x, x - depth * 0.9)[::-1], _under(c, heights, x, x + depth * 0.9)
        edge = [
            (x + depth * f, y + depth * g)
            for f, g in ((0.55, 1.0), (0.3, 0.72), (0.08, 1.12), (-0.2, 0.74), (-0.5, 1.02))
        ]
        cap = polygon(*left, (x, y), *right, *edge)
        c.fill(cap, *snow)
        c.fill(polygon((x, y), *right, *edge[:3], (x + 4, y + depth * 0.5)), "c3d0ee", opacity=0.55, clip=cap)


def _under(c: Canvas, heights: Array, start: float, stop: float) -> list[tuple[float, float]]:
    """Points of the ridge line from start (exclusive) to stop."""
    xs = np.linspace(start, stop, 12)[1:]
    return [
        (float(x), float(y))
        for x, y in zip(xs, np.interp(xs, c.x_axis(), heights, period=c.width), strict=True)
    ]


def _sheep(c: Canvas, x: float, y: float, size: float) -> None:
    for dx in (-0.5, 0.45):
        c.fill(stroke(polygon((x + dx * size, y), (x + dx * size, y - size * 0.5)), size * 0.2), "4a4250")
    for dx, dy, r in ((-0.5, -0.75, 0.48), (0.4, -0.75, 0.48), (0.0, -0.95, 0.55), (0.0, -0.6, 0.5)):
        c.fill(ellipse(x + dx * size, y + dy * size, r * size, r * size), "fffaf2", "e4dcd8")
    c.fill(ellipse(x + size, y - size * 0.85, size * 0.34, size * 0.4), "4a4250")


def ice(far: Canvas, middle: Canvas, near: Canvas, front: Canvas) -> None:
    """Icebergs in a still sea, snowfields with igloos and penguins."""
    rng = np.random.default_rng(62)
    sea = np.full(far.columns, 88.0, np.float32)
    for index in range(9):
        _iceberg(
            far,
            rng,
            (index + 0.6 * rng.random()) * far.width / 9,
            92,
            rng.uniform(26, 46),
            "d8e8f6",
            "b9d3ec",
        )
    far.land(sea, "8fc3dc", "7db4d4", 50)
    water = hills(middle, 96, (1.5, 9, 0.2))
    for index in range(6):
        _iceberg(
            middle,
            rng,
            (index + 0.6 * rng.random()) * middle.width / 6,
            104,
            rng.uniform(38, 64),
            "eaf5fd",
            "a9d0ea",
        )
    middle.land(water, "6fb4d6", "5aa0c8", 40)
    for x, y in scattered(middle, rng, 40, water):
        middle.fill(ellipse(x, y + rng.uniform(4, 26), rng.uniform(9, 22), 2.2), "f4fbff", opacity=0.8)
    ground = hills(near, 98, (7, 3, 0.6), (4, 8, 1.2))
    for x, y in scattered(near, rng, 5, ground):
        _iceberg(near, rng, x, y + 9, rng.uniform(26, 36), "f2faff", "b4d6ee")
    near.land(ground, "fbfdff", "cfe2f2", 56)
    for x, y in scattered(near, rng, 9, ground):
        near.fill(
            blob((x - 60, y + 26), (x, y + 16), (x + 66, y + 27), (x + 10, y + 36)),
            "bcd6ec",
            opacity=0.55,
            soft=2.4,
        )
    for x, y in scattered(near, rng, 4, ground):
        _igloo(near, x, y + 16, 27)
        _flag(near, x + 42, y + 15, 30)
    for x, y in scattered(near, rng, 18, ground):
        _penguin(near, x, y + rng.uniform(16, 40), rng.uniform(13, 18))
    ground = hills(front, 86, (8, 4, 1.9), (4, 7, 0.8))
    for x, y in scattered(front, rng, 14, ground):
        _shard(front, x, y + 10, rng.uniform(18, 32))
    for x, y in scattered(front, rng, 7, ground):
        fir(front, x, y + 9, rng.uniform(34, 46), "5f9490", "3f716f", snow=True)
    front.land(ground, "eef6fd", "a9c6e2", 44)
    for x, y in scattered(front, rng, 9, ground):
        front.fill(
            blob((x - 44, y + 22), (x, y + 10), (x + 50, y + 22), (x, y + 28)), "c4daee", opacity=0.6, soft=2
        )


def _iceberg(
    c: Canvas, rng: np.random.Generator, x: float, y: float, size: float, light: str, dark: str
) -> None:
    wide, lean = size * rng.uniform(0.8, 1.2), rng.uniform(-0.2, 0.2) * size
    left, right = (x - wide, y), (x + wide, y)
    peak, shoulder, step = (
        (x + lean, y - size),
        (x + wide * 0.55, y - size * 0.62),
        (x - wide * 0.6, y - size * 0.5),
    )
    c.fill(
        polygon(
            left,
            step,
            (x - wide * 0.3, y - size * 0.58),
            peak,
            (x + lean + wide * 0.24, y - size * 0.86),
            shoulder,
            right,
        ),
        light,
        dark,
    )
    c.fill(polygon(peak, (x + lean + wide * 0.24, y - size * 0.86), shoulder, right, (x + wide * 0.3,
        y), (x + lean + wide * 0.1, y - size * 0.4)),
           "9cc6e6", opacity=0.6)  # fmt: skip
    c.fill(polygon(step, (x - wide * 0.3, y - size * 0.58), (x - wide * 0.36, y - size * 0.2),
        (x - wide * 0.7, y - size * 0.12)), "ffffff",
           opacity=0.5)  # fmt: skip


def _igloo(c: Canvas, x: float, y: float, size: float) -> None:
    dome = ellipse(x, y, size, size * 0.84, 0, (0.5, 1.0))
    c.fill(dome, "ffffff", "c4dcf0")
    for part in (0.28, 0.55):
        line = ellipse(x, y - size * part, size * np.sqrt(1 - (part / 0.84) ** 2), size * 0.07, 0, (0.0, 0.5))
        c.fill(stroke(line, 1.3), "a3c3de", opacity=0.8, clip=dome)
    for dx in (-0.55, -0.1, 0.45):
        c.fill(
            stroke(polygon((x + dx * size, y - size * 0.3), (x + dx * size, y - size * 0.52)), 1.3),
            "a3c3de",
            opacity=0.8,
            clip=dome,
        )
    c.fill(ellipse(x + size * 0.62, y, size * 0.4, size * 0.46, 0, (0.5, 1.0)), "f2f9ff", "b9d4ea")
    c.fill(ellipse(x + size * 0.66, y, size * 0.26, size * 0.33, 0, (0.5, 1.0)), "5b7a9c", glow=1.0)
    c.light(x + size * 0.66, y - 3, size * 0.8, 0.6)


def _flag(c: Canvas, x: float, y: float, size: float) -> None:
    c.fill(stroke(polygon((x, y), (x, y - size)), 1.8), "8a6a54")
    c.fill(blob((x, y - size), (x + size * 0.3, y - size * 0.9), (x + size * 0.58, y - size * 0.92),
        (x + size * 0.56, y - size * 0.66),
                (x + size * 0.3, y - size * 0.64), (x, y - size * 0.66)), "f0695c", "c84a4a")  # fmt: skip


def _penguin(c: Canvas, x: float, y: float, size: float) -> None:
    for dx in (-0.14, 0.14):
        c.fill(ellipse(x + dx * size, y, size * 0.13, size * 0.07), "f2a93b")
    body = blob((x - size * 0.3, y - size * 0.3), (x - size * 0.2, y - size * 0.78), (x, y - size),
        (x + size * 0.2, y - size * 0.78),
                (x + size * 0.3, y - size * 0.3), (x, y))  # fmt: skip
    c.fill(body, "4a5470", "363e58")
    c.fill(
        blob(
            (x - size * 0.17, y - size * 0.3),
            (x, y - size * 0.68),
            (x + size * 0.17, y - size * 0.3),
            (x, y - size * 0.04),
        ),
        "fffaf2",
        "e6e4ea",
    )
    c.fill(
        polygon(
            (x + size * 0.08, y - size * 0.82),
            (x + size * 0.3, y - size * 0.76),
            (x + size * 0.08, y - size * 0.72),
        ),
        "f2a93b",
    )
    c.fill(ellipse(x + size * 0.06, y - size * 0.86, size * 0.05, size * 0.05), "ffffff")


def _shard(c: Canvas, x: float, y: float, size: float) -> None:
    for dx, tall, half in ((-0.5, 0.6, 0.22), (0.42, 0.72, 0.24), (0.0, 1.0, 0.3)):
        foot = x + dx * size
        c.fill(polygon((foot - half * size, y), (foot - half * size * 0.4, y - tall * size),
            (foot + half * size * 0.3, y - tall * size * 0.86),
                       (foot + half * size, y)), "e4f3fd", "94c2e2")  # fmt: skip
        c.fill(polygon((foot + half * size * 0.3, y - tall * size * 0.86), (foot + half * size, y),
            (foot + half * size * 0.2, y)), "6fa8d2",
               opacity=0.5)  # fmt: skip
