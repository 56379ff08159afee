"""An episode's script: several segments in one continuous shot, drawn from a seed (no torch)."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from arlon_core.world import staging
from arlon_core.world.captions import TRAINING_PHRASING, Phrasing
from arlon_core.world.vocabulary import (
    ACTIONS,
    CAMERAS,
    COLOURS,
    PLACES,
    SUBJECTS,
    TIMES,
    WEATHERS,
    Attributes,
)

HELD_OUT = 1 << 40  # seeds from here on are never drawn in training

# how often each attribute is chosen to change at a border (our choice: motion most, colour rarely)
CHANGES = {
    "action": 0.34, "time_of_day": 0.15, "weather": 0.16, "camera": 0.14,
    "place": 0.10, "second_subject": 0.11, "colour": 0.02,
}  # fmt: skip
CHANGE_COUNTS = ((0, 0.08), (1, 0.50), (2, 0.32), (3, 0.10))


@dataclass(frozen=True)
class ScriptSegment:
    """Frames [start_frame, stop_frame) under one caption; `full` tells a whole description from a change."""

    start_frame: int
    stop_frame: int
    attributes: Attributes
    caption: str
    full: bool


@dataclass(frozen=True)
class Script:
    """One episode. The first segment's caption is always full."""

    seed: int
    frames: int
    segments: tuple[ScriptSegment, ...]


def sample_script(
    seed: int,
    frames: int,
    min_latents: int = 6,
    max_latents: int = 24,
    phrasing: Phrasing = TRAINING_PHRASING,
    full_share: float = 0.5,
) -> Script:
    """The script of `seed`: `frames` must be 4n-3; segments have min_latents to max_latents latent frames.

    An episode too short for two segments has one. phrasing: the wording of its captions. full_share: of the
    captions after the first, whole descriptions rather than changes. Raises ValueError for impossible
    lengths.
    """
    if frames < 1 or frames % 4 != 1:
        raise ValueError(f"an episode has 4n-3 frames, and {frames} is not such a number")
    if not 1 <= min_latents <= max_latents:
        raise ValueError(f"segments of {min_latents} to {max_latents} latent frames cannot be made")
    rng = random.Random(f"storyworld/{seed}")
    borders = _borders(rng, (frames + 3) // 4, min_latents, max_latents)
    stage = staging.opening(seed)
    attributes = _opening_attributes(rng, stage)
    second = companion(rng, attributes)
    if rng.random() < 0.4:
        attributes = replace(attributes, second_subject=second)
    segments: list[ScriptSegment] = []
    before: Attributes | None = None
    moved_place = False
    for first, last in itertools.pairwise(borders):
        if before is not None:
            attributes = _next_attributes(rng, before, stage, second, may_travel=not moved_place)
            moved_place = attributes.place != before.place
        start, stop = max(0, 4 * first - 3), 4 * last - 3
        full = before is None or rng.random() < full_share
        if before is None or full:
            caption = phrasing.full(rng, attributes, before is None)
        else:
            caption = phrasing.change(rng, before, attributes)
        segments.append(ScriptSegment(start, stop, attributes, caption, full))
        stage, _ = staging.advance(stage, attributes, stop - start)
        before = attributes
    return Script(seed, frames, tuple(segments))


def _borders(rng: random.Random, latents: int, least: int, most: int) -> list[int]:
    """Latent borders 0 = b_0 < b_1 ... = latents; lengths in [least, most] wherever that can be."""
    borders = [0]
    while latents - borders[-1] > 0:
        left = latents - borders[-1]
        length = rng.randint(least, most)
        if left - length < least:
            if left <= most:
                length = left
            elif left >= 2 * least:
                length = rng.randint(max(least, left - most), min(most, left - least))
            else:
                length = most
        borders.append(borders[-1] + length)
    return borders


def _opening_attributes(rng: random.Random, stage: staging.Stage) -> Attributes:
    return Attributes(
        subject=rng.choice(list(SUBJECTS)),
        colour=rng.choice(list(COLOURS)),
        place=rng.choice(list(PLACES)),
        time_of_day=rng.choice(list(TIMES)),
        weather=_weather(rng, ""),
        action=rng.choice([action for action in ACTIONS if staging.possible(stage, action)]),
        camera="still" if rng.random() < 0.4 else _possible_camera(rng, stage, ""),
    )


def _weather(rng: random.Random, now: str) -> str:
    """Another weather; clear skies twice as often as each other one, since they show most."""
    kinds = [kind for kind in WEATHERS if kind != now]
    return rng.choices(kinds, [2.0 if kind == "clear" else 1.0 for kind in kinds])[0]


def companion(rng: random.Random, attributes: Attributes) -> str:
    """A second subject, "<colour> <subject>", unlike the first in kind and colour."""
    subject = rng.choice([name for name in SUBJECTS if name != attributes.subject])
    colour = rng.choice([name for name in COLOURS if name != attributes.colour])
    return f"{colour} {subject}"


def _possible_camera(rng: random.Random, stage: staging.Stage, now: str) -> str:
    return rng.choice([move for move in CAMERAS if move != now and staging.possible(stage, move)])


def _next_attributes(
    rng: random.Random, before: Attributes, stage: staging.Stage, companion: str, *, may_travel: bool
) -> Attributes:
    """The attributes after a border: none to three changes. What has run out of room must end."""
    after = before
    wanted = _choose_changes(rng, may_travel)
    if not staging.possible(stage, before.action) and "action" not in wanted:
        wanted = [*wanted, "action"]
    if not staging.possible(stage, before.camera) and "camera" not in wanted:
        wanted = [*wanted, "camera"]
    for name in wanted:
        changed: dict[str, Any] = {name: _other_value(rng, name, before, stage, companion)}
        after = replace(after, **changed)
    return after


def _choose_changes(rng: random.Random, may_travel: bool) -> list[str]:
    count = rng.choices([count for count, _ in CHANGE_COUNTS], [weight for _, weight in CHANGE_COUNTS])[0]
    left = {name: weight for name, weight in CHANGES.items() if may_travel or name != "place"}
    chosen: list[str] = []
    for _ in range(count):
        name = rng.choices(list(left), list(left.values()))[0]
        del left[name]
        chosen.append(name)
    return chosen


def _other_value(
    rng: random.Random, name: str, before: Attributes, stage: staging.Stage, companion: str
) -> str | None:
    if name == "second_subject":
        return companion if before.second_subject is None else None
    if name == "camera":
        if before.camera != "still" and rng.random() < 0.4:
            return "still"
        return _possible_camera(rng, stage, before.camera)
    if name == "action":
        return rng.choice([a for a in ACTIONS if a != before.action and staging.possible(stage, a)])
    if name == "weather":
        return _weather(rng, before.weather)
    values: dict[str, Sequence[str]] = {
        "colour": [c for c in COLOURS if c != companion.partition(" ")[0]],
        "place": list(PLACES), "time_of_day": list(TIMES),
    }  # fmt: skip
    return rng.choice([value for value in values[name] if value != getattr(before, name)])
