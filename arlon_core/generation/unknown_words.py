"""Warnings about prompts outside a model's world: words it has never seen, and near ones that it knows."""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import TYPE_CHECKING

from arlon_core.generation.events import WarningRaised
from arlon_core.models.known_words import unknown_words
from arlon_core.world.near_words import kinds_to_choose_from, near_words

if TYPE_CHECKING:
    from arlon_core.pipeline import ArlonPipeline
    from arlon_core.story import Story

_MOST = 6  # words that one warning names


def word_warnings(pipe: ArlonPipeline, story: Story) -> Iterator[WarningRaised]:
    """One warning for each segment, and for the style, with words that the model has never seen.

    What subjects and places there are is told once a film, where first something is lacking.
    """
    known = pipe.known_words
    if words := unknown_words(known, story.style):
        yield WarningRaised(f"the style: {_sentence(known, words)}.")
    told: set[str] = set()
    for index, segment in enumerate(story.segments):
        if words := unknown_words(known, segment.prompt):
            lacking = [word for word in words if not near_words(known, word)]
            kinds = kinds_to_choose_from(known, segment.prompt, lacking)
            choices = [f"; its {kind} are {_listed(kinds[kind])}" for kind in kinds if kind not in told]
            told |= set(kinds)
            sentence = f"segment {index + 1}: {_sentence(known, words)}{''.join(choices)}."
            yield WarningRaised(sentence, index)


def word_hint(known: Set[str], prompt: str) -> str:
    """One sentence on the words of a prompt that the model has never seen, "" when there are none."""
    words = unknown_words(known, prompt)
    if not words:
        return ""
    sentence = _sentence(known, words)
    return f"{sentence[0].upper()}{sentence[1:]}."


def _sentence(known: Set[str], words: list[str]) -> str:
    """`the model has never seen "wale" (near: whale) and "unicorn"`"""
    near = {word: ", ".join(near_words(known, word)) for word in words}
    named = [f'"{word}"' + (f" (near: {near[word]})" if near[word] else "") for word in words]
    if len(named) > _MOST:
        named = [*named[:_MOST], f"{len(named) - _MOST} more"]
    return f"the model has never seen {_listed(named)}"


def _listed(items: list[str]) -> str:
    return ", ".join(items[:-1]) + (" and " if items[:-1] else "") + items[-1]
