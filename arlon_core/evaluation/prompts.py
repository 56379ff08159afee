"""What AR and DiT are told of prompts as people type them, against the same prompts clean.

Prompts go the engine's way: the film is read from them, and the texts that AR and DiT get are encoded. What
these say is read by the network that the encoder was trained with, and everything that is to be seen in a
segment is asked; what becomes of the films is for `evaluate measure --prompts` to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from arlon_core.errors import ModelError
from arlon_core.evaluation.held_out import HeldOutStory
from arlon_core.evaluation.perturbed import KINDS, perturbed_story
from arlon_core.evaluation.statistics import MARGIN, Interval, Tally
from arlon_core.generation.story_texts import reads_the_world, story_texts
from arlon_core.models.text_encoder import encode_texts
from arlon_core.world.vocabulary import LABELS, label_indices

if TYPE_CHECKING:
    from torch import Tensor

    from arlon_core.pipeline import ArlonPipeline

ATTRIBUTES = tuple(LABELS)
WITHIN = 0.05  # of clean prompts: the bar of all kinds
_BATCH = 64

Rights = list[list[dict[str, bool]]]  # of each story and segment: attributes asked -> whether read right


@dataclass(frozen=True)
class KindResult:
    """One kind of prompts. Differences to the same prompts clean, over the segments whose prompt changes."""

    segments: int  # whose prompt differs from the clean one
    clean: Mapping[str, Interval]
    accuracy: Mapping[str, Interval]
    difference: Mapping[str, Interval]

    def holds(self, name: str) -> bool:
        """Whether an attribute is within WITHIN of clean prompts: its interval ends above it minus MARGIN.

        What no changed prompt is asked about is not held against the kind.
        """
        difference = self.difference[name]
        return difference.value != difference.value or difference.low > -WITHIN - MARGIN


def measure_prompts(
    pipe: ArlonPipeline, stories: Sequence[HeldOutStory], kinds: Sequence[str] = tuple(KINDS)
) -> tuple[dict[str, Interval], dict[str, KindResult]]:
    """Accuracy on all clean prompts, and the result of each kind. Raises ModelError."""
    pipe.require("tokenizer", "text_encoder", "attribute_reader")
    if not reads_the_world(pipe):
        raise ModelError(f"{pipe.name} does not read Storyworld's attributes; give --model another model.")
    clean = _rights(pipe, stories)
    results = {}
    for kind in kinds:
        typed = [perturbed_story(held, kind) for held in stories]
        changed = [
            [own.prompt != other.prompt for own, other in zip(mine.segments, clear.segments, strict=True)]
            for mine, clear in ((each.story, held.story) for each, held in zip(typed, stories, strict=True))
        ]
        results[kind] = _result(clean, _rights(pipe, typed), changed)
    return {name: _mean(clean, name) for name in ATTRIBUTES}, results


# -- reading --------------------------------------------------------------------------------------------


def _rights(pipe: ArlonPipeline, stories: Sequence[HeldOutStory]) -> Rights:
    """What is read right in the texts of each story."""
    rights = []
    for held in stories:
        read = _read(pipe, story_texts(pipe, held.story)[0])
        asked = [label_indices(segment.attributes) for segment in held.script.segments]
        rights.append(
            [
                {name: read[name][index] == label for name, label in labels.items()}
                for index, labels in enumerate(asked)
            ]
        )
    return rights


@torch.no_grad()
def _read(pipe: ArlonPipeline, texts: Sequence[str]) -> dict[str, list[int]]:
    """The class of each attribute in each text."""
    read: dict[str, list[int]] = {name: [] for name in ATTRIBUTES}
    for first in range(0, len(texts), _BATCH):
        batch = texts[first : first + _BATCH]
        states, mask = encode_texts(pipe.tokenizer, pipe.text_encoder, batch, max_length=None)
        logits: Mapping[str, Tensor] = pipe.attribute_reader(states.float(), mask)
        for name in ATTRIBUTES:
            read[name] += logits[name].argmax(-1).tolist()
    return read


# -- numbers --------------------------------------------------------------------------------------------


def _result(clean: Rights, right: Rights, changed: list[list[bool]]) -> KindResult:
    kept = [_only(rows, where) for rows, where in zip(clean, changed, strict=True)]
    own = [_only(rows, where) for rows, where in zip(right, changed, strict=True)]
    return KindResult(
        sum(map(sum, changed)),
        {name: _mean(kept, name) for name in ATTRIBUTES},
        {name: _mean(own, name) for name in ATTRIBUTES},
        {name: _difference(own, kept, name) for name in ATTRIBUTES},
    )


def _only(rows: list[dict[str, bool]], where: list[bool]) -> list[dict[str, bool]]:
    return [row for row, wanted in zip(rows, where, strict=True) if wanted]


def _difference(own: Rights, clean: Rights, name: str) -> Interval:
    stories = []
    for mine, theirs in zip(own, clean, strict=True):
        pairs = [(new[name], old[name]) for new, old in zip(mine, theirs, strict=True) if name in old]
        stories.append([float(new) - float(old) for new, old in pairs])
    return Tally.of(stories).quantity().interval()


def _mean(rights: Rights, name: str) -> Interval:
    return (
        Tally.of([[float(row[name]) for row in rows if name in row] for rows in rights]).quantity().interval()
    )


# -- reports --------------------------------------------------------------------------------------------


def prompts_json(clean: Mapping[str, Interval], results: Mapping[str, KindResult]) -> dict[str, Any]:
    """Everything as plain JSON values; accuracies and differences are shares, not points."""
    return {
        "clean": {name: interval.record() for name, interval in clean.items()},
        "kinds": {
            kind: {
                "segments": result.segments,
                "clean": {name: interval.record() for name, interval in result.clean.items()},
                "accuracy": {name: interval.record() for name, interval in result.accuracy.items()},
                "difference": {name: interval.record() for name, interval in result.difference.items()},
                "within": {name: result.holds(name) for name in ATTRIBUTES},
            }
            for kind, result in results.items()
        },
    }


def prompts_markdown(clean: Mapping[str, Interval], results: Mapping[str, KindResult]) -> str:
    """A table of kinds and attributes: points of difference to clean, with the interval below."""
    names = [name.replace("_", " ") for name in ATTRIBUTES]
    lines = [
        f"| kind | segments | {' | '.join(names)} | within {100 * WITHIN:g} points |",
        f"|{'---|' * (len(names) + 3)}",
        f"| clean, % | | {' | '.join(f'{100 * clean[name].value:.1f}' for name in ATTRIBUTES)} | |",
    ]
    for kind, result in results.items():
        cells = [_points(result.difference[name]) for name in ATTRIBUTES]
        failing = [name.replace("_", " ") for name in ATTRIBUTES if not result.holds(name)]
        verdict = f"no: {', '.join(failing)}" if failing else "yes"
        lines.append(f"| {kind} | {result.segments} | {' | '.join(cells)} | {verdict} |")
    return "\n".join(lines) + "\n"


def _points(difference: Interval) -> str:
    if difference.value != difference.value:  # nan
        return "not asked"
    value, low, high = (100 * each for each in (difference.value, difference.low, difference.high))
    return f"{value:+.1f} [{low:+.1f}, {high:+.1f}]"
