"""How training episodes tell their stories."""

from __future__ import annotations

from arlon_core.training.episodes import episode_segments, plain_episode, training_episode
from arlon_core.world.captions import TRAINING_PHRASING
from arlon_core.world.film_reading import pictures
from arlon_core.world.loose_captions import LOOSE_PHRASING
from arlon_core.world.plain_captions import plain_caption
from arlon_core.world.script import HELD_OUT, sample_script

FRAMES = 97
EPISODES = [training_episode(seed, FRAMES) for seed in range(400)]


def opening(seed: int, phrasing) -> str:
    return sample_script(seed, FRAMES, phrasing=phrasing).segments[0].caption


def test_most_stories_are_told_plainly_and_the_rest_as_people_do():
    told = [script.segments[0].caption for script in EPISODES]
    plain = sum(plain_episode(seed, FRAMES).segments[0].caption == text for seed, text in enumerate(told))
    assert abs(plain / len(told) - 0.75) < 0.06
    for phrasing in (TRAINING_PHRASING, LOOSE_PHRASING):
        of_it = sum(opening(seed, phrasing) == text for seed, text in enumerate(told))
        assert abs(of_it / len(told) - 0.125) < 0.06


def test_an_episode_is_always_told_the_same_way():
    assert [training_episode(seed, FRAMES) for seed in range(20)] == EPISODES[:20]


def test_the_models_learn_from_the_texts_that_the_engine_gives_them():
    """A film whose prompts are read right has, style aside, the texts of the same episode told plainly."""
    for seed in range(40):
        script = plain_episode(HELD_OUT + seed, FRAMES)
        read = pictures([each.caption for each in script.segments], seed=0)
        for segment, picture in zip(episode_segments(script), read, strict=True):
            assert segment.text.endswith(plain_caption(picture))
        assert read == [segment.attributes for segment in script.segments]
