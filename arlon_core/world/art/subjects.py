"""Which function draws which subject. A subject fills a page of 128 units, looking to the right."""

from __future__ import annotations

from arlon_core.world.art import animals, crafts
from arlon_core.world.art.canvas import Canvas

POSES = 4  # of a wing beat or a step
FACES_WAY = frozenset(
    {"airship", "paper plane", "aeroplane", "rocket", "bird", "butterfly", "whale", "dragon", "elephant"}
)
PAINTERS = {
    "balloon": crafts.balloon,
    "airship": crafts.airship,
    "kite": crafts.kite,
    "paper plane": crafts.paper_plane,
    "aeroplane": crafts.aeroplane,
    "rocket": crafts.rocket,
    "robot": crafts.robot,
    "lantern": crafts.lantern,
    "bird": animals.bird,
    "owl": animals.owl,
    "butterfly": animals.butterfly,
    "whale": animals.whale,
    "dragon": animals.dragon,
    "elephant": animals.elephant,
}


def paint_subject(canvas: Canvas, subject: str, pose: int) -> None:
    """Draws pose 0..POSES-1 of a subject."""
    PAINTERS[subject](canvas, pose)
