"""Stable names for the segments of a story that is edited: "s1", "s2", ... No torch, no moviepy.

What belongs to the film and not to the story (joins) is kept by these names, so that an edit of one prompt,
or a new segment between two, leaves what was set for the others.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import count, takewhile
from operator import eq

SEGMENT_ID = re.compile(r"s[1-9][0-9]{0,8}")


@dataclass(frozen=True)
class NamedSegment:
    """A segment's name, and the prompt it had when the name was given."""

    id: str
    prompt: str


def carry_ids(
    before: Sequence[NamedSegment], prompts: Sequence[str], reserved: Collection[str] = ()
) -> tuple[NamedSegment, ...]:
    """Names for the segments of a story, carried over from the story as it was.

    In this order: a prompt that stands where it stood, by alignment, keeps its name; one that was moved takes
    its name along; where as many prompts were rewritten as stood there, each keeps the name of its place; all
    others get new names, which neither `before` nor `reserved` (names still in use elsewhere) holds.
    """
    names: list[str | None] = [None] * len(prompts)
    free = dict(enumerate(before))  # not carried over yet
    rewritten: list[tuple[int, int]] = []
    for kind, first, last, start, stop in _blocks([each.prompt for each in before], prompts):
        pairs = list(zip(range(first, last), range(start, stop), strict=False))
        if kind == "equal":
            for old, new in pairs:
                names[new] = free.pop(old).id
        elif kind == "replace" and last - first == stop - start:
            rewritten += pairs
    _carry_moved(names, free, prompts)
    for old, new in rewritten:
        if names[new] is None and old in free:
            names[new] = free.pop(old).id
    taken = {*reserved, *(each.id for each in before)}
    fresh = (name for name in map("s{}".format, count(1)) if name not in taken)
    return tuple(
        NamedSegment(next(fresh) if name is None else name, prompt)
        for name, prompt in zip(names, prompts, strict=True)
    )


def _blocks(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, int, int, int, int]]:
    """difflib's blocks, but both ends are matched first: where prompts repeat, its own longest match is not
    always the plain reading of an edit at one place."""
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    yield "equal", 0, head, 0, head
    middle = SequenceMatcher(
        None, before[head : len(before) - tail], after[head : len(after) - tail], autojunk=False
    )
    for kind, first, last, start, stop in middle.get_opcodes():
        yield kind, head + first, head + last, head + start, head + stop
    yield "equal", len(before) - tail, len(before), len(after) - tail, len(after)


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many prompts two stories share at their beginning."""
    return sum(1 for _ in takewhile(bool, map(eq, one, other)))


def _carry_moved(names: list[str | None], free: dict[int, NamedSegment], prompts: Sequence[str]) -> None:
    """Give the names of segments that left their places to the same prompts elsewhere."""
    places = defaultdict(list)
    for old, segment in free.items():
        places[segment.prompt].append(old)
    for new, prompt in enumerate(prompts):
        if names[new] is None and places[prompt]:
            names[new] = free.pop(places[prompt].pop(0)).id
