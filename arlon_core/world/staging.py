"""Where the subject and the camera go during a segment: plain numbers, shared by script and motion.

Units are pixels of a page 448 wide and 256 high; x is measured from the middle, y from the top. All choices
of speed and room are our own: calm motion of a pixel or two a frame,
and a subject that never leaves the view.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from arlon_core.world.vocabulary import Attributes

EDGE = 78.0  # the comfortable edge: beyond it the landscape scrolls instead
TOP, BOTTOM = 66.0, 168.0  # of the subject's middle, before the camera tilts
TILT = 34.0  # how far the landscape may sink or rise to follow the subject
NEAR, FAR = 0.42, -0.55  # log size of the subject
ZOOM_IN, ZOOM_OUT = 0.34, -0.17  # log zoom
SPEED, CLIMB, APPROACH, PAN, ZOOM = 1.9, 1.5, 0.0105, 1.9, 0.0060  # most a frame
LEAST_ROOM = {"rise": 40.0, "sink": 40.0, "closer": 0.3, "away": 0.3, "zoom in": 0.14, "zoom out": 0.14}


@dataclass(frozen=True)
class Stage:
    """Where things are at a segment's first frame."""

    x: float
    y: float
    tilt: float  # how far the landscape is shifted down
    size: float  # log
    zoom: float  # log
    facing: float  # 1 right, -1 left


@dataclass(frozen=True)
class Velocity:
    """What changes each frame during a segment (before easing)."""

    x: float = 0.0
    y: float = 0.0
    tilt: float = 0.0
    size: float = 0.0
    zoom: float = 0.0
    scroll: float = 0.0  # of the landscape, to the left


def opening(seed: int) -> Stage:
    """The stage at frame 0, from the script's seed."""
    rng = random.Random(f"stage/{seed}")
    return Stage(
        x=rng.uniform(-70, 70),
        y=rng.uniform(82, 150),
        tilt=0.0,
        size=rng.uniform(-0.3, 0.24),
        zoom=rng.uniform(-0.04, 0.12),
        facing=rng.choice((-1.0, 1.0)),
    )


def room(stage: Stage, move: str) -> float:
    """How far `move` (an action or a camera move) can still go."""
    return {
        "rise": stage.y - TOP + (TILT - stage.tilt),
        "sink": BOTTOM - stage.y + (TILT + stage.tilt),
        "closer": NEAR - stage.size,
        "away": stage.size - FAR,
        "zoom in": ZOOM_IN - stage.zoom,
        "zoom out": stage.zoom - ZOOM_OUT,
    }.get(move, float("inf"))


def possible(stage: Stage, move: str) -> bool:
    """Whether `move` has enough room to be seen."""
    return room(stage, move) >= LEAST_ROOM.get(move, 0.0)


def advance(stage: Stage, attributes: Attributes, frames: int) -> tuple[Stage, Velocity]:
    """The velocities of a segment of `frames` frames, and the stage after it."""
    action, camera = attributes.action, attributes.camera
    x, y, tilt, scroll, facing = stage.x, stage.y, stage.tilt, 0.0, stage.facing
    if action in ("left", "right"):
        facing = 1.0 if action == "right" else -1.0
        goal = max(-EDGE, min(EDGE, x + facing * SPEED * frames))
        goal = x if (goal - x) * facing < 0 else goal
        scroll += facing * SPEED - (goal - x) / frames
        x = goal
    if camera in ("pan left", "pan right"):
        side = 1.0 if camera == "pan right" else -1.0
        scroll += side * PAN
        x = max(-EDGE, min(EDGE, x - side * min(40.0, 0.5 * frames)))
    if action in ("rise", "sink"):
        way = -1.0 if action == "rise" else 1.0
        travel = min(room(stage, action), CLIMB * frames)
        on_screen = min(travel, (y - TOP) if way < 0 else (BOTTOM - y))
        y += way * on_screen
        tilt -= way * (travel - on_screen)
    size, zoom = stage.size, stage.zoom
    if action in ("closer", "away"):
        size += (1 if action == "closer" else -1) * max(0.0, min(room(stage, action), APPROACH * frames))
    if camera in ("zoom in", "zoom out"):
        zoom += (1 if camera == "zoom in" else -1) * max(0.0, min(room(stage, camera), ZOOM * frames))
    after = replace(stage, x=x, y=y, tilt=tilt, size=size, zoom=zoom, facing=facing)
    velocity = Velocity(
        x=(x - stage.x) / frames,
        y=(y - stage.y) / frames,
        tilt=(tilt - stage.tilt) / frames,
        size=(size - stage.size) / frames,
        zoom=(zoom - stage.zoom) / frames,
        scroll=scroll,
    )
    return after, velocity
