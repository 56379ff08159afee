"""The prompts of a held-out story as other people would type them (no torch).

Every kind is drawn from the story's own seed, so the same story and kind always give the same prompts.
Scripts, seconds and seeds stay; captions become what is typed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from arlon_core.evaluation.held_out import HeldOutStory
from arlon_core.story import Segment
from arlon_core.world import everyday, vocabulary
from arlon_core.world.rearranged import in_sentences, turned_round
from arlon_core.world.rewording import mistyped, respelled, reworded
from arlon_core.world.script import ScriptSegment
from arlon_core.world.vocabulary import Attributes


@dataclass(frozen=True)
class Prompt:
    """A caption, what is true in its segment, and what was in the segment before (None for the first)."""

    caption: str
    full: bool
    before: Attributes | None
    now: Attributes

    @property
    def changes(self) -> Attributes | None:
        """What the prompt takes as given: None when it describes the whole picture."""
        return None if self.full else self.before

    @property
    def about(self) -> list[Attributes]:
        """What its words may speak of."""
        return [self.now] if self.before is None else [self.now, self.before]


Rewrite = Callable[[Prompt, random.Random], str]

KINDS: dict[str, Rewrite] = {
    "synonyms": lambda prompt, rng: reworded(prompt.caption, prompt.about, vocabulary, rng),
    "everyday-words": lambda prompt, rng: reworded(prompt.caption, prompt.about, everyday, rng),
    "british": lambda prompt, rng: respelled(prompt.caption, british=True),
    "american": lambda prompt, rng: respelled(prompt.caption, british=False),
    "typing-errors": lambda prompt, rng: mistyped(prompt.caption, rng),
    "capitals": lambda prompt, rng: prompt.caption.upper(),
    "no-capitals": lambda prompt, rng: prompt.caption.lower(),
    "sentences": lambda prompt, rng: in_sentences(rng, prompt.changes, prompt.now),
    "turned-round": lambda prompt, rng: turned_round(rng, prompt.changes, prompt.now),
    "company-first": lambda prompt, rng: turned_round(rng, prompt.changes, prompt.now, company_first=True),
}


def perturbed_story(held: HeldOutStory, kind: str) -> HeldOutStory:
    """The story with prompts of a kind of KINDS. Raises KeyError for another."""
    rewrite = KINDS[kind]
    segments: list[ScriptSegment] = []
    before: Attributes | None = None
    for index, segment in enumerate(held.script.segments):
        rng = random.Random(f"{kind}/{held.script.seed}/{index}")
        prompt = Prompt(segment.caption, segment.full, before, segment.attributes)
        segments.append(replace(segment, caption=rewrite(prompt, rng)))
        before = segment.attributes
    story = replace(
        held.story,
        segments=tuple(
            Segment(segment.caption, asked.seconds, asked.seed)
            for segment, asked in zip(segments, held.story.segments, strict=True)
        ),
    )
    return HeldOutStory(replace(held.script, segments=tuple(segments)), story)
