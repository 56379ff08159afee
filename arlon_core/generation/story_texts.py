"""What AR and DiT read of a story: everything that is to be seen in each segment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from arlon_core.generation.events import WarningRaised
from arlon_core.generation.unknown_words import word_warnings
from arlon_core.story import Story, join_sentences, segment_texts
from arlon_core.world.film_reading import leaves_open, pictures
from arlon_core.world.plain_captions import plain_caption
from arlon_core.world.vocabulary import LABELS

if TYPE_CHECKING:
    from arlon_core.pipeline import ArlonPipeline

_TAKEN = "leaves something open; the film takes: "


def story_texts(pipe: ArlonPipeline, story: Story) -> tuple[list[str], list[str]]:
    """The text of each segment, and what the film takes where its prompt leaves something open, else ""."""
    prompts = [segment.prompt for segment in story.segments]
    return told_texts(pipe, story.style, prompts, pipe.is_full(prompts), story.seed)


def told_texts(
    pipe: ArlonPipeline, style: str, prompts: Sequence[str], is_full: Sequence[bool], seed: int
) -> tuple[list[str], list[str]]:
    """The same, of prompts of which it is known whether they describe the whole picture.

    A model of Storyworld reads the style and a plain caption of all that is to be seen; others know other
    things, and read style + the last full description + the current change.
    """
    if not reads_the_world(pipe):
        return segment_texts(style, prompts, is_full), [""] * len(prompts)
    captions = [plain_caption(picture) for picture in pictures(prompts, is_full, seed, style)]
    taken = [
        caption if (full or not index) and leaves_open(prompt) else ""
        for index, (caption, full, prompt) in enumerate(zip(captions, is_full, prompts, strict=True))
    ]
    return [join_sentences([style, caption]) for caption in captions], taken


def reads_the_world(pipe: ArlonPipeline) -> bool:
    """Whether the model's reader knows Storyworld's attributes, and no others."""
    reader = pipe.attribute_reader
    classes = {name: len(values) for name, values in LABELS.items()}
    return reader is not None and dict(reader.config.attributes) == classes


def prompt_warnings(pipe: ArlonPipeline, story: Story, taken: Sequence[str]) -> Iterator[WarningRaised]:
    """What to know of the prompts before any work: words never seen, and what the film takes where a prompt
    leaves something open, so that people can say otherwise.

    taken: what the film takes for each prompt, as `story_texts` gives it.
    """
    yield from word_warnings(pipe, story)
    for index, sentence in enumerate(taken):
        if sentence:
            yield WarningRaised(f"segment {index + 1} {_TAKEN}{sentence}", index)


def opening_hint(story: Story) -> str:
    """The same of the first prompt before a model is loaded, which is needed to tell what later ones are."""
    prompt = story.segments[0].prompt
    if not leaves_open(prompt):
        return ""
    (picture,) = pictures([prompt], [True], story.seed, story.style)
    return f"This {_TAKEN}{plain_caption(picture)}"
