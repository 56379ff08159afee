"""The colours of the air: palettes by time of day and colour of subjects, as tables for `motion` (ours)."""

from __future__ import annotations

import torch

from arlon_core.world.vocabulary import COLOURS, TIMES

# one row a colour of the air; columns are dawn, day, dusk, night
AIR: dict[str, tuple[str, str, str, str]] = {
    "zenith": ("8696d2", "4a9fe0", "4a4390", "101a48"),
    "middle": ("e8b3c4", "8fcdf0", "dc6f86", "22357a"),
    "horizon": ("ffe0ae", "e2f4ee", "ffc06a", "5069b0"),
    "haze": ("f4cbc2", "c9e6ee", "ea9a80", "34488c"),
    "light": ("fff0e6", "ffffff", "ffcdb4", "7484bc"),
    "subject_light": ("fff4ee", "ffffff", "ffdcc8", "c0c8e8"),
    "cloud_lit": ("fff0e2", "ffffff", "ffcf9c", "7a8cc0"),
    "cloud_shade": ("dba6bd", "c2dcee", "b06a98", "34437e"),
    "sun": ("ffe9a8", "fff6cf", "ff9a5a", "ff8a5a"),
}
# columns as above: where the sun and the moon stand on a page 448x256, and how much of the night there is
PATHS: dict[str, tuple[float, float, float, float]] = {
    "sun_x": (0.20, 0.44, 0.80, 0.94),
    "sun_y": (128.0, 46.0, 132.0, 340.0),
    "sun_size": (21.0, 19.0, 25.0, 25.0),
    "moon_x": (0.10, 0.14, 0.16, 0.24),
    "moon_y": (330.0, 330.0, 300.0, 56.0),
    "night": (0.10, 0.0, 0.30, 1.0),
    "stars": (0.06, 0.0, 0.10, 1.0),
}
SUBJECT_COLOURS: dict[str, str] = {
    "red": "de3a3a", "orange": "f58a2c", "yellow": "f8cf3a", "green": "4caf58", "turquoise": "2fb9b4",
    "blue": "3f72d8", "purple": "8a56c2", "pink": "f387b2", "white": "f6f3ec",
}  # fmt: skip
# how much of (overcast, fair clouds, dense clouds, rain, snow, fog) each weather brings
WEATHER_AMOUNTS: dict[str, tuple[float, float, float, float, float, float]] = {
    "clear": (0.0, 0.75, 0.0, 0.0, 0.0, 0.0),
    "cloudy": (0.44, 1.0, 1.0, 0.0, 0.0, 0.0),
    "rain": (0.70, 0.6, 0.9, 1.0, 0.0, 0.12),
    "snow": (0.44, 0.6, 0.6, 0.0, 1.0, 0.10),
    "fog": (0.60, 0.3, 0.0, 0.0, 0.0, 1.0),
}


def rgb(hexadecimal: str) -> tuple[float, float, float]:
    """(r, g, b) in 0..1 of "rrggbb"."""
    red, green, blue = bytes.fromhex(hexadecimal)
    return red / 255, green / 255, blue / 255


def air_table() -> torch.Tensor:
    """[4 times, 3 * len(AIR) + len(PATHS)] float64."""
    columns = []
    for time in range(len(TIMES)):
        row = [value for colours in AIR.values() for value in rgb(colours[time])]
        columns.append(row + [values[time] for values in PATHS.values()])
    return torch.tensor(columns, dtype=torch.float64)


def air_names() -> list[str]:
    """The column names of `air_table`."""
    return [f"{name}_{channel}" for name in AIR for channel in "rgb"] + list(PATHS)


def colour_table() -> torch.Tensor:
    """[colours, 3] float64."""
    return torch.tensor([rgb(SUBJECT_COLOURS[name]) for name in COLOURS], dtype=torch.float64)


def weather_table() -> torch.Tensor:
    """[weathers, 6] float64: overcast, fair clouds, dense clouds, rain, snow, fog."""
    return torch.tensor(list(WEATHER_AMOUNTS.values()), dtype=torch.float64)


def under_clouds(air: dict[str, torch.Tensor], overcast: torch.Tensor) -> None:
    """Greys the sky's colours in place and dims the light, by `overcast` in 0..1."""
    for name in ("zenith", "middle", "horizon", "haze", "cloud_lit", "cloud_shade"):
        red, green, blue = (air[f"{name}_{channel}"] for channel in "rgb")
        grey = 0.3 * red + 0.5 * green + 0.2 * blue
        depth = {"zenith": 0.90, "cloud_lit": 0.90, "cloud_shade": 0.80}.get(name, 0.88)
        for channel, tint in zip("rgb", (0.90, 0.98, 1.10), strict=True):
            key = f"{name}_{channel}"
            air[key] = air[key] + 0.66 * overcast * (grey * depth * tint - air[key])
            air[key] = air[key] * (1 - 0.10 * overcast**2)
    for channel, dim in zip("rgb", (0.86, 0.89, 0.95), strict=True):
        key = f"light_{channel}"
        air[key] = air[key] * (1 + overcast * (dim - 1))
