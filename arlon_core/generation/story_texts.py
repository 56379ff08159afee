"""What AR and DiT read of a story: its prompts, and what descriptions leave open, in one more sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from arlon_core.generation.events import WarningRaised
from arlon_core.generation.unknown_words import word_warnings
from arlon_core.story import Story, join_sentences, segment_texts
from arlon_core.world.prompt_extension import extended_prompts
from arlon_core.world.vocabulary import LABELS

if TYPE_CHECKING:
    from arlon_core.pipeline import ArlonPipeline

_TAKEN = "leaves something open; the film takes: "


def story_texts(pipe: ArlonPipeline, story: Story) -> tuple[list[str], list[str]]:
    """The text of each segment, and the sentence that it has beyond what people wrote, "" for most."""
    prompts = [segment.prompt for segment in story.segments]
    return extended_texts(pipe, story.style, prompts, pipe.is_full(prompts), story.seed)


def extended_texts(
    pipe: ArlonPipeline, style: str, prompts: Sequence[str], is_full: Sequence[bool], seed: int
) -> tuple[list[str], list[str]]:
    """The same, of prompts of which it is known whether they describe the whole picture.

    Only a model of Storyworld has its prompts extended: others know other things.
    """
    added = [""] * len(prompts)
    if reads_the_world(pipe):
        added = extended_prompts(prompts, is_full, seed, style)
    whole = [join_sentences(parts) for parts in zip(prompts, added, strict=True)]
    return segment_texts(style, whole, is_full), added


def reads_the_world(pipe: ArlonPipeline) -> bool:
    """Whether the model's reader knows Storyworld's attributes, and no others."""
    reader = pipe.attribute_reader
    classes = {name: len(values) for name, values in LABELS.items()}
    return reader is not None and dict(reader.config.attributes) == classes


def prompt_warnings(pipe: ArlonPipeline, story: Story, added: Sequence[str]) -> Iterator[WarningRaised]:
    """What to know of the prompts before any work: words never seen, and what the film takes where a prompt
    leaves something open, so that people can say otherwise.

    added: the sentence that each prompt has beyond what people wrote, as `story_texts` gives them.
    """
    yield from word_warnings(pipe, story)
    for index, sentence in enumerate(added):
        if sentence:
            yield WarningRaised(f"segment {index + 1} {_TAKEN}{sentence}", index)


def opening_hint(story: Story) -> str:
    """The same of the first prompt before a model is loaded, which is needed to tell what later ones are."""
    (sentence,) = extended_prompts([story.segments[0].prompt], [True], story.seed, story.style)
    return f"This {_TAKEN}{sentence}" if sentence else ""
