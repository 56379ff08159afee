"""All drawings of Storyworld as two texture buffers of packed 32-bit texels, made once on the CPU.

Landscapes: red, green, blue (premultiplied, 8 bits each), alpha and the square root of glow (4 bits each).
Sprites: one word of red, green, blue (premultiplied) and shade of the tint,
then in a second buffer of the same
layout alpha and glow, 8 bits each. One gathered word a texel keeps drawing fast on a GPU.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from arlon_core.world.art.air import paint_cloud_strips, paint_falling, paint_stars
from arlon_core.world.art.canvas import Canvas
from arlon_core.world.art.places import STRIP_HEIGHT, STRIP_WIDTH, paint_place
from arlon_core.world.art.subjects import POSES, paint_subject
from arlon_core.world.vocabulary import PLACES, SUBJECTS

SPRITE = 128  # units across a subject's canvas
LEVELS = 7  # of a subject's size, each smaller by the square root of two
TILE = 256  # units across a tile of rain or snow
SKY_HEIGHT = 128  # units of a strip of clouds or stars


@dataclass(frozen=True)
class Atlas:
    """Textures and where to find things in them.

    land: int32 [places * layers * rows * columns]; sky: int32 [fair, dense clouds,
        stars: rows * columns each,
    then the falling tile: red rain, green snow]; sprite_colour, sprite_cover: int32.
    sprite_base int32 [subjects, poses, LEVELS]; sprite_size int32 [LEVELS].
    """

    scale: float
    land: Tensor
    sky: Tensor
    sprite_colour: Tensor
    sprite_cover: Tensor
    sprite_base: Tensor
    sprite_size: Tensor
    strip_rows: int
    strip_columns: int
    sky_rows: int
    tile_rows: int


@lru_cache(maxsize=4)
def build_atlas(scale: float) -> Atlas:
    """Draws everything at `scale` pixels a unit (a page is 256 units high)."""
    strips = [pack_land(strip) for place in PLACES for strip in paint_place(place, scale)]
    skies = [*paint_cloud_strips(scale, STRIP_WIDTH, SKY_HEIGHT), paint_stars(scale, STRIP_WIDTH, SKY_HEIGHT)]
    tile = paint_falling(scale, TILE)
    colour, cover, base, size = _sprites(scale)
    return Atlas(
        scale=scale,
        land=torch.from_numpy(np.concatenate([strip.ravel() for strip in strips])),
        sky=torch.from_numpy(np.concatenate([_pack(*plane).ravel() for plane in [*skies, tile]])),
        sprite_colour=colour,
        sprite_cover=cover,
        sprite_base=base,
        sprite_size=size,
        strip_rows=round(STRIP_HEIGHT * scale),
        strip_columns=round(STRIP_WIDTH * scale),
        sky_rows=round(SKY_HEIGHT * scale),
        tile_rows=round(TILE * scale),
    )


def pack_land(canvas: Canvas) -> NDArray[np.int32]:
    """Packed texels of a landscape strip."""
    red, green, blue, _, alpha, glow = canvas.planes
    coarse = np.round(np.clip(alpha, 0, 1) * 15) / 15
    fit = coarse / np.maximum(
        alpha, 1e-3
    )  # colours premultiplied by the alpha that is stored, so that no edge shines
    words = _bytes(red * fit) | _bytes(green * fit) << 8 | _bytes(blue * fit) << 16
    words |= _bytes(alpha, 15) << 24 | _bytes(np.sqrt(glow), 15) << 28
    return words.view(np.int32)


def _bytes(plane: NDArray[np.float32], most: int = 255) -> NDArray[np.uint32]:
    return np.round(np.clip(plane, 0, 1) * most).astype(np.uint32)


def _pack(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.int32]:
    return (_bytes(first) | _bytes(second) << 8).view(np.int32)


def _sprites(scale: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    top = round(2 * SPRITE * scale)
    sizes = [max(8, round(top / 2 ** (level / 2))) for level in range(LEVELS)]
    colours: list[NDArray[np.int32]] = []
    covers: list[NDArray[np.int32]] = []
    base = torch.zeros(len(SUBJECTS), POSES, LEVELS, dtype=torch.int32)
    offset = 0
    for index, subject in enumerate(SUBJECTS):
        for pose in range(POSES):
            canvas = Canvas(SPRITE, SPRITE, top / SPRITE)
            paint_subject(canvas, subject, pose)
            full = torch.from_numpy(canvas.planes)[None]
            for level, size in enumerate(sizes):
                planes = functional.interpolate(full, (size, size), mode="bilinear", antialias=True)[
                    0
                ].numpy()
                planes[:, [0, -1], :] = 0
                planes[:, :, [0, -1]] = 0
                red, green, blue, shade, alpha, glow = planes
                word = _bytes(red) | _bytes(green) << 8 | _bytes(blue) << 16 | _bytes(shade) << 24
                colours.append(word.view(np.int32).ravel())
                covers.append(_pack(alpha, glow).ravel())
                base[index, pose, level] = offset
                offset += size * size
    return (
        torch.from_numpy(np.concatenate(colours)),
        torch.from_numpy(np.concatenate(covers)),
        base,
        torch.tensor(sizes, dtype=torch.int32),
    )
