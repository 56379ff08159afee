"""Whole descriptions as people begin a film: much is left unsaid, and the film may choose (no torch).

"A dragon flies over the sea" says nothing of its colour and of the time of day. To a model that only ever
read captions which name everything, such a text is like nothing it knows. Weather, camera and company are
said wherever they are not clear, still and none: unsaid they mean just that, here as in all captions.
"""

from __future__ import annotations

import random

from arlon_core.story import join_sentences
from arlon_core.world import vocabulary as v
from arlon_core.world.captions import (
    Phrasing,
    article,
    caption_parts,
    change_caption,
    finish_sentence,
    full_caption,
)
from arlon_core.world.prompt_extension import NAMED, whole_sentence
from arlon_core.world.vocabulary import Attributes

# How often each of them is said (our choice).
SAID = {"subject": 0.9, "colour": 0.6, "action": 0.65, "place": 0.6, "time_of_day": 0.4}


def terse_full_caption(rng: random.Random, attributes: Attributes, opening: bool = True) -> str:
    """An opening that leaves some of SAID out; a later whole description leaves out nothing.

    After every other opening stands the sentence with which the engine extends such a prompt.
    """
    if not opening:
        return full_caption(rng, attributes, opening)
    terse = terse_caption(rng, attributes, drawn_said(rng))
    return join_sentences([terse, extension_of(attributes)]) if rng.random() < 0.5 else terse


def extension_of(attributes: Attributes) -> str:
    """The sentence of `prompt_extension`, of what the script says."""
    return whole_sentence({name: getattr(attributes, name) for name in (*NAMED, "weather")})


def drawn_said(rng: random.Random) -> frozenset[str]:
    """Which of SAID a caption says: one at the least, and neither all of them nor a colour of nothing."""
    while True:
        said = {name for name, share in SAID.items() if rng.random() < share}
        if "subject" not in said:
            said -= {"colour", "action"}
        if said and len(said) < len(SAID):
            return frozenset(said)


def terse_caption(rng: random.Random, attributes: Attributes, said: frozenset[str]) -> str:
    """A whole description that says so much of SAID, and weather, camera and company where there is any."""
    parts = caption_parts(rng, attributes, definite=False)
    time = parts["time"] if "time_of_day" in said else ""
    things = [_subject(rng, attributes, parts, said), _place(parts, said)]
    time_first = time and any(things) and rng.random() < 0.3
    words = [f"{time},", *things] if time_first else [*things, time]
    text = " ".join(word for word in (*words, parts["weather"]) if word)
    return finish_sentence(rng, ", ".join(part for part in (text, parts["company"], parts["camera"]) if part))


def _subject(rng: random.Random, attributes: Attributes, parts: dict[str, str], said: frozenset[str]) -> str:
    if "subject" not in said:
        return ""
    noun = parts["subject"] if "colour" in said else article(rng.choice(v.SUBJECTS[attributes.subject]))
    return f"{noun} {rng.choice((parts['verb'], parts['doing']))}" if "action" in said else noun


def _place(parts: dict[str, str], said: frozenset[str]) -> str:
    if "place" not in said:
        return ""
    return parts["place"] if "subject" in said else parts["scene"]


TERSE_PHRASING = Phrasing(terse_full_caption, change_caption)
