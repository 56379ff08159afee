"""The long set: 64 held-out stories of exactly 600 frames, as long as the paper's long videos (no torch).

Every second one, from the first on, has one prompt that stays to the end, as in the paper's comparison: what
changes in such a film has drifted. The others change their prompt six times, since that is how this model's
films grow long. Their first and their last segment are longer than a tenth of the film, so no border of the
story falls into the tenths that are compared.
"""

from __future__ import annotations

from dataclasses import replace

from arlon_core.errors import ArlonError
from arlon_core.evaluation.held_out import HeldOutStory, as_story
from arlon_core.world.legibility import NOT_ASKED, asked_labels
from arlon_core.world.script import HELD_OUT, Script, sample_script
from arlon_core.world.staging import LEAST_ROOM
from arlon_core.world.unseen_captions import UNSEEN_PHRASING

LONG_STORIES = 64
LONG_FRAMES = 600
FIRST_LONG_SEED = HELD_OUT + 5_000_000
SEEDS_OF_A_STORY = 100  # among which the first is taken whose script fits
ONE_PROMPT, PROGRESSIVE = "one prompt", "progressive"
# Fewest and most latent frames of a progressive story's segments: seven of them.
_LEAST, _MOST = 20, 24


def long_story(number: int, fps: int) -> HeldOutStory:
    """Story `number` of the long set, 0 to 63. Raises ArlonError for another."""
    if not 0 <= number < LONG_STORIES:
        raise ArlonError(f"the long set has stories 0 to {LONG_STORIES - 1}, and no story {number}.")
    seed = FIRST_LONG_SEED + SEEDS_OF_A_STORY * number
    latents = -(-(LONG_FRAMES + 3) // 4)
    if kind_of_story(number) == PROGRESSIVE:
        least, most, fits = _LEAST, _MOST, _ends_whole
    else:
        least, most, fits = latents, latents, _can_stay
    drawn = (_script(seed + i, latents, least, most) for i in range(SEEDS_OF_A_STORY))
    return as_story(next(script for script in drawn if fits(script)), fps)


def kind_of_story(number: int) -> str:
    """ONE_PROMPT or PROGRESSIVE."""
    return PROGRESSIVE if number % 2 else ONE_PROMPT


def _script(seed: int, latents: int, least: int, most: int) -> Script:
    """An episode of LONG_FRAMES; its last latent frame decodes to one to three more, which are left out."""
    whole = sample_script(seed, 4 * latents - 3, least, most, UNSEEN_PHRASING)
    last = replace(whole.segments[-1], stop_frame=LONG_FRAMES)
    return replace(whole, frames=LONG_FRAMES, segments=(*whole.segments[:-1], last))


def _ends_whole(script: Script) -> bool:
    """Whether the last segment is as long as the others, and no remainder."""
    last = script.segments[-1]
    return last.stop_frame - last.start_frame >= 4 * _LEAST - 3


def _can_stay(script: Script) -> bool:
    """Whether what happens can go on for 600 frames and be seen: a climb, say, would run out of sky."""
    attributes = script.segments[0].attributes
    endless = not {attributes.action, attributes.camera} & set(LEAST_ROOM)
    return endless and NOT_ASKED not in asked_labels(script)[0].values()
