"""Landscapes: each place as four strips that tile, from far hills to the foreground."""

from __future__ import annotations

from arlon_core.world.art import places_cold, places_garden, places_green, places_town, places_warm
from arlon_core.world.art.canvas import Canvas

STRIP_WIDTH, STRIP_HEIGHT = 1344, 170  # units; a page is 448 x 256
LAYER_TOP = (52.0, 74.0, 104.0, 148.0)  # the page's row at each strip's top
PAINTERS = {
    "meadow": places_green.meadow, "forest": places_green.forest, "garden": places_garden.garden,
    "sea": places_warm.sea, "desert": places_warm.desert, "city": places_town.city,
    "mountains": places_cold.mountains, "ice": places_cold.ice,
}  # fmt: skip


def paint_place(place: str, scale: float) -> list[Canvas]:
    """Far, middle, near and front strips of a place."""
    strips = [Canvas(STRIP_WIDTH, STRIP_HEIGHT, scale, wrap=True) for _ in LAYER_TOP]
    PAINTERS[place](*strips)
    for strip in strips:
        strip.planes[:, :2] = 0  # rows above a strip repeat its first one, which must be empty
    return strips
