"""Things that stand in landscapes: trees, houses, flowers, rocks. (x, y) is the foot; sizes are in units."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from arlon_core.world.art.canvas import Array, Canvas, Points, blob, ellipse, polygon, rectangle, stroke

Rng = np.random.Generator
WINDOW = "ffe9b0"


def hills(c: Canvas, base: float, *waves: tuple[float, int, float]) -> Array:
    """Heights [columns] in units of the strip: base minus a sum of (amplitude, whole waves, phase)."""
    x = c.x_axis() * np.float32(2 * np.pi / c.width)
    heights: Array = np.full_like(x, base)
    for amplitude, count, phase in waves:
        heights -= np.float32(amplitude) * np.sin(count * x + np.float32(phase))
    return heights


def scattered(
    c: Canvas, rng: Rng, count: int, heights: Array, jitter: float = 0.8
) -> Iterator[tuple[float, float]]:
    """`count` feet (x, y) along the ground, evenly but not regularly."""
    for index in range(count):
        x = (index + jitter * rng.random()) * c.width / count
        yield x, float(heights[int(x * c.scale) % c.columns])


def ridge(
    c: Canvas, rng: Rng, count: int, low: float, high: float, base: float
) -> tuple[Array, list[tuple[float, float]]]:
    """A jagged range: heights [columns] and its summits."""
    xs, ys = [], []
    summits = []
    for index in range(count):
        x = (index + rng.uniform(0.2, 0.5)) * c.width / count
        y = base - rng.uniform(low, high)
        summits.append((x, y))
        shoulder = rng.uniform(0.4, 0.6)
        xs += [x, x + c.width / count * rng.uniform(0.12, 0.2), x + shoulder * c.width / count]
        ys += [y, y + (base - y) * rng.uniform(0.3, 0.45), base - rng.uniform(0, 0.25) * low]
    order = np.argsort(xs)
    heights = np.interp(c.x_axis(), np.array(xs)[order], np.array(ys)[order], period=c.width)
    return heights.astype(np.float32), summits


def round_tree(
    c: Canvas, x: float, y: float, size: float, leaf: str, dark: str, trunk: str = "7a5540"
) -> None:
    """A tree with a round crown of a few puffs."""
    c.fill(stroke(polygon((x, y + 1), (x, y - size * 0.6)), size * 0.13, size * 0.09), trunk)
    for dx, dy, r in ((-0.22, -0.58, 0.27), (0.22, -0.56, 0.26), (0.0, -0.82, 0.32)):
        c.fill(ellipse(x + dx * size, y + dy * size, r * size, r * size), leaf, dark)
    for dx, dy, r in ((-0.10, -0.92, 0.13), (-0.28, -0.66, 0.10), (0.14, -0.64, 0.10)):
        c.fill(ellipse(x + dx * size, y + dy * size, r * size, r * size * 0.8), "ffffff", opacity=0.16)


def poplar(c: Canvas, x: float, y: float, size: float, leaf: str, dark: str) -> None:
    """A slim, tall tree."""
    c.fill(stroke(polygon((x, y + 1), (x, y - size * 0.3)), size * 0.07), "7a5540")
    crown = blob((x, y - size), (x + size * 0.15, y - size * 0.5), (x + size * 0.09, y - size * 0.14),
                 (x - size * 0.09, y - size * 0.14), (x - size * 0.15, y - size * 0.5))  # fmt: skip
    c.fill(crown, leaf, dark)
    c.fill(crown * (0.4, 1) + (x * 0.6 - size * 0.05, 0), "ffffff", opacity=0.12)


def fir(c: Canvas, x: float, y: float, size: float, leaf: str, dark: str, snow: bool = False) -> None:
    """A fir of four skirts, with snow on them if wanted."""
    c.fill(stroke(polygon((x, y + 1), (x, y - size * 0.2)), size * 0.09), "6b4a38")
    for index in range(4):
        top = y - size * (0.36 + 0.21 * index)
        half, tall = size * (0.29 - 0.055 * index), size * 0.30
        skirt = blob((x, top - tall * 0.55), (x + half * 0.55, top + tall * 0.25), (x + half,
            top + tall * 0.62),
                     (x + half * 0.4, top + tall * 0.58), (x, top + tall * 0.66), (x - half * 0.4,
                         top + tall * 0.58),
                     (x - half, top + tall * 0.62), (x - half * 0.55, top + tall * 0.25))  # fmt: skip
        c.fill(skirt, leaf, dark)
        if snow:
            cap = blob(
                (x, top - tall * 0.55),
                (x + half * 0.5, top + tall * 0.18),
                (x + half * 0.2, top + tall * 0.10),
                (x, top + tall * 0.24),
                (x - half * 0.25, top + tall * 0.08),
                (x - half * 0.55, top + tall * 0.22),
            )
            c.fill(cap, "f6fbff", "dbe8f6")


def bush(c: Canvas, x: float, y: float, size: float, leaf: str, dark: str) -> None:
    """A low heap of leaves."""
    for dx, r in ((-0.55, 0.42), (0.5, 0.46), (0.0, 0.6)):
        c.fill(ellipse(x + dx * size, y - r * size * 0.5, r * size, r * size * 0.9), leaf, dark)


def house(c: Canvas, x: float, y: float, size: float, wall: str, roof: str, roof_dark: str) -> None:
    """A small house with a pitched roof, a door and windows that are lit at night."""
    w, h = size * 0.5, size * 0.52
    c.fill(polygon((x + w * 0.3, y - h - size * 0.5), (x + w * 0.55, y - h - size * 0.5),
        (x + w * 0.55, y - h),
                   (x + w * 0.3, y - h)), roof_dark)  # fmt: skip
    c.fill(polygon((x - w, y - h), (x + w, y - h), (x + w, y + 2), (x - w, y + 2)), wall, _darker(wall))
    c.fill(polygon((x - w * 1.22, y - h + size * 0.04), (x - w * 0.72, y - h - size * 0.4),
        (x + w * 0.72, y - h - size * 0.4),
                   (x + w * 1.22, y - h + size * 0.04)), roof, roof_dark)  # fmt: skip
    window(c, x - w * 0.5, y - h * 0.55, size * 0.17, size * 0.19)
    window(c, x + w * 0.55, y - h * 0.55, size * 0.17, size * 0.19)
    c.fill(polygon((x - w * 0.14, y - h * 0.62), (x + w * 0.2, y - h * 0.62), (x + w * 0.2, y + 2),
        (x - w * 0.14, y + 2)),
           "8a5a3c", "6c432c")  # fmt: skip


def window(c: Canvas, x: float, y: float, width: float, height: float, colour: str = "7f9db0") -> None:
    """A window about (x, y): blue-grey by day, lit at night."""
    c.fill(rectangle(x, y, width / 2, height / 2), colour, glow=1.0)


def _darker(colour: str, amount: float = 0.86) -> str:
    return bytes(int(value * amount) for value in bytes.fromhex(colour)).hex()


def flower(c: Canvas, x: float, y: float, size: float, petal: str, heart: str, stem: str) -> None:
    """A flower with five petals on a bent stem."""
    c.fill(stroke(blob((x - size * 0.2, y + 2), (x - size * 0.15, y - size * 0.7), (x, y - size * 1.4),
        closed=False),
                  size * 0.14), stem)  # fmt: skip
    c.fill(
        blob(
            (x - size * 0.15, y - size * 0.4),
            (x + size * 0.35, y - size * 0.8),
            (x + size * 0.3, y - size * 0.45),
        ),
        stem,
    )
    for index in range(5):
        angle = 2 * np.pi * index / 5 - 0.4
        c.fill(ellipse(x + np.cos(angle) * size * 0.33, y - size * 1.5 + np.sin(angle) * size * 0.33,
            size * 0.29,
                       size * 0.29), petal)  # fmt: skip
    c.fill(ellipse(x, y - size * 1.5, size * 0.22, size * 0.22), heart)


def tulip(c: Canvas, x: float, y: float, size: float, petal: str, dark: str, stem: str) -> None:
    """A tulip."""
    c.fill(stroke(polygon((x, y + 2), (x, y - size)), size * 0.13), stem)
    c.fill(blob((x, y), (x + size * 0.4, y - size * 0.6), (x + size * 0.2, y - size * 0.2)), stem)
    c.fill(blob((x - size * 0.32, y - size * 1.55), (x - size * 0.12, y - size * 1.35), (x, y - size * 1.62),
                (x + size * 0.12, y - size * 1.35), (x + size * 0.32, y - size * 1.55),
                (x + size * 0.3, y - size * 1.0),
                (x, y - size * 0.86), (x - size * 0.3, y - size * 1.0)), petal, dark)  # fmt: skip


def tuft(c: Canvas, rng: Rng, x: float, y: float, size: float, colour: str, to: str) -> None:
    """A tuft of broad grass blades."""
    for index in range(5):
        lean = (index - 2) * 0.28 + rng.uniform(-0.1, 0.1)
        tall = size * rng.uniform(0.7, 1.1) * (1 - 0.1 * abs(index - 2))
        foot = x + (index - 2) * size * 0.12
        blade = blob(
            (foot, y + 2),
            (foot + lean * tall * 0.35, y - tall * 0.5),
            (foot + lean * tall, y - tall),
            closed=False,
        )
        c.fill(stroke(blade, size * 0.2, 0.3), colour, to)


def rock(c: Canvas, x: float, y: float, size: float, light: str, dark: str) -> None:
    """A rounded stone with a lit top."""
    shape = blob((x - size, y + 2), (x - size * 0.8, y - size * 0.6), (x - size * 0.1, y - size),
        (x + size * 0.7, y - size * 0.7),
                 (x + size, y + 2))  # fmt: skip
    c.fill(shape, light, dark)
    c.fill(blob((x - size * 0.6, y - size * 0.5), (x - size * 0.1, y - size * 0.9), (x + size * 0.4,
        y - size * 0.72),
                (x - size * 0.1, y - size * 0.6)), "ffffff", opacity=0.22)  # fmt: skip


def fields(
    c: Canvas, rng: Rng, heights: Array, colours: tuple[str, ...], count: int, depth: float = 46
) -> None:
    """Patches of field on a slope, each a soft slanted band that follows the hill."""
    for index in range(count):
        x = (index + 0.6 * rng.random()) * c.width / count
        half = rng.uniform(26, 48)
        xs = np.linspace(x - half, x + half, 14)
        top = np.interp(xs, c.x_axis(), heights, period=c.width) + rng.uniform(7, 15)
        low = np.interp(xs + 16, c.x_axis(), heights, period=c.width) + depth * rng.uniform(0.5, 0.9)
        patch = np.concatenate([np.stack([xs, top], 1), np.stack([xs + 16, low], 1)[::-1]])
        colour = colours[int(rng.integers(len(colours)))]
        c.fill(patch, colour, soft=0.8, opacity=0.85)
        for part in (0.25, 0.5, 0.75):
            furrow = np.stack([xs + 16 * part, top + (low - top) * part], 1)
            c.fill(stroke(furrow, 1.6), _darker(colour, 0.9), opacity=0.7, clip=patch)


def windmill(c: Canvas, x: float, y: float, size: float, turn: float) -> None:
    """A windmill with four sails."""
    c.fill(polygon((x - size * 0.17, y + 2), (x - size * 0.11, y - size * 0.7), (x + size * 0.11,
        y - size * 0.7),
                   (x + size * 0.17, y + 2)), "f7ecd8", "d3bfa4")  # fmt: skip
    c.fill(
        blob((x - size * 0.14, y - size * 0.68), (x, y - size * 0.9), (x + size * 0.14, y - size * 0.68)),
        "b9564a",
        "8d3d38",
    )
    window(c, x, y - size * 0.42, size * 0.09, size * 0.12)
    for index in range(4):
        angle = turn + index * np.pi / 2
        along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        hub = np.array([x, y - size * 0.74])
        sail: Points = np.stack(
            [
                hub + along * size * 0.08,
                hub + along * size * 0.5,
                hub + along * size * 0.5 + across * size * 0.13,
                hub + along * size * 0.14 + across * size * 0.13,
            ]
        )
        c.fill(sail, "fff8ea", "e8d9c0")
        c.fill(stroke(np.stack([hub, hub + along * size * 0.52]), size * 0.035), "8d6a4c")
