"""Episodes for training: told in all the ways that people tell a story."""

from __future__ import annotations

from arlon_core.training.episodes import training_episode
from arlon_core.world.captions import TRAINING_PHRASING
from arlon_core.world.loose_captions import LOOSE_PHRASING
from arlon_core.world.script import sample_script
from arlon_core.world.terse_captions import TERSE_PHRASING

FRAMES = 97
EPISODES = [training_episode(seed, FRAMES) for seed in range(400)]


def opening(seed: int, phrasing) -> str:
    return sample_script(seed, FRAMES, phrasing=phrasing).segments[0].caption


def test_stories_are_told_tidily_loosely_and_tersely():
    told = [script.segments[0].caption for script in EPISODES]
    for phrasing, share in ((TRAINING_PHRASING, 0.5), (LOOSE_PHRASING, 0.25), (TERSE_PHRASING, 0.25)):
        of_it = sum(opening(seed, phrasing) == text for seed, text in enumerate(told)) / len(told)
        assert abs(of_it - share) < 0.08


def test_an_episode_is_always_told_the_same_way():
    assert [training_episode(seed, FRAMES) for seed in range(20)] == EPISODES[:20]
