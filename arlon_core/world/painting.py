"""Layers of the picture as pointwise functions of pixel, frame values and texture gathers.

No data-dependent control flow, no reductions and no host reads: torch.compile makes one kernel of each,
and the planes between them stay on the device. Colours are blended as stored (not in linear light), as a
painter would mix pigments. Functions take red, green and blue planes [N, H, W] in 0..1 and return them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from arlon_core.world import frames
from arlon_core.world.atlas import Atlas

Colour = tuple[Tensor, Tensor, Tensor]
HORIZON = 150.0  # units; strips zoom about it
WIPE_SOFT = 0.9  # of the page's width
LAMP = (1.0, 0.80, 0.45)  # the colour of windows and lanterns at night
MOON = (1.0, 0.96, 0.84)


@dataclass(frozen=True)
class Page:
    """Textures on the device and the pixel grid in units: x [1, 1, W], y [1, H, 1]."""

    land: Tensor
    sky: Tensor
    sprite_colour: Tensor
    sprite_cover: Tensor
    x: Tensor
    y: Tensor
    width: float
    scale: float
    strip_rows: int
    strip_columns: int
    sky_rows: int
    tile_rows: int

    @staticmethod
    def of(atlas: Atlas, height: int, width: int, device: torch.device) -> Page:
        """The page of height x width pixels on `device`."""
        x = (torch.arange(width, dtype=torch.float32) + 0.5) / atlas.scale
        y = (torch.arange(height, dtype=torch.float32) + 0.5) / atlas.scale
        return Page(
            atlas.land.to(device), atlas.sky.to(device), atlas.sprite_colour.to(device),
            atlas.sprite_cover.to(device), x[None, None].to(device), y[None, :, None].to(device),
            width / atlas.scale, atlas.scale, atlas.strip_rows, atlas.strip_columns, atlas.sky_rows,
            atlas.tile_rows,
        )  # fmt: skip


class Values:
    """Named columns of a layer's table as [N, 1, 1]."""

    def __init__(self, names: tuple[str, ...], floats: Tensor) -> None:
        self.columns = {name: floats[:, index, None, None] for index, name in enumerate(names)}

    def __getitem__(self, name: str) -> Tensor:
        return self.columns[name]

    def rgb(self, name: str) -> Colour:
        """Three columns."""
        return self[f"{name}_r"], self[f"{name}_g"], self[f"{name}_b"]


def smooth(value: Tensor) -> Tensor:
    """Smoothstep, clamped."""
    value = value.clamp(0, 1)
    return value * value * (3 - 2 * value)


def mix(under: Colour, over: Colour, amount: Tensor) -> Colour:
    """`under` where amount is 0, `over` where it is 1."""
    return (
        under[0] + (over[0] - under[0]) * amount,
        under[1] + (over[1] - under[1]) * amount,
        under[2] + (over[2] - under[2]) * amount,
    )


class Taps:
    """Four neighbouring texels and their weights. Columns of a strip wrap and its rows are clamped."""

    def __init__(self, x: Tensor, y: Tensor, columns: int, rows: int, wrap_rows: bool = False) -> None:
        x, y = x - 0.5, y - 0.5
        x = x - torch.floor(x * (1 / columns)) * columns
        y = y - torch.floor(y * (1 / rows)) * rows if wrap_rows else y.clamp(0, rows - 1.0)
        left, top = torch.floor(x), torch.floor(y)
        self.fx, self.fy = x - left, y - top
        x0, y0 = left.to(torch.int32).clamp(0, columns), top.to(torch.int32).clamp(0, rows)
        # a coordinate that rounding put at the very end is the beginning again
        x0 = torch.where(x0 >= columns, 0, x0)
        x1 = torch.where(x0 + 1 >= columns, 0, x0 + 1)
        if wrap_rows:
            y0 = torch.where(y0 >= rows, 0, y0)
            y1 = torch.where(y0 + 1 >= rows, 0, y0 + 1)
        else:
            y1 = (y0 + 1).clamp(max=rows - 1)
        self.at = (y0 * columns + x0, y0 * columns + x1, y1 * columns + x0, y1 * columns + x1)

    def read(self, texture: Tensor, base: Tensor, *fields: tuple[int | Tensor, int]) -> list[Tensor]:
        """Bilinear samples in 0..1 of bit fields (shift, mask) of the packed texels."""
        words = [texture[index + base] for index in self.at]
        out = []
        for shift, mask in fields:
            a, b, c, d = (((word >> shift) & mask).to(torch.float32) for word in words)
            upper, lower = a + (b - a) * self.fx, c + (d - c) * self.fx
            out.append((upper + (lower - upper) * self.fy) * (1.0 / mask))
        return out


class SpriteTaps(Taps):
    """Taps of a square texture whose side differs from frame to frame; its empty border goes on outside."""

    def __init__(self, x: Tensor, y: Tensor, size: Tensor) -> None:
        last = size.to(torch.float32) - 1.0
        x, y = torch.minimum((x - 0.5).clamp(min=0), last), torch.minimum((y - 0.5).clamp(min=0), last)
        left, top = torch.floor(x), torch.floor(y)
        self.fx, self.fy = x - left, y - top
        x0, y0 = left.to(torch.int32), top.to(torch.int32)
        x1, y1 = torch.minimum(x0 + 1, size - 1), torch.minimum(y0 + 1, size - 1)
        self.at = (y0 * size + x0, y0 * size + x1, y1 * size + x0, y1 * size + x1)


def sky(page: Page, floats: Tensor, ints: Tensor) -> Colour:
    """Gradient, stars, and a sun and a moon with soft rings."""
    v = Values(frames.SKY, floats)
    down = (page.y - v["tilt"]) * (1 / 172.0)
    colour = mix(v.rgb("zenith"), v.rgb("middle"), smooth(down * (1 / 0.66)))
    colour = mix(colour, v.rgb("horizon"), smooth((down - 0.42) * (1 / 0.58)))
    x, y = page.x - v["sun_x"], page.y - v["sun_y"]
    taps = Taps((page.x + v["star_x"]) * page.scale, page.y * page.scale, page.strip_columns, page.sky_rows)
    (star,) = taps.read(page.sky, ints[:, 0, None, None], (0, 255))
    star = star * v["stars"] * smooth((128 - page.y) * (1 / 40.0))
    colour = (
        colour[0] + star * (1 - colour[0]),
        colour[1] + star * (0.97 - colour[1]),
        colour[2] + star * (0.92 - colour[2]),
    )
    sun, size, bare = v.rgb("sun"), v["sun_size"], v["bare"]
    away = torch.sqrt(x * x + y * y)
    ring = 0.20 * smooth((2.0 * size - away) * 0.22 + 0.5) + 0.13 * smooth((3.1 * size - away) * 0.16 + 0.5)
    colour = mix(colour, sun, (ring + 0.50 * torch.exp(-away / (2.6 * size))) * bare)
    disc = ((size - away) * page.scale + 0.5).clamp(0, 1)
    pale = (0.35 * sun[0] + 0.65, 0.35 * sun[1] + 0.65, 0.35 * sun[2] + 0.65)
    colour = mix(colour, pale, disc * bare)
    x, y = page.x - v["moon_x"], page.y - v["moon_y"]
    away, dark = torch.sqrt(x * x + y * y), torch.sqrt((x - 8) * (x - 8) + (y + 5) * (y + 5))
    crescent = ((19 - away) * page.scale + 0.5).clamp(0, 1) * ((dark - 16.5) * page.scale + 0.5).clamp(0, 1)
    glow = 0.34 * torch.exp(away * (-1 / 34.0)) + 0.08 * smooth((46 - away) * 0.12 + 0.5)
    shine = (glow + (1 - glow) * crescent) * bare * v["night"]
    return (
        colour[0] + (MOON[0] - colour[0]) * shine,
        colour[1] + (MOON[1] - colour[1]) * shine,
        colour[2] + (MOON[2] - colour[2]) * shine,
    )


def clouds(page: Page, red: Tensor, green: Tensor, blue: Tensor, floats: Tensor, ints: Tensor) -> Colour:
    """One drifting strip of clouds."""
    v = Values(frames.CLOUDS, floats)
    x = (page.x * v["size"] + v["x"]) * page.scale
    y = (page.y - v["y"]) * v["size"] * page.scale
    taps = Taps(x, y, page.strip_columns, page.sky_rows)
    cover, bright = taps.read(page.sky, ints[:, 0, None, None], (0, 255), (8, 255))
    body = mix(v.rgb("cloud_shade"), v.rgb("cloud_lit"), bright)
    return mix((red, green, blue), body, cover * v["amount"] * v["body"])


def land(page: Page, red: Tensor, green: Tensor, blue: Tensor, floats: Tensor, ints: Tensor) -> Colour:
    """One landscape strip in light, haze and fog."""
    return _land(page, (red, green, blue), floats, ints, False)


def wiping_land(page: Page, red: Tensor, green: Tensor, blue: Tensor, floats: Tensor, ints: Tensor) -> Colour:
    """As `land`, while the place before gives way to the place after from one side."""
    return _land(page, (red, green, blue), floats, ints, True)


def _land(page: Page, colour: Colour, floats: Tensor, ints: Tensor, wiping: bool) -> Colour:
    v = Values(frames.LAND, floats)
    zoom, middle = v["inverse_zoom"], page.width / 2
    x = (page.x - middle) * zoom + middle + v["scroll"]
    y = (page.y - HORIZON) * zoom + HORIZON - v["drop"]
    taps = Taps(x * page.scale, y * page.scale, page.strip_columns, page.strip_rows)
    fields = ((0, 255), (8, 255), (16, 255), (24, 15), (28, 15))
    texel = taps.read(page.land, ints[:, 1, None, None], *fields)
    if wiping:
        before = taps.read(page.land, ints[:, 0, None, None], *fields)
        across = page.x * (1 / page.width)
        across = torch.where(v["wipe_side"] > 0, 1 - across, across)
        come = smooth((v["wipe"] * (1 + WIPE_SOFT) - across) * (1 / WIPE_SOFT))
        # exact at both ends, so that leaving `before` out changes nothing where the wipe is over
        texel = [old * (1 - come) + new * come for old, new in zip(before, texel, strict=True)]
    cover, shine = texel[3], texel[4] * texel[4] * v["night"]
    thickness = v["thickness"] + v["mist"] * smooth((y - 62) * (1 / 80.0))
    thickness = (thickness + v["fog"] * (1 - thickness)) * (1 - 0.7 * shine)
    light, haze = v.rgb("light"), v.rgb("haze")
    out = []
    for index in range(3):
        ground = (texel[index] + (cover - texel[index]) * v["white"]) * light[index]
        ground = ground + (cover * haze[index] - ground) * thickness
        ground = ground + (cover * LAMP[index] - ground) * shine
        out.append(colour[index] * (1 - cover) + ground + shine * (1 - cover) * (0.35 * LAMP[index]))
    return out[0], out[1], out[2]


def subject(
    page: Page, red: Tensor, green: Tensor, blue: Tensor, floats: Tensor, ints: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A subject over the picture, and its coverage in 0..1."""
    v = Values(frames.SUBJECT, floats)
    x = page.x * v["ux"] + page.y * v["uy"] + v["u0"]
    y = page.x * v["vx"] + page.y * v["vy"] + v["v0"]
    base = ints[:, 0, None, None]
    taps = SpriteTaps(x, y, ints[:, 1, None, None])
    *fixed, shade = taps.read(page.sprite_colour, base, (0, 255), (8, 255), (16, 255), (24, 255))
    cover, glow = taps.read(page.sprite_cover, base, (0, 255), (8, 255))
    tint, light, haze = v.rgb("tint"), v.rgb("subject_light"), v.rgb("haze")
    shine = glow * v["night"]
    out = []
    for index, under in enumerate((red, green, blue)):
        own = fixed[index] + shade * tint[index]
        own = own * (light[index] + (1 - light[index]) * shine)
        own = own + (cover * haze[index] - own) * v["veil"]
        out.append(under * (1 - cover) + own + shine * (1 - cover) * (0.5 * LAMP[index]))
    return out[0], out[1], out[2], cover


def fog_banks(page: Page, red: Tensor, green: Tensor, blue: Tensor, floats: Tensor, ints: Tensor) -> Colour:
    """Wide, slow banks of fog over everything."""
    v = Values(frames.FOG_BANKS, floats)
    x, y, drift = page.x, page.y, v["drift"]
    bank = torch.sin(x * 0.013 + drift * 1.3) * torch.sin(y * 0.024 - 0.4 * drift) + torch.sin(
        x * 0.007 - drift
    )
    bank = 0.22 + 0.09 * bank - 0.08 * smooth((90 - y) * (1 / 90.0))
    return mix((red, green, blue), v.rgb("haze"), bank * v["fog"])


def falling(page: Page, red: Tensor, green: Tensor, blue: Tensor, floats: Tensor, ints: Tensor) -> Colour:
    """One layer of rain or snow."""
    v = Values(frames.FALLING, floats)
    x = page.x * v["size"] + v["x"] + v["sway"] * torch.sin(v["sway_phase"] + page.y * 0.02 * v["size"])
    y = page.y * v["size"] + v["y"]
    taps = Taps(x * page.scale, y * page.scale, page.tile_rows, page.tile_rows, wrap_rows=True)
    (flake,) = taps.read(page.sky, ints[:, 0, None, None], (ints[:, 1, None, None], 255))
    return mix((red, green, blue), v.rgb("colour"), flake * v["amount"])


def finish(page: Page, red: Tensor, green: Tensor, blue: Tensor) -> Colour:
    """Slightly darker corners, like the edge of a painted page; uint8."""
    x = (page.x - page.width / 2) * (1 / page.width)
    y = (page.y - 128) * (1 / 256)
    dim = 1 - 0.16 * smooth((x * x + 0.8 * y * y - 0.12) * 2.6)
    return to_bytes(red * dim), to_bytes(green * dim), to_bytes(blue * dim)


def to_bytes(value: Tensor) -> Tensor:
    """0..1 as uint8."""
    return (value.clamp(0, 1) * 255 + 0.5).to(torch.uint8)


def masks(main: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """uint8 coverage of both subjects together, and of the main one, which stands in front."""
    return to_bytes(main + second * (1 - main)), to_bytes(main)
