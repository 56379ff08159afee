"""Captions in sentence shapes that training never sees: for measuring alone (no torch).

The words for subjects, places and so on are the vocabulary's; the sentences around them are not. A test holds
that no shape here is one of `captions` or `changes`.
"""

from __future__ import annotations

import random
import re

from arlon_core.world import vocabulary as v
from arlon_core.world.captions import Phrasing, capital, caption_parts, finish_sentence
from arlon_core.world.vocabulary import Attributes

# Pieces in braces are those of `captions.caption_parts`; a piece in brackets goes when its part is empty.
FULL_SHAPES = (
    "{scene}, and high up {subject} {verb} {time}[ {weather}][, {company}][; for the picture, {camera}]",
    "{doing} {place}: that is {subject}, {time}[ and {weather}][, {company}][. As seen here, {camera}]",
    "the hour is {time_noun}, the place {scene}[, the weather: {clause}]. There, {subject} {verb}"
    "[ {company}][, and {camera}]",
    "a story of {subject}[, {company}], which {verb} {place} {time}[ {weather}][; in it {camera}]",
    "[{camera}. ][{clause}, and ]{time} {subject} is {doing} {place}[ {company}]",
    "imagine {scene} {time}[, {clause}], with {subject} in the middle[, {company}], {doing}[ ({camera})]",
    "{subject}, {doing}[, {company}]. Below: {scene}. Time: {time_noun}[. Weather: {weather}][. {camera}]",
    "{time} one can watch {subject} as it {verb} {place}[ {weather}][, {company}][, while {camera}]",
)
ACTION_SHAPES = (
    "see how {it} {verb} from here on",
    "this time {it} is {doing}",
    "{doing} is what {it} does now",
)
TIME_SHAPES = ("the hour turns to {time_noun}", "all is {time_noun} now", "{time_noun} takes over")
WEATHER_SHAPES = ("from here on {clause}", "the weather is another one: {clause}", "and now {clause}")
CAMERA_SHAPES = ("as for the picture, {camera}", "from this point {camera}", "for us, {camera}")
PLACE_SHAPES = (
    "the way goes on to {place}",
    "down there is now {place}",
    "{it} has left for {place}",
)
COLOUR_SHAPES = ("{it} has taken on a {colour} look", "{colour} is the new colour of {it}")
JOINING_SHAPES = ("{it} gets company from {second}", "from now on {second} is there too")
LEAVING_SHAPES = ("{it} goes on without {second}", "{second} is gone")
SAME_SHAPES = ("{it} just goes on {doing}", "no change at all: {it} {verb}", "more of the same, {doing}")
JOINTS = (", besides, ", ", at the same time ", "; also ")
OPENERS = ("", "", "In what follows, ", "What happens: ", "By and by, ")

_OPTIONAL = re.compile(r"\[([^\]]*)\]")
_PIECE = re.compile(r"\{(\w+)\}")


def fill(shape: str, pieces: dict[str, str]) -> str:
    """A shape with its pieces put in; brackets whose pieces are all empty go."""

    def kept(match: re.Match[str]) -> str:
        names = _PIECE.findall(match.group(1))
        return match.group(1) if all(pieces[name] for name in names) else ""

    return _OPTIONAL.sub(kept, shape).format(**pieces)


def unseen_full_caption(rng: random.Random, attributes: Attributes, opening: bool = True) -> str:
    """A whole description; what it names is what `captions.full_caption` names."""
    pieces = caption_parts(rng, attributes, definite=not opening and rng.random() < 0.5)
    return finish_sentence(rng, _after_stops(fill(rng.choice(FULL_SHAPES), pieces)))


def unseen_change_caption(rng: random.Random, before: Attributes, after: Attributes) -> str:
    """Only what changes from `before` to `after`; if nothing does, that it goes on."""
    it = rng.choice(("it", "the " + rng.choice(v.SUBJECTS[after.subject])))
    clauses = unseen_change_clauses(rng, it, before, after)
    rng.shuffle(clauses)
    joint = rng.choice(JOINTS)
    return finish_sentence(rng, _after_stops(rng.choice(OPENERS) + joint.join(clauses)))


def unseen_change_clauses(rng: random.Random, it: str, before: Attributes, after: Attributes) -> list[str]:
    """One clause, without capital or stop, for each attribute that differs; one that nothing does if so.

    it: what the subject is called.
    """
    clauses = [fill(rng.choice(shapes), pieces) for shapes, pieces in _changes(rng, it, before, after)]
    if clauses:
        return clauses
    verb, doing = rng.choice(v.ACTIONS[after.action])
    return [rng.choice(SAME_SHAPES).format(it=it, verb=verb, doing=doing)]


def _changes(
    rng: random.Random, it: str, before: Attributes, after: Attributes
) -> list[tuple[tuple[str, ...], dict[str, str]]]:
    """For each attribute that differs: the shapes that can say it, and their pieces."""
    found: list[tuple[tuple[str, ...], dict[str, str]]] = []
    if after.action != before.action:
        verb, doing = rng.choice(v.ACTIONS[after.action])
        found.append((ACTION_SHAPES, {"it": it, "verb": verb, "doing": doing}))
    if after.time_of_day != before.time_of_day:
        found.append((TIME_SHAPES, {"time_noun": rng.choice(v.TIME_NOUNS[after.time_of_day])}))
    if after.weather != before.weather:
        found.append((WEATHER_SHAPES, {"clause": rng.choice(v.WEATHER_CLAUSES[after.weather])}))
    if after.camera != before.camera:
        moves = [words for words in v.CAMERAS[after.camera] if words.startswith("the camera ")]
        found.append((CAMERA_SHAPES, {"camera": rng.choice(moves)}))
    if after.place != before.place:
        found.append((PLACE_SHAPES, {"it": it, "place": rng.choice(v.PLACES[after.place])}))
    if after.colour != before.colour:
        found.append((COLOUR_SHAPES, {"it": it, "colour": rng.choice(v.COLOURS[after.colour])}))
    if after.second_subject != before.second_subject:
        colour, subject = v.split_second(after.second_subject or before.second_subject)
        noun = f"{rng.choice(v.COLOURS[colour])} {rng.choice(v.SUBJECTS[subject])}"
        joined = ("an " if noun[0] in "aeiou" else "a ") + noun
        shapes = LEAVING_SHAPES if after.second_subject is None else JOINING_SHAPES
        second = f"the {noun}" if after.second_subject is None else joined
        found.append((shapes, {"it": it, "second": second}))
    return found


def _after_stops(text: str) -> str:
    """A capital after each full stop."""
    return ". ".join(capital(sentence) for sentence in text.split(". "))


UNSEEN_PHRASING = Phrasing(unseen_full_caption, unseen_change_caption)
