"""Stories that training never draws, in a fixed order (no torch)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from arlon_core.errors import ArlonError
from arlon_core.story import MAX_SEED, Segment, Story
from arlon_core.world.script import HELD_OUT, Script, sample_script

# What `evaluate stories` does unless told otherwise (our choices).
FIRST_STORY = 1_000_000  # after the first held-out seed; the stages evaluate on seeds far below it
STORIES = 20
FILMS = 6  # the first stories are rendered as well; all of them take a GPU, or much time

_SEGMENTS = (3, 4, 5, 6)  # in turn
# Segments of 4 to 8 s at 12 frames a second: slow changes come to their end in them.
_LEAST_LATENTS, _MOST_LATENTS = 12, 24


@dataclass(frozen=True)
class HeldOutStory:
    """A script that training never draws, and the same as a story of prompts."""

    script: Script
    story: Story

    @property
    def shown(self) -> list[int]:
        """The frame of the film that the sheets show of each segment: the middle of its last third."""
        return [
            segment.start_frame + (segment.stop_frame - segment.start_frame) * 5 // 6
            for segment in self.script.segments
        ]


def held_out_story(number: int, fps: int) -> HeldOutStory:
    """Story `number`, counted from the first held-out seed, with the script's borders at `fps`.

    Captions become prompts, and each segment lasts as many frames as in the script. Whether a prompt is a
    full description is not told: the engine finds out, as for anybody's story. Raises ArlonError.
    """
    seed = HELD_OUT + number
    if number < 0 or seed > MAX_SEED:
        raise ArlonError(f"there is no held-out story {number}; give 0 to {MAX_SEED - HELD_OUT}.")
    latents = max(_SEGMENTS) * _MOST_LATENTS
    whole = sample_script(seed, 4 * latents - 3, _LEAST_LATENTS, _MOST_LATENTS)
    return as_story(first_segments(whole, _SEGMENTS[number % len(_SEGMENTS)]), fps)


def first_segments(script: Script, count: int) -> Script:
    """The script of an episode that ends after `count` segments."""
    kept = script.segments[:count]
    return replace(script, frames=kept[-1].stop_frame, segments=kept)


def as_story(script: Script, fps: int) -> HeldOutStory:
    """A script's captions as prompts, each for as many frames as in the script; the seed is the script's."""
    segments = tuple(
        Segment(segment.caption, (segment.stop_frame - segment.start_frame) / fps)
        for segment in script.segments
    )
    return HeldOutStory(script, Story(segments, seed=script.seed))
