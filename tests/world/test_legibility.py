"""What cannot be seen is not asked: only flight and pan that cancel each other."""

from __future__ import annotations

import numpy as np
import pytest

from arlon_core.world.legibility import NOT_ASKED, asked_labels
from arlon_core.world.renderer import StoryworldRenderer
from arlon_core.world.script import Script, ScriptSegment, sample_script
from arlon_core.world.vocabulary import LABELS, Attributes, label_indices


def script(*moves: tuple[str, str], length: int = 96) -> Script:
    """A script of segments of equal length with these actions and cameras."""
    segments = []
    for number, (action, camera) in enumerate(moves):
        attributes = Attributes("owl", "red", "meadow", "day", "clear", action, camera)
        segments.append(ScriptSegment(length * number, length * number + length, attributes, "", True))
    return Script(3, length * len(moves), tuple(segments))


def test_flight_against_the_pan_at_the_edge_is_not_asked():
    labels = asked_labels(script(("left", "still"), ("left", "pan right"), ("left", "pan left")))
    assert [label["action"] == NOT_ASKED for label in labels] == [False, True, False]
    assert [label["camera"] == NOT_ASKED for label in labels] == [False, True, False]
    assert labels[1]["subject"] == LABELS["subject"].index("owl")


def test_flight_against_the_pan_away_from_the_edge_is_asked():
    """The subject crosses the page while the landscape scrolls under it: that can be seen."""
    (labels,) = asked_labels(script(("left", "pan right"), length=20))
    assert labels["action"] == LABELS["action"].index("left")
    assert labels["camera"] == LABELS["camera"].index("pan right")


def test_it_looks_the_same_as_nothing_moving():
    """The page itself: landscapes of that segment and of one that stands still do not scroll."""
    frames = {}
    for name, last in (
        ("against", ("left", "pan right")),
        ("still", ("still", "still")),
        ("left", ("left", "still")),
    ):
        episode = script(("left", "still"), last)
        drawn = StoryworldRenderer(64, 112).render([episode], 160, 17).frames[0].numpy().astype(int)
        frames[name] = np.abs(drawn[-1] - drawn[0])[
            :, -12:
        ].mean()  # the foot of the page: the near landscape
    assert frames["against"] < 0.4 * frames["left"]
    assert frames["still"] < 0.4 * frames["left"]


@pytest.mark.parametrize("seed", range(20))
def test_everything_else_is_asked_as_the_script_says(seed: int):
    episode = sample_script(seed, 285, 14, 24)
    for asked, segment in zip(asked_labels(episode), episode.segments, strict=True):
        against = {("left", "pan right"), ("right", "pan left")}
        truth = label_indices(segment.attributes)
        if (segment.attributes.action, segment.attributes.camera) not in against:
            assert asked == truth
        assert {**asked, "action": 0, "camera": 0} == {**truth, "action": 0, "camera": 0}
