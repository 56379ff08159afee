"""Films with the wrong subjects in them: what the token transformer sees once it has lost who is there.

Our choice. In use a subject is lost mostly beside a second one: one of the two fades, or they trade places,
and what is left is taken for the one that the text names (docs/experiments.md). A model that has never seen
such a film goes on from it, and its text says in vain who is there.
"""

from __future__ import annotations

import random
from dataclasses import replace

from arlon_core.world.script import Script, companion
from arlon_core.world.vocabulary import split_second


def mistaken_script(script: Script) -> Script:
    """The same shot, told the same, with the wrong subjects in it: paths, place, light and weather stay.

    Where a second subject comes along, it is missing, or one looks like the other, or both do, or they have
    traded places. A subject that is alone turns into a stranger, or has one beside it from the beginning.
    """
    rng = random.Random(f"mistaken/{script.seed}")
    opening = script.segments[0].attributes
    first = f"{opening.colour} {opening.subject}"
    seconds = {segment.attributes.second_subject for segment in script.segments} - {None}
    if seconds:
        second = min(name for name in seconds if name)
        casts = [(first, None), (second, None), (second, first), (second, second), (first, first)]
    else:
        stranger = companion(rng, opening)
        casts = [(stranger, None), (first, stranger)]
    shown, beside = rng.choice(casts)
    colour, subject = split_second(shown)
    segments = []
    for segment in script.segments:
        attributes = segment.attributes
        if shown != first:  # as itself it keeps its own changes of colour
            attributes = replace(attributes, colour=colour, subject=subject)
        here = attributes.second_subject is not None or not seconds
        attributes = replace(attributes, second_subject=beside if here else None)
        segments.append(replace(segment, attributes=attributes))
    return replace(script, segments=tuple(segments))
