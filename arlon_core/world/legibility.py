"""What can be seen of a segment once its changes have come to their end (no torch).

Nearly every attribute can: a change takes 42 frames at most, speeds are constant, and subjects stay in view.
One case cannot: a subject that flies left at the left edge of the page while the camera pans right. Landscape
and subject then stand still on the page, exactly as when nothing moves. Such an action and such a camera move
are asked of nobody, neither of a judge in training nor of a film, the true one included.
"""

from __future__ import annotations

from arlon_core.world import staging
from arlon_core.world.script import CHANGES, Script
from arlon_core.world.vocabulary import Attributes, label_indices

NOT_ASKED = -100  # what cross_entropy ignores
LEAST_SCROLL = 0.6  # pixels a frame on a page 448 wide; our choice


def asked_labels(script: Script) -> list[dict[str, int]]:
    """One a segment: the class of each label in `vocabulary.LABELS`, NOT_ASKED where it cannot be seen."""
    stage = staging.opening(script.seed)
    labels = []
    for segment in script.segments:
        frames = segment.stop_frame - segment.start_frame
        stage, velocity = staging.advance(stage, segment.attributes, frames)
        asked = label_indices(segment.attributes)
        if cancels(segment.attributes, velocity):
            asked |= {"action": NOT_ASKED, "camera": NOT_ASKED}
        labels.append(asked)
    return labels


def asked_changes(script: Script) -> list[dict[str, int]]:
    """One a segment: the class of each attribute that the script changes at its border and that can be seen.

    Nothing changes at the first. What comes or goes as a second subject is asked, its colour comes with it.
    """
    said = [label_indices(segment.attributes) for segment in script.segments]
    return [{}] + [
        {name: now[name] for name in CHANGES if now[name] not in (before[name], NOT_ASKED)}
        for before, now in zip(said[:-1], asked_labels(script)[1:], strict=True)
    ]


def cancels(attributes: Attributes, velocity: staging.Velocity) -> bool:
    """Whether the pan takes back what the subject's flight moves."""
    against = {"left": "pan right", "right": "pan left"}
    return against.get(attributes.action) == attributes.camera and abs(velocity.scroll) < LEAST_SCROLL
