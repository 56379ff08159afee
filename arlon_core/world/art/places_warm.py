"""The sea and the desert."""

from __future__ import annotations

import numpy as np

from arlon_core.world.art.canvas import Array, Canvas, blob, ellipse, polygon, stroke
from arlon_core.world.art.scenery import hills, rock, round_tree, scattered, window


def sea(far: Canvas, middle: Canvas, near: Canvas, front: Canvas) -> None:
    """Islands, lighthouses, boats and rows of waves."""
    rng = np.random.default_rng(41)
    horizon = np.full(far.columns, 84.0, np.float32)
    for x, half, tall in ((120.0, 120.0, 26.0), (430, 70, 17), (760, 150, 32), (1080, 90, 20)):
        far.fill(blob((x - half, 92), (x - half * 0.5, 84 - tall * 0.5), (x - half * 0.1, 84 - tall),
            (x + half * 0.3, 84 - tall * 0.7),
                      (x + half * 0.6, 84 - tall * 0.5), (x + half, 92)), "96b4c8", "b9d3d0")  # fmt: skip
    far.land(horizon, "74b9d6", "5ba6cf", 60)
    for x, y in scattered(far, rng, 70, horizon):
        far.fill(ellipse(x, y + rng.uniform(3, 24), rng.uniform(8, 20), 0.9), "ffffff", opacity=0.35)
    water = _swell(middle, 92, 3.0, 24)
    for x, y in scattered(middle, rng, 3, water):
        _island(middle, x, y + 2, 74)
    for x, y in scattered(middle, rng, 6, water):
        _boat(middle, x, y + 4, rng.uniform(22, 30), ("ff8a70", "ffffff", "ffd166")[int(rng.integers(3))])
    _waves(middle, rng, water, "58aed4", "3c8fc2", "d9f4fa")
    water = _swell(near, 94, 4.2, 18)
    for x, y in scattered(near, rng, 3, water):
        for dx, size in ((0, 17), (19, 11), (-17, 9)):
            rock(near, x + dx, y + 4, size, "8f8aa0", "5f5a78")
    _waves(near, rng, water, "3f9acb", "2a74ab", "e4f8fb")
    for index in range(4):
        _waves(
            near,
            rng,
            _swell(near, 112 + 15 * index, 3.4, 17 + index, index * 1.3),
            "3f9acb",
            "2a74ab",
            "bfe9f5",
            0.55,
        )
    water = _swell(front, 78, 6.0, 12)
    _waves(front, rng, water, "2f86bd", "1d5f98", "f2fcff")
    _waves(front, rng, _swell(front, 97, 5.0, 13, 2.0), "2877ae", "195488", "c4ecf7", 0.7)


def _swell(c: Canvas, base: float, height: float, count: int, phase: float = 0.0) -> Array:
    """Heights of a row of waves with pointed crests."""
    x = c.x_axis() * (2 * np.pi / c.width)
    crests = np.abs(np.sin(count * x / 2 + phase))
    return (base + height * (1.5 * crests - 1) + 0.7 * height * np.sin(3 * x + phase)).astype(np.float32)


def _waves(
    c: Canvas,
    rng: np.random.Generator,
    heights: Array,
    light: str,
    dark: str,
    foam: str,
    strength: float = 1.0,
) -> None:
    """Water below the heights, with a line of foam on it and softer lines beneath."""
    c.land(heights, light, dark, 46)
    x = c.x_axis()
    pieces = 24
    for index in range(pieces):
        xs = np.linspace(index * c.width / pieces, (index + 1) * c.width / pieces, 16)
        ys = np.interp(xs, x, heights, period=c.width)
        c.fill(stroke(np.stack([xs, ys + 1.2], 1), 2.6), foam, opacity=0.85 * strength)
    for x0, y0 in scattered(c, rng, 26, heights):
        c.fill(ellipse(x0, y0 + rng.uniform(8, 15), rng.uniform(8, 17), 1.3), foam, opacity=0.4 * strength)


def _island(c: Canvas, x: float, y: float, size: float) -> None:
    """A green islet with a lighthouse."""
    c.fill(blob((x - size, y + 8), (x - size * 0.6, y - 9), (x - size * 0.1, y - 22), (x + size * 0.4,
        y - 16), (x + size, y + 8)),
           "8fc277", "5f9f68")  # fmt: skip
    c.fill(
        blob((x - size * 1.1, y + 8), (x - size * 0.6, y), (x + size * 0.5, y - 1), (x + size * 1.1, y + 8)),
        "f2dfae",
        "d9bd84",
    )
    for dx in (-36, -22, 26):
        round_tree(c, x + dx, y - 10, 17, "6fae5e", "47895a")
    foot, top = y - 16, y - 64
    tower = polygon((x - 9, foot), (x - 6, top), (x + 6, top), (x + 9, foot))
    c.fill(tower, "fff6ea", "e3d4c4")
    for low, high in ((0.16, 0.34), (0.54, 0.72)):
        a, b = foot + (top - foot) * low, foot + (top - foot) * high
        c.fill(polygon((x - 10, a), (x - 10, b), (x + 10, b), (x + 10, a)), "e8604f", "c8463f", clip=tower)
    c.light(x, top - 6, 34, 0.9)
    c.fill(polygon((x - 8, top), (x + 8, top), (x + 8, top - 2.5), (x - 8, top - 2.5)), "5f4a50")
    window(c, x, top - 6.5, 9, 8, "fff0b0")
    c.fill(blob((x - 7, top - 10), (x, top - 18), (x + 7, top - 10)), "d4524a", "a63a3c")


def _boat(c: Canvas, x: float, y: float, size: float, sail: str) -> None:
    c.fill(stroke(polygon((x, y), (x, y - size)), 1.4), "7a5a44")
    c.fill(blob((x + 2, y - size * 0.95), (x + size * 0.42, y - size * 0.3), (x + size * 0.4,
        y - size * 0.2), (x + 2, y - size * 0.2)),
           sail, "e8d8d0")  # fmt: skip
    c.fill(
        polygon((x - 2, y - size * 0.85), (x - 2, y - size * 0.22), (x - size * 0.34, y - size * 0.22)),
        "fff6ea",
        "e6d8cc",
    )
    c.fill(blob((x - size * 0.48, y - size * 0.14), (x + size * 0.52, y - size * 0.14),
        (x + size * 0.34, y + 4), (x - size * 0.34, y + 4)),
           "b5694c", "84463a")  # fmt: skip


def desert(far: Canvas, middle: Canvas, near: Canvas, front: Canvas) -> None:
    """Mesas, dunes, palms at a waterhole, and flowering cacti."""
    rng = np.random.default_rng(42)
    for x, half, tall in ((90.0, 70.0, 36.0), (300, 46, 26), (560, 96, 42), (830, 54, 30), (1120, 84, 38)):
        _mesa(far, x, 96, half, tall)
    far.land(hills(far, 88, (6, 5, 0.7), (3, 9, 0.1)), "f0cf9c", "f6dfb4")
    ground = hills(middle, 84, (13, 3, 0.4), (6, 7, 1.9))
    middle.land(ground, "f7cf86", "eebb74")
    _dune_shadows(middle, rng, ground, 7, "dd9d60")
    for x, y in scattered(middle, rng, 3, ground):
        _pyramid(middle, x, y + 14, 40)
    for x, y in scattered(middle, rng, 16, ground):
        _cactus(middle, x, y + rng.uniform(8, 20), rng.uniform(14, 20), "7fae72", "5f9468")
    ground = hills(near, 94, (10, 3, 2.6), (5, 5, 0.2))
    near.land(ground, "f9c877", "e6a55c")
    _dune_shadows(near, rng, ground, 6, "cf874a")
    for x, y in scattered(near, rng, 3, ground):
        near.fill(ellipse(x, y + 34, 62, 11), "79c8cf", "4fa6bc")
        near.fill(ellipse(x - 12, y + 31, 26, 1.8), "ffffff", opacity=0.5)
        for dx, tall in ((-52, 58), (-40, 44), (54, 52)):
            _palm(near, x + dx, y + 33, tall)
    for x, y in scattered(near, rng, 12, ground):
        _cactus(near, x, y + rng.uniform(10, 34), rng.uniform(26, 38), "62a763", "3d7f58")
    for x, y in scattered(near, rng, 14, ground):
        rock(near, x, y + rng.uniform(16, 48), rng.uniform(5, 9), "d59a6c", "a8694e")
    ground = hills(front, 84, (8, 3, 1.1), (3, 7, 2.0))
    for x, y in scattered(front, rng, 7, ground):
        _cactus(front, x, y + 8, rng.uniform(38, 50), "3f8a5a", "24604a")
    front.land(ground, "e39a54", "a9603e", 50)
    for x, y in scattered(front, rng, 13, ground):
        rock(front, x, y + 8, rng.uniform(8, 14), "b8734e", "7f4a3c")
    for x, y in scattered(front, rng, 22, ground):
        for lean in (-0.7, -0.3, 0.1, 0.5, 0.8):
            front.fill(
                stroke(
                    blob((x, y + 5), (x + lean * 6, y - 6), (x + lean * 15, y - 12), closed=False), 2.6, 0.6
                ),
                "c08a4c",
                "8c5a3a",
            )


def _mesa(c: Canvas, x: float, y: float, half: float, tall: float) -> None:
    body = polygon((x - half * 1.3, y), (x - half * 0.85, y - tall * 0.5), (x - half * 0.7, y - tall),
        (x + half * 0.66, y - tall),
                   (x + half * 0.85, y - tall * 0.45), (x + half * 1.35, y))  # fmt: skip
    c.fill(body, "e0a184", "efc3a0")
    for part in (0.3, 0.55):
        c.fill(polygon((x - half * 1.4, y - tall * part), (x + half * 1.4, y - tall * part),
            (x + half * 1.4, y - tall * part + 4),
                       (x - half * 1.4, y - tall * part + 4)), "cf8570", opacity=0.5, clip=body)  # fmt: skip


def _dune_shadows(c: Canvas, rng: np.random.Generator, ground: Array, count: int, colour: str) -> None:
    """Lee sides of dunes: soft blades that start at the crest."""
    for index in range(count):
        x = (index + 0.5 * rng.random()) * c.width / count
        y = float(ground[int(x * c.scale) % c.columns])
        blade = blob((x, y + 1), (x + 34, y + 9), (x + 84, y + 13), (x + 120, y + 31), (x + 66,
            y + 34), (x + 16, y + 22), (x - 10, y + 44),
                     (x - 4, y + 18))  # fmt: skip
        c.fill(blade, colour, soft=2.2, opacity=0.5)


def _pyramid(c: Canvas, x: float, y: float, size: float) -> None:
    c.fill(polygon((x - size, y), (x, y - size * 0.85), (x + size * 0.34, y)), "f6d596", "ebc07c")
    c.fill(polygon((x, y - size * 0.85), (x + size, y), (x + size * 0.34, y)), "d79f62", "c98d58")


def _cactus(c: Canvas, x: float, y: float, size: float, light: str, dark: str) -> None:
    width = size * 0.2
    for side, low, high in ((-1, 0.36, 0.72), (1, 0.48, 0.86)):
        arm = blob((x, y - size * low), (x + side * size * 0.22, y - size * low),
            (x + side * size * 0.27, y - size * (low + 0.1)),
                   (x + side * size * 0.27, y - size * high), closed=False)  # fmt: skip
        c.fill(stroke(arm, width * 0.72), light, dark)
        c.fill(ellipse(x + side * size * 0.27, y - size * high, width * 0.36, width * 0.36), light)
    trunk = stroke(polygon((x, y + 2), (x, y - size * 0.95)), width)
    c.fill(trunk, light, dark)
    c.fill(ellipse(x, y - size * 0.95, width / 2, width / 2), light)
    c.fill(
        stroke(polygon((x - width * 0.2, y), (x - width * 0.2, y - size * 0.92)), width * 0.16),
        "ffffff",
        opacity=0.25,
    )
    for dx, dy in ((0, -1.05), (0.27, -0.9)):
        c.fill(ellipse(x + dx * size, y + dy * size, width * 0.42, width * 0.34), "ff8fa0")


def _palm(c: Canvas, x: float, y: float, size: float) -> None:
    trunk = blob((x, y), (x + size * 0.08, y - size * 0.5), (x + size * 0.2, y - size * 0.95), closed=False)
    c.fill(stroke(trunk, size * 0.09, size * 0.055), "b5825a", "8a5c42")
    top_x, top_y = x + size * 0.2, y - size * 0.95
    for dx, dy in (
        (-0.5, 0.1),
        (-0.38, -0.16),
        (-0.08, -0.26),
        (0.24, -0.22),
        (0.48, -0.02),
        (0.42, 0.2),
        (-0.34, 0.28),
    ):
        leaf = blob((top_x, top_y), (top_x + dx * size * 0.5, top_y + dy * size * 0.5 - size * 0.1),
            (top_x + dx * size, top_y + dy * size + size * 0.06),
                    closed=False)  # fmt: skip
        c.fill(stroke(leaf, size * 0.11, 0.8), "6cb85c", "3c8a55")
