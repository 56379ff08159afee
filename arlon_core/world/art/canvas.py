"""A small drawing board: filled shapes with soft edges and gradients, on planes that become textures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from arlon_core.world.light import rgb

Array = NDArray[np.float32]
Points = NDArray[np.float64]
TINT = "tint"  # the paint that takes the subject's colour at drawing time
SUPERSAMPLING = 4
PLANES = 6  # premultiplied red, green, blue; shade of the tint; alpha; glow


class Canvas:
    """Planes [6, H, W] float32 over a page in units; x wraps around when `wrap`."""

    def __init__(self, width: float, height: float, scale: float, wrap: bool = False) -> None:
        self.scale, self.wrap = scale, wrap
        self.width, self.height = width, height
        self.columns, self.rows = round(width * scale), round(height * scale)
        self.planes: Array = np.zeros((PLANES, self.rows, self.columns), np.float32)

    def fill(
        self,
        points: Points,
        colour: str = TINT,
        to: str | None = None,
        *,
        shade: float | tuple[float, float] = 1.0,
        lift: float | tuple[float, float] = 0.0,
        opacity: float = 1.0,
        glow: float = 0.0,
        soft: float = 0.0,
        clip: Points | None = None,
    ) -> None:
        """Fills a polygon, given in units, with `colour` (running to `to` downwards).

        The tint takes `shade` (times the colour) and `lift` (towards white), each one number or (top,
            bottom).
        """
        found = self._mask(points, soft)
        if found is None:
            return
        mask, x0, y0 = found
        if clip is not None:
            mask = mask * self._clip(clip, mask.shape, x0, y0)
        down = np.linspace(0, 1, mask.shape[0], dtype=np.float32)[:, None]
        if soft:
            down = np.clip((down - 0.2) / 0.6, 0, 1)
        self._over(mask * opacity, _paint(colour, to, shade, lift, down), glow, x0, y0)

    def fade(
        self, points: Points, colour: str, strength: Callable[[Array, Array], Array], glow: float = 0
    ) -> None:
        """Fills a polygon with an opacity that is a function of (x, y) in units."""
        found = self._mask(points, 0)
        if found is None:
            return
        mask, x0, y0 = found
        y, x = np.mgrid[0 : mask.shape[0], 0 : mask.shape[1]].astype(np.float32)
        opacity = strength((x + x0 + 0.5) / self.scale, (y + y0 + 0.5) / self.scale)
        down = np.zeros((mask.shape[0], 1), np.float32)
        self._over(mask * opacity, _paint(colour, None, 1.0, 0.0, down), glow, x0, y0)

    def land(self, heights: Array, colour: str, to: str, depth: float = 60.0) -> None:
        """Ground from heights [columns] (units) down to the bottom, from `colour` to `to`."""
        y = (np.arange(self.rows, dtype=np.float32)[:, None] + 0.5) / self.scale
        mask = np.clip((y - heights[None]) * self.scale + 0.5, 0, 1)
        down = np.clip((y - heights[None]) / depth, 0, 1)
        top, bottom = np.array(rgb(colour), np.float32), np.array(rgb(to), np.float32)
        paint = np.zeros((4, self.rows, self.columns), np.float32)
        paint[:3] = top[:, None, None] * (1 - down) + bottom[:, None, None] * down
        self._over(mask, paint, 0.0, 0, 0)

    def light(self, x: float, y: float, radius: float, strength: float = 1.0) -> None:
        """A soft halo on the glow plane only (it shines at night and covers nothing)."""
        found = self._mask(ellipse(x, y, radius, radius), 0)
        if found is None:
            return
        mask, x0, y0 = found
        rows, columns = np.mgrid[0 : mask.shape[0], 0 : mask.shape[1]].astype(np.float32)
        away = np.hypot((columns + x0 + 0.5) / self.scale - x, (rows + y0 + 0.5) / self.scale - y) / radius
        halo = strength * np.clip(1 - away, 0, 1) ** 2
        at = self._window(halo.shape, x0, y0)
        if at is not None:
            keep, index = at
            plane = self.planes[5]
            plane[index] = np.maximum(plane[index], halo[keep])

    def x_axis(self) -> Array:
        """[columns] the unit x of each column's middle."""
        return ((np.arange(self.columns) + 0.5) / self.scale).astype(np.float32)

    def _mask(self, points: Points, soft: float) -> tuple[Array, int, int] | None:
        pixels = np.asarray(points, np.float64) * self.scale
        margin = int(np.ceil(3 * soft * self.scale)) + 1
        low = np.floor(pixels.min(0)).astype(int) - margin
        high = np.ceil(pixels.max(0)).astype(int) + margin
        low[1], high[1] = max(low[1], -margin), min(high[1], self.rows + margin)
        if high[1] <= low[1] or high[0] <= low[0]:
            return None
        width, height = int(high[0] - low[0]), int(high[1] - low[1])
        image = Image.new("L", (width * SUPERSAMPLING, height * SUPERSAMPLING))
        local = (pixels - low) * SUPERSAMPLING - 0.5
        ImageDraw.Draw(image).polygon(local.ravel().tolist(), fill=255)
        image = image.reduce(SUPERSAMPLING)
        if soft:
            image = image.filter(ImageFilter.GaussianBlur(soft * self.scale))
        return np.asarray(image, np.float32) / np.float32(255), int(low[0]), int(low[1])

    def _clip(self, points: Points, shape: tuple[int, ...], x0: int, y0: int) -> Array:
        clip = np.zeros(shape, np.float32)
        found = self._mask(points, 0)
        if found is None:
            return clip
        mask, mx, my = found
        top, left = max(my, y0), max(mx, x0)
        bottom, right = min(my + mask.shape[0], y0 + shape[0]), min(mx + mask.shape[1], x0 + shape[1])
        if bottom > top and right > left:
            clip[top - y0 : bottom - y0, left - x0 : right - x0] = mask[
                top - my : bottom - my, left - mx : right - mx
            ]
        return clip

    def _window(
        self, shape: tuple[int, ...], x0: int, y0: int
    ) -> tuple[tuple[slice, slice], tuple[NDArray[np.int64], ...]] | None:
        """Which part of a local mask lies on the canvas, and the index of the canvas under it."""
        top, bottom = max(0, y0), min(self.rows, y0 + shape[0])
        left, right = x0, x0 + shape[1]
        if not self.wrap:
            left, right = max(0, left), min(self.columns, right)
        if bottom <= top or right <= left:
            return None
        keep = (slice(top - y0, bottom - y0), slice(left - x0, right - x0))
        return keep, np.ix_(np.arange(top, bottom), np.arange(left, right) % self.columns)

    def _over(self, mask: Array, paint: Array, glow: float, x0: int, y0: int) -> None:
        at = self._window(mask.shape, x0, y0)
        if at is None:
            return
        keep, (rows, columns) = at
        mask, paint = mask[keep], np.broadcast_to(paint, (4, *mask.shape))[(slice(None), *keep)]
        under = self.planes[:, rows, columns]
        under *= 1 - mask
        under[:4] += mask * paint
        under[4] += mask
        under[5] += mask * glow
        self.planes[:, rows, columns] = under


def _paint(
    colour: str,
    to: str | None,
    shade: float | tuple[float, float],
    lift: float | tuple[float, float],
    down: Array,
) -> Array:
    """[4, H, 1]: red, green, blue and shade, running from top to bottom."""
    paint = np.zeros((4, *down.shape), np.float32)
    if colour == TINT:
        dark, dark_to = shade if isinstance(shade, tuple) else (shade, shade)
        white, white_to = lift if isinstance(lift, tuple) else (lift, lift)
        whiteness = white + (white_to - white) * down
        paint[:3] = whiteness
        paint[3] = (dark + (dark_to - dark) * down) * (1 - whiteness)
        return paint
    top = np.array(rgb(colour), np.float32)[:, None, None]
    bottom = np.array(rgb(to or colour), np.float32)[:, None, None]
    paint[:3] = top + (bottom - top) * down
    return paint


def ellipse(
    x: float, y: float, rx: float, ry: float, turn: float = 0.0, arc: tuple[float, float] = (0, 1)
) -> Points:
    """Points of an ellipse about (x, y), turned by `turn` radians; `arc` in whole turns from the right."""
    angle = 2 * np.pi * np.linspace(*arc, 56)
    px, py = rx * np.cos(angle), ry * np.sin(angle)
    return np.stack([x + px * np.cos(turn) - py * np.sin(turn), y + px * np.sin(turn) + py * np.cos(turn)], 1)


def blob(*points: tuple[float, float], closed: bool = True) -> Points:
    """A smooth curve through the points (Catmull-Rom)."""
    p = np.array(points, np.float64)
    p = np.concatenate([p[-1:], p, p[:2]] if closed else [p[:1], p, p[-1:]])
    t = np.linspace(0, 1, 10, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False):
        pieces.append(
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        )
    if not closed:
        pieces.append(p[-1:])
    return np.concatenate(pieces)


def polygon(*points: tuple[float, float]) -> Points:
    """Straight edges between the points."""
    return np.array(points, np.float64)


def rectangle(x: float, y: float, half_width: float, half_height: float) -> Points:
    """An upright rectangle about (x, y)."""
    left, right, top, bottom = x - half_width, x + half_width, y - half_height, y + half_height
    return polygon((left, top), (right, top), (right, bottom), (left, bottom))


def stroke(points: Points, width: float, end_width: float | None = None) -> Points:
    """The outline of a line of the given width along the points, tapering to `end_width`."""
    end = width if end_width is None else end_width
    direction = np.gradient(points, axis=0)
    direction /= np.maximum(np.hypot(direction[:, :1], direction[:, 1:]), 1e-9)
    side = (
        np.stack([-direction[:, 1], direction[:, 0]], 1) * np.linspace(width, end, len(points))[:, None] / 2
    )
    return np.concatenate([points + side, (points - side)[::-1]])


def turned(points: Points, x: float, y: float, angle: float) -> Points:
    """The points rotated about (x, y)."""
    c, s = np.cos(angle), np.sin(angle)
    return (points - (x, y)) @ np.array([[c, s], [-s, c]]) + (x, y)
