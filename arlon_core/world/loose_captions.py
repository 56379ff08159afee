"""Captions put together loosely: their pieces in any order, between words that say nothing (no torch).

From captions of a few tidy shapes alone a model learns where in a sentence a thing stands, rather than what
the sentence says of it, and fails in shapes of other people. Here the second subject
may come first, circumstances stand anywhere, sentences break anywhere, everyday words take the place of the
vocabulary's, and fillers are many. None of the shapes that measure (`unseen_captions`, `rearranged`) is used.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from arlon_core.world import everyday
from arlon_core.world import vocabulary as v
from arlon_core.world.captions import (
    COMPANY,
    GOING_ON,
    Phrasing,
    capital,
    caption_parts,
    finish_sentence,
    named_second,
)
from arlon_core.world.changes import change_clauses
from arlon_core.world.rewording import respelled, reworded
from arlon_core.world.vocabulary import Attributes

# All shares and lists here are our choice.
_EVERYDAY = 0.3  # of captions have everyday words
_FILLED = 0.6  # of captions have fillers
_RESPELT = 0.5  # of captions are all British or all American
_BREAKS = (", ", ", ", ", ", ". ", ". ", " and ", "; ", " - ", ": ", " ")
FILLERS = (
    "you can see", "in this picture", "for a moment", "somewhere", "once upon a time", "it seems",
    "please show", "let us see", "we notice", "there you have it", "if you like", "as ever", "at last",
    "all of a sudden", "quite simply", "just like that", "of course", "in this part", "next we get",
    "make it so that", "what a sight", "today", "far from here", "before our eyes", "this part shows",
    "the film goes on", "I want", "let there be", "note that", "right there", "by the way",
    "what we get is", "how nice", "first of all", "and so", "well", "which means", "to be exact",
    "the idea is", "here we have", "after that", "in the end", "but",
)  # fmt: skip
_WITH = (
    *COMPANY, "{second} is close by", "{second} travels along", "not alone but with {second}",
    "and {second} too", "there is also {second}", "{second} beside {it}", "{second} near {it}",
    "{second} stays with {it}", "{it} has {second} for company", "{second} goes where {it} goes",
    "and also {second}", "plus {second}",
)  # fmt: skip
_WITHOUT = (
    "without {second}", "no more {second}", "{second} has gone", "{second} went away",
    "{second} is not here now", "only {it} is left, not {second}",
)  # fmt: skip
_ARRIVING = ("over {}", "{}", "above {}", "off to {}", "{} below", "we see {}")
_TURNING = ("{it} in {colour}", "{it} is {colour} now", "{colour} now", "the colour becomes {colour}")


def loose_full_caption(rng: random.Random, attributes: Attributes, opening: bool = True) -> str:
    """A whole description; what it names is what `captions.full_caption` names."""
    parts = caption_parts(rng, attributes, definite=not opening and rng.random() < 0.5)
    doing = rng.choice((parts["verb"], parts["doing"], f"that {parts['verb']}", f", {parts['doing']}"))
    pieces = [
        f"{parts['subject']} {doing}".replace(" ,", ","),
        rng.choice((parts["place"], parts["scene"], f"the place is {parts['scene']}")),
        rng.choice((parts["time"], parts["time_noun"], f"it is {parts['time_noun']}")),
        rng.choice((parts["weather"], parts["clause"])),
        parts["camera"],
    ]
    if rng.random() < 0.3:  # the subject and what it does stand apart
        pieces[0] = rng.choice(("{}", "there is {}", "look at {}")).format(parts["subject"])
        pieces.append(
            rng.choice(
                (f"it {parts['verb']}", parts["doing"], f"the {_noun(rng, attributes)} {parts['verb']}")
            )
        )
    if attributes.second_subject is not None:
        pieces.append(rng.choice(_WITH).format(second=named_second(rng, attributes.second_subject), it="it"))
    return _put_together(rng, pieces, [attributes])


def loose_change_caption(rng: random.Random, before: Attributes, after: Attributes) -> str:
    """Only what changes from `before` to `after`; if nothing does, that it goes on."""
    it = rng.choice(("it", "it", f"the {_noun(rng, after)}"))
    clauses = change_clauses(rng, before, after) if rng.random() < 0.4 else _changes(rng, it, before, after)
    if not clauses:
        doing = rng.choice(v.ACTIONS[after.action])[1]
        clauses = [rng.choice(GOING_ON).format(it=it, doing=doing)]
    elif after.action == before.action and rng.random() < 0.3:
        clauses.append(rng.choice((f"{it} goes on", f"{it} moves as before", it)))
    return _put_together(rng, clauses, [after, before])


def _changes(rng: random.Random, it: str, before: Attributes, after: Attributes) -> list[str]:
    found = []
    if after.action != before.action:
        verb, doing = rng.choice(v.ACTIONS[after.action])
        found.append(rng.choice((f"{it} {verb}", f"{it}, {doing}", f"{doing}", f"and {verb}")))
    if after.time_of_day != before.time_of_day:
        time = rng.choice((*v.TIMES[after.time_of_day], *v.TIME_NOUNS[after.time_of_day]))
        found.append(rng.choice(("{}", "{} at last", "it has become {}", "{} comes")).format(time))
    if after.weather != before.weather:
        found.append(rng.choice((*v.WEATHERS[after.weather], *v.WEATHER_CLAUSES[after.weather])))
    if after.camera != before.camera:
        found.append(rng.choice(v.CAMERAS[after.camera]))
    if after.place != before.place:
        place = rng.choice(v.PLACES[after.place])
        found.append(rng.choice(_ARRIVING).format(place))
    if after.colour != before.colour:
        found.append(rng.choice(_TURNING).format(it=it, colour=rng.choice(v.COLOURS[after.colour])))
    if after.second_subject != before.second_subject:
        leaves = after.second_subject is None
        second = named_second(rng, after.second_subject or before.second_subject, definite=leaves)
        found.append(rng.choice(_WITHOUT if leaves else _WITH).format(second=second, it=it))
    return found


def _put_together(rng: random.Random, pieces: Sequence[str], about: Sequence[Attributes]) -> str:
    kept = [piece for piece in pieces if piece]
    rng.shuffle(kept)
    if rng.random() < _FILLED:
        for _ in range(rng.choice((1, 1, 2, 3))):
            kept.insert(rng.randrange(len(kept) + 1), rng.choice(FILLERS))
    text = kept[0]
    for piece in kept[1:]:
        joint = rng.choice(_BREAKS)
        text += joint + (capital(piece) if joint == ". " else piece)
    if rng.random() < _EVERYDAY:
        text = reworded(text, about, everyday, rng)
    if rng.random() < _RESPELT:
        # The vocabulary has "towards the left" and "toward the right", and the spelling must not tell which.
        text = respelled(text, british=rng.random() < 0.5)
    return finish_sentence(rng, text)


def _noun(rng: random.Random, attributes: Attributes) -> str:
    return rng.choice(v.SUBJECTS[attributes.subject]).split(" with ")[0]


LOOSE_PHRASING = Phrasing(loose_full_caption, loose_change_caption)
