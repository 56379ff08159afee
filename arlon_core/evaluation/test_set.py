"""The test set, on which everything that is reported is measured: 64 held-out progressive stories (no torch).

More of the same kind follow it: the selection set, by which weights and settings are chosen, so that nothing
is chosen by what is reported.

Their seeds are neither training's nor those on which the stages and the sheets look, and their captions come
from sentence shapes that training never sees. Full and change-only prompts are mixed as the script has it.
"""

from __future__ import annotations

from arlon_core.errors import ArlonError
from arlon_core.evaluation.held_out import HeldOutStory, as_story, first_segments
from arlon_core.world.script import HELD_OUT, sample_script
from arlon_core.world.unseen_captions import UNSEEN_PHRASING

TEST_STORIES = 64
SELECTION_STORIES = 128
FIRST_TEST_SEED = HELD_OUT + 2_000_000
# Segments of a story, and the fewest and most latent frames of each, in turn: 27 to 45 s at 12 frames a
# second, 416 segments in all. 14 latent frames are what a reading in the last third needs.
_SHAPES = ((5, 14, 24), (6, 14, 24), (7, 14, 21), (8, 14, 18))


def benchmark_story(number: int, fps: int) -> HeldOutStory:
    """Story `number` of the test set, 0 to 63. Raises ArlonError for another."""
    if not 0 <= number < TEST_STORIES:
        raise ArlonError(f"the test set has stories 0 to {TEST_STORIES - 1}, and no story {number}.")
    return prompt_story(number, fps)


def selection_story(number: int, fps: int) -> HeldOutStory:
    """Story `number` of the selection set, 0 to 127. Raises ArlonError for another."""
    if not 0 <= number < SELECTION_STORIES:
        raise ArlonError(
            f"the selection set has stories 0 to {SELECTION_STORIES - 1}, and no story {number}."
        )
    return prompt_story(TEST_STORIES + number, fps)


def prompt_story(number: int, fps: int) -> HeldOutStory:
    """Story `number` of those whose prompts are read: the test set's, and more like them after it.

    Reading costs little, and differences of a point need many.
    """
    segments, least, most = _SHAPES[number % len(_SHAPES)]
    # Two segments more than needed: only an episode's last one may be shorter than the least.
    frames = 4 * (segments + 2) * most - 3
    script = sample_script(FIRST_TEST_SEED + number, frames, least, most, UNSEEN_PHRASING)
    return as_story(first_segments(script, segments), fps)
