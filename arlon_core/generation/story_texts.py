"""What AR and DiT read of a story: everything that is to be seen in each segment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from arlon_core.generation.events import WarningRaised
from arlon_core.generation.unknown_words import word_warnings
from arlon_core.story import Story, join_sentences, segment_texts
from arlon_core.world.film_reading import leaves_open, pictures
from arlon_core.world.plain_captions import plain_caption
from arlon_core.world.vocabulary import LABELS

if TYPE_CHECKING:
    from arlon_core.pipeline import ArlonPipeline


def story_texts(pipe: ArlonPipeline, story: Story) -> tuple[list[str], str]:
    """The text of each segment, and what the film takes where the first prompt leaves something open, or "".

    A model of Storyworld reads the style and a plain caption of all that is to be seen. Others know other
    things, and read style + the last full description + the current change.
    """
    prompts = [segment.prompt for segment in story.segments]
    if not reads_the_world(pipe):
        return segment_texts(story.style, prompts, pipe.is_full(prompts)), ""
    captions = story_captions(story)
    taken = captions[0] if leaves_open(prompts[0]) else ""
    return [join_sentences([story.style, caption]) for caption in captions], taken


def story_captions(story: Story) -> list[str]:
    """What a model of Storyworld is told of each segment, style aside; no model is needed to say."""
    prompts = [segment.prompt for segment in story.segments]
    return [plain_caption(picture) for picture in pictures(prompts, story.seed, story.style)]


def reads_the_world(pipe: ArlonPipeline) -> bool:
    """Whether the model's reader knows Storyworld's attributes, and no others."""
    reader = pipe.attribute_reader
    return reader is not None and are_the_worlds(reader.config.attributes)


def are_the_worlds(attributes: Mapping[str, int]) -> bool:
    """Whether attributes, each with how many values it has, are Storyworld's, and no others."""
    return dict(attributes) == {name: len(values) for name, values in LABELS.items()}


def prompt_warnings(pipe: ArlonPipeline, story: Story, taken: str) -> Iterator[WarningRaised]:
    """What to know of the prompts before any work: words never seen, and what the film takes where the first
    one leaves something open, so that people can say otherwise.

    taken: as `story_texts` gives it.
    """
    yield from word_warnings(pipe, story)
    if taken:
        yield WarningRaised(f"segment 1 leaves something open; the film takes: {taken}", 0)
