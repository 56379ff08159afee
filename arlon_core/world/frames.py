"""Frame values sorted into the small tables that each layer of painting reads.

A layer of a frame is one row of floats and one of ints. `wanted` says for which frames the layer shows, so
that rain is only painted where it rains; without such a layer the picture is exactly the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from arlon_core.world import motion
from arlon_core.world.art.places import LAYER_TOP
from arlon_core.world.art.subjects import FACES_WAY, POSES
from arlon_core.world.atlas import SPRITE, TILE, Atlas
from arlon_core.world.vocabulary import SUBJECTS

PAGE_WIDTH = 448.0
PIVOT = 140.0  # the height about which the camera zooms
# Page units a sprite unit at size 1. At 0.8 a subject was often within one token (64 pixels) of the VQ-VAE.
BODY = 1.1
HAZE = (0.46, 0.20, 0.05, 0.0)  # of each landscape strip
MIST = (0.42, 0.30, 0.10, 0.0)  # more of it at a strip's foot
# In F, fog is as faint as it is to the eye: 0.93 for the farthest strip hid places that a prompt had named.
FOG = (0.72, 0.46, 0.24, 0.10)
SNOW_COVER = (0.10, 0.20, 0.30, 0.30)
SUBJECT_FOG = 0.18
# size, units fallen a frame, slant, sway, strength
RAIN = ((1.3, 8.0, 1.44, 0.0, 0.42), (0.85, 10.0, 1.8, 0.0, 0.60))
SNOW = ((1.5, 1.6, 0.5, 5.0, 0.92), (0.8, 2.0, 0.5, 7.0, 0.92))


def _rgb(name: str) -> tuple[str, str, str]:
    return f"{name}_r", f"{name}_g", f"{name}_b"


SKY = (*_rgb("zenith"), *_rgb("middle"), *_rgb("horizon"), *_rgb("sun"), "tilt", "bare", "stars",
    "star_x", "night",
       "sun_x", "sun_y", "sun_size", "moon_x", "moon_y")  # fmt: skip
CLOUDS = ("size", "x", "y", "amount", "body", *_rgb("cloud_shade"), *_rgb("cloud_lit"))
LAND = ("inverse_zoom", "scroll", "drop", "wipe", "wipe_side", *_rgb("light"), *_rgb("haze"), "night",
    "white",
        "thickness", "mist", "fog")  # fmt: skip
SUBJECT = (
    "ux",
    "uy",
    "u0",
    "vx",
    "vy",
    "v0",
    *_rgb("tint"),
    *_rgb("subject_light"),
    *_rgb("haze"),
    "veil",
    "night",
)
FOG_BANKS = ("fog", "drift", *_rgb("haze"))
FALLING = ("size", "x", "y", "sway", "sway_phase", "amount", *_rgb("colour"))


@dataclass(frozen=True)
class Layer:
    """floats [M, len(names)], ints [M, 2] and wanted [M] (on the CPU) of one layer over M frames."""

    names: tuple[str, ...]
    floats: Tensor
    ints: Tensor
    wanted: Tensor

    def on(self, device: torch.device) -> Layer:
        """The same layer, its tables on `device`."""
        return Layer(self.names, self.floats.to(device), self.ints.to(device), self.wanted)

    def rows(self, here: slice) -> tuple[Tensor, Tensor]:
        """Both tables of the frames `here`."""
        return self.floats[here], self.ints[here]

    def shows(self, here: slice) -> bool:
        """Whether any of these frames needs the layer."""
        return bool(self.wanted[here].any())


@dataclass(frozen=True)
class Layers:
    """Everything on the page, back to front; `wiping` [M] tells where two places are in sight."""

    sky: Layer
    clouds: tuple[Layer, ...]
    land: tuple[Layer, ...]
    second: Layer
    main: Layer
    fog: Layer
    falling: tuple[Layer, ...]
    wiping: Tensor

    def on(self, device: torch.device) -> Layers:
        """All layers, ready to be drawn on `device`."""

        def each(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
            return tuple(layer.on(device) for layer in layers)

        sky, second, main, fog = each((self.sky, self.second, self.main, self.fog))
        clouds, land, falling = each(self.clouds), each(self.land), each(self.falling)
        return Layers(sky, clouds, land, second, main, fog, falling, self.wiping)


def frame_layers(values: dict[str, Tensor], atlas: Atlas, aspect: float) -> Layers:
    """The layers of `motion.frame_values` [B, T], frames in order of (b, t)."""
    v = {name: value.flatten() for name, value in values.items()}
    width = 256.0 * aspect
    return Layers(
        sky=_sky(v, atlas, width),
        clouds=tuple(_clouds(v, atlas, *which) for which in ((1, 0.72, 0), (0, 1.0, 1), (1, 1.0, 1))),
        land=tuple(_land(v, atlas, layer) for layer in range(motion.LAYERS)),
        second=_subject(v, atlas, width, "second_"),
        main=_subject(v, atlas, width, ""),
        fog=_layer(FOG_BANKS, {**v, "drift": v["fog_drift"]}, wanted=v["fog"]),
        falling=tuple(_falling(v, atlas, "rain", kind) for kind in RAIN)
        + tuple(_falling(v, atlas, "snow", kind) for kind in SNOW),
        wiping=(v["wipe_0"] < 1) | (v["wipe_3"] < 1),
    )


def _layer(
    names: tuple[str, ...], table: dict[str, Tensor], ints: tuple[Tensor, Tensor] | None = None,
    wanted: Tensor | None = None,
) -> Layer:  # fmt: skip
    like = next(iter(table.values()))
    floats = torch.stack([table[name].expand_as(like) for name in names], -1).to(torch.float32)
    whole = torch.stack(ints or (torch.zeros_like(like),) * 2, -1).to(torch.int32)
    return Layer(
        names, floats, whole, torch.ones_like(like, dtype=torch.bool) if wanted is None else wanted > 0
    )


def _sky(v: dict[str, Tensor], atlas: Atlas, width: float) -> Layer:
    table = dict(v)
    table["tilt"] = 0.15 * v["tilt_0"]
    table["bare"] = (1 - 1.2 * v["overcast"]).clamp(min=0.05)
    table["star_x"] = _turn(0.02 * v["fall_scroll"] + v["star_offset"], atlas.strip_columns / atlas.scale)
    table["sun_x"], table["moon_x"] = v["sun_x"] * width, v["moon_x"] * width
    base = torch.full_like(v["t"], 2 * atlas.strip_columns * atlas.sky_rows)
    return _layer(SKY, table, (base, base))


def _clouds(v: dict[str, Tensor], atlas: Atlas, strip: int, size: float, drift: int) -> Layer:
    table = dict(v)
    table["size"] = torch.full_like(v["t"], size)
    table["x"] = _turn(v[f"cloud_x_{drift}"], atlas.strip_columns / atlas.scale)
    table["y"] = v["cloud_tilt"] + (4.0 if strip == 0 else -6.0)
    table["amount"] = v["dense"] if strip else v["fair"]
    table["body"] = torch.full_like(v["t"], 0.92 if size == 1.0 else 0.75)
    base = torch.full_like(v["t"], strip * atlas.strip_columns * atlas.sky_rows)
    return _layer(CLOUDS, table, (base, base), wanted=table["amount"])


def _land(v: dict[str, Tensor], atlas: Atlas, layer: int) -> Layer:
    table = dict(v)
    table["inverse_zoom"], table["wipe"] = v[f"inverse_zoom_{layer}"], v[f"wipe_{layer}"]
    table["scroll"] = _turn(v[f"scroll_{layer}"], atlas.strip_columns / atlas.scale)
    table["drop"] = v[f"tilt_{layer}"] + LAYER_TOP[layer]
    table["white"] = SNOW_COVER[layer] * v["snow"]
    table["thickness"] = torch.full_like(v["t"], HAZE[layer])
    table["mist"] = torch.full_like(v["t"], MIST[layer])
    table["fog"] = FOG[layer] * v["fog"]
    texels = atlas.strip_columns * atlas.strip_rows
    bases = tuple((v[f"place_{when}"] * motion.LAYERS + layer) * texels for when in ("before", "after"))
    return _layer(LAND, table, (bases[0], bases[1]))


def _falling(
    v: dict[str, Tensor], atlas: Atlas, weather: str, kind: tuple[float, float, float, float, float]
) -> Layer:
    size, fall, slant, sway, strength = kind
    table = dict(v)
    table["size"] = torch.full_like(v["t"], size)
    table["x"] = _turn(slant * v["t"] + 0.45 * v["fall_scroll"], float(TILE))
    table["y"] = _turn(-fall * v["t"], float(TILE))
    table["sway"] = torch.full_like(v["t"], sway)
    table["sway_phase"] = 0.05 * v["t"]
    table["amount"] = strength * v[weather]
    for channel in "rgb":
        if weather == "rain":
            table[f"colour_{channel}"] = 0.5 * v[f"haze_{channel}"] + 0.5
        else:
            table[f"colour_{channel}"] = 0.45 * v[f"cloud_lit_{channel}"] + 0.55
    base = torch.full_like(v["t"], 3 * atlas.strip_columns * atlas.sky_rows)
    shift = torch.full_like(v["t"], 0 if weather == "rain" else 8)
    return _layer(FALLING, table, (base, shift), wanted=table["amount"])


def _turn(value: Tensor, period: float) -> Tensor:
    """`value` modulo `period`, in float64: positions stay exact however long the film."""
    return torch.remainder(value, period)


def _subject(v: dict[str, Tensor], atlas: Atlas, width: float, prefix: str) -> Layer:
    """The map from page to texture (ux, uy, u0, vx, vy, v0), colours, and where the texture lies."""
    zoom = v["zoom"]
    x = width / 2 + v[f"{prefix}x"] * (width / PAGE_WIDTH) * zoom
    y = PIVOT + (v[f"{prefix}y"] - PIVOT) * zoom
    scale = BODY * torch.exp(v[f"{prefix}size"]) * zoom
    subject = v[f"{prefix}subject"].long()
    turns = torch.tensor([name in FACES_WAY for name in SUBJECTS])[subject]
    facing = v[f"{prefix}facing"]
    across = torch.where(facing < 0, -1.0, 1.0) * facing.abs().clamp(min=0.14)
    across = torch.where(turns, across, torch.ones_like(across))
    angle = v[f"{prefix}lean"] + torch.where(turns, facing * v[f"{prefix}pitch"], torch.zeros_like(facing))
    texels = atlas.sprite_size.to(torch.float64) / SPRITE
    level = (torch.log(texels) - torch.log(scale * atlas.scale)[:, None]).abs().argmin(-1)
    pose = torch.floor(v[f"{prefix}beat"] * POSES).long() % POSES
    size = atlas.sprite_size[level]
    fine = size.to(torch.float64) / SPRITE
    cosine, sine = torch.cos(angle), torch.sin(angle)
    ux, uy = fine * cosine / (scale * across), fine * sine / (scale * across)
    vx, vy = -fine * sine / scale, fine * cosine / scale
    table = dict(v)
    table.update(ux=ux, uy=uy, u0=fine * SPRITE / 2 - ux * x - uy * y)
    table.update(vx=vx, vy=vy, v0=fine * SPRITE / 2 - vx * x - vy * y)
    table.update({f"tint_{c}": v[f"{prefix}tint_{c}"] for c in "rgb"}, veil=SUBJECT_FOG * v["fog"])
    ints = (atlas.sprite_base[subject, pose, level], size)
    return _layer(SUBJECT, table, ints, wanted=v["here"] if prefix else None)
