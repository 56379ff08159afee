"""A caption in other words, other spelling, or with typing errors; what it says stays (no torch).

For measuring alone.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from types import ModuleType

from arlon_core.world import vocabulary
from arlon_core.world.captions import article, capital
from arlon_core.world.everyday import SPELLINGS
from arlon_core.world.vocabulary import NONE, Attributes, label_names, split_second

# Which attribute each table of words is about.
_TABLES = {
    "SUBJECTS": "subject",
    "COLOURS": "colour",
    "PLACES": "place",
    "TIMES": "time_of_day",
    "TIME_NOUNS": "time_of_day",
    "WEATHERS": "weather",
    "WEATHER_CLAUSES": "weather",
    "CAMERAS": "camera",
}
_LETTERS = re.compile(r"[^\W\d_]+")
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")  # each row stands about half a key right of the one above
_LEAST_LETTERS = 3  # of a word that gets a typing error


def reworded(text: str, about: Sequence[Attributes], words: ModuleType, rng: random.Random) -> str:
    """Every phrase of the vocabulary in `text` that says one of `about`, said with a phrase of `words`.

    about: what is true in the segment, and before it. words: a module with the tables of `vocabulary`: that
    one itself, or `everyday`. A phrase for which it has no other stays.
    """
    places = _phrases(about)
    found = "|".join(re.escape(phrase) for phrase in sorted(places, key=len, reverse=True))
    pattern = re.compile(rf"(?:\b(an?) )?(?<![\w-])({found})(?![\w-])", re.IGNORECASE)

    def other(match: re.Match[str]) -> str:
        lead, phrase = match.groups()
        table, value, form = places[phrase.lower()]
        options = [each for each in _options(words, table, value, form) if each.lower() != phrase.lower()]
        if not options:
            return match.group()
        chosen = rng.choice(options)
        chosen = article(chosen) if lead else chosen
        return capital(chosen) if match.group()[0].isupper() else chosen

    return pattern.sub(other, text)


def respelled(text: str, *, british: bool) -> str:
    """The text with British spelling, or with American."""
    pairs = {us: uk for uk, us in SPELLINGS} if british else dict(SPELLINGS)

    def other(match: re.Match[str]) -> str:
        word = match.group()
        chosen = pairs.get(word.lower())
        return word if chosen is None else capital(chosen) if word[0].isupper() else chosen

    return _LETTERS.sub(other, text)


def mistyped(text: str, rng: random.Random) -> str:
    """The text with a typing error in one or two of its words of three letters and more.

    Two letters change places, one is left out, typed twice, or hit on a key beside it.
    """
    spans = [
        match.span() for match in _LETTERS.finditer(text) if match.end() - match.start() >= _LEAST_LETTERS
    ]
    for start, stop in sorted(rng.sample(spans, min(rng.choice((1, 2)), len(spans))), reverse=True):
        text = text[:start] + mistyped_word(text[start:stop], rng) + text[stop:]
    return text


def mistyped_word(word: str, rng: random.Random) -> str:
    """One word of two letters and more with one typing error; never the word itself."""
    kind = rng.choice(("swap", "drop", "double", "neighbour"))
    at = rng.randrange(len(word))
    if kind == "swap":
        pairs = [i for i in range(len(word) - 1) if word[i].lower() != word[i + 1].lower()]
        if pairs:
            at = rng.choice(pairs)
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == "drop":
        return word[:at] + word[at + 1 :]
    beside = neighbour_keys(word[at].lower())
    if kind == "neighbour" and beside:
        return word[:at] + rng.choice(beside) + word[at + 1 :]
    return word[: at + 1] + word[at:]


def neighbour_keys(letter: str) -> str:
    """The letters on the keys that touch a letter's key on a QWERTY keyboard; none for other letters."""
    for row, keys in enumerate(_ROWS):
        at = keys.find(letter)
        if at >= 0:
            beside = keys[max(0, at - 1) : at] + keys[at + 1 : at + 2]
            above = _ROWS[row - 1][at : at + 2] if row else ""
            below = _ROWS[row + 1][max(0, at - 1) : at + 1] if row + 1 < len(_ROWS) else ""
            return beside + above + below
    return ""


def _phrases(about: Sequence[Attributes]) -> dict[str, tuple[str, str, int]]:
    """Phrase in lower case -> its table, the value it says, and its form (of verbs)."""
    places: dict[str, tuple[str, str, int]] = {}
    for attributes in about:
        for table, value in _said(attributes):
            for entry in getattr(vocabulary, table)[value]:
                forms = entry if isinstance(entry, tuple) else (entry,)
                for form, phrase in enumerate(forms):
                    places.setdefault(phrase.lower(), (table, value, form))
    return places


def _said(attributes: Attributes) -> Iterator[tuple[str, str]]:
    """Each table with the value that these attributes have in it."""
    names = label_names(attributes)
    yield from ((table, names[name]) for table, name in _TABLES.items())
    yield "ACTIONS", names["action"]
    colour, subject = split_second(attributes.second_subject)
    if subject != NONE:
        yield from (("SUBJECTS", subject), ("COLOURS", colour))


def _options(words: ModuleType, table: str, value: str, form: int) -> list[str]:
    entries = getattr(words, table).get(value, ())
    return [entry[form] if isinstance(entry, tuple) else entry for entry in entries]
