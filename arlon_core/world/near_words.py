"""Words of the world for words that it does not have: what a person may write instead (no torch)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Set
from difflib import get_close_matches
from functools import cache
from itertools import takewhile

from arlon_core.models.known_words import SAYING_NOTHING, base_forms, text_words
from arlon_core.world import everyday
from arlon_core.world import vocabulary as v
from arlon_core.world.rewording import neighbour_keys

# Our choices, tried on typing errors of the vocabulary and on words outside it.
_ALIKE = 0.88  # of difflib's ratio, from which on long words are alike
_LONG = 6  # letters
_MOST = 2  # words for one
_PLACED = frozenset(
    ("over", "above", "across", "through", "to", "into", "in", "on", "at", "of", "under", "near", "past")
)
_NAMED = frozenset(("a", "an", "the", "with", "another", "some", "two", "three", "many"))

# What there is in the world to put in the place of a thing that there is not.
KINDS: dict[str, dict[str, tuple[str, ...]]] = {"subjects": v.SUBJECTS, "places": v.PLACES}
_TABLES = (
    "SUBJECTS", "COLOURS", "PLACES", "TIME_NOUNS", "TIMES", "WEATHERS", "WEATHER_CLAUSES", "ACTIONS",
    "CAMERAS",
)  # fmt: skip


def near_words(known: Set[str], word: str) -> list[str]:
    """Up to two known words for an unknown one, the best first; often none.

    By meaning, where people's word for a thing of the world is listed (`everyday`); by spelling, where one
    typing error makes the word of a known one, or a long word is nearly alike.
    known: the words of the model, lower case.
    """
    candidates = sorted(known)
    bases = base_forms(word)
    found = (
        _meant(known, lambda said: said == word)
        or [each for each in candidates if is_mistyped(word, each)]
        or _meant(known, lambda said: bool(bases & base_forms(said)))
    )
    if not found and len(word) >= _LONG:
        alike = get_close_matches(word, candidates, n=_MOST, cutoff=_ALIKE)
        found = [each for each in alike if each[0] == word[0]]
    return found[:_MOST]


def _meant(known: Set[str], wanted: Callable[[str], bool]) -> list[str]:
    """The known phrases of the everyday words that are wanted."""
    phrases = [phrase for said, meanings in _meanings().items() if wanted(said) for phrase in meanings]
    return [phrase for phrase in dict.fromkeys(phrases) if _all_known(known, phrase)]


def is_mistyped(word: str, meant: str) -> bool:
    """Whether one typing error makes `word` of `meant`: swapped, dropped or doubled letters, a key beside.

    A word of three letters has to have all of them, as "rde" for "red": others are alike by chance.
    """
    start = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(word, meant, strict=False)))
    ours, theirs = word[start:], meant[start:]
    if len(word) == len(meant):
        swapped = len(ours) > 1 and ours[:2] == theirs[1::-1] and ours[2:] == theirs[2:]
        beside = ours[1:] == theirs[1:] and bool(theirs) and ours[0] in neighbour_keys(theirs[0])
        return swapped or (beside and len(meant) > 3)
    if len(word) == len(meant) - 1:
        return ours == theirs[1:] and len(meant) > 3
    doubled = start > 0 and len(ours) > 0 and ours[0] == word[start - 1]
    return len(word) == len(meant) + 1 and ours[1:] == theirs and doubled and len(meant) > 2


def kinds_to_choose_from(known: Set[str], text: str, words: Collection[str]) -> dict[str, list[str]]:
    """The names of KINDS that can stand in the place of unknown `words`, as far as the text tells.

    What comes after "over the" is a place, and after "a" a subject, unless the text has one that is known.
    In a text of which nothing is known, not even an "it", it is a subject.
    """
    said = text_words(text)
    wanted = {_kind_at(said, said.index(word)) for word in words}
    if "it" not in said and all(word in words or word in SAYING_NOTHING for word in said):
        wanted.add("subjects")
    names = {}
    for kind, table in KINDS.items():
        if kind in wanted and not _names_one(said, table):
            found = [_first_known(known, (name, *phrases)) for name, phrases in table.items()]
            names[kind] = [name for name in found if name]
    return {kind: found for kind, found in names.items() if found}


def _kind_at(said: list[str], at: int) -> str | None:
    """What kind of thing the word at a place of a text is, by the nearest small word before it."""
    for index in range(at - 1, max(-1, at - 5), -1):
        if said[index] in _NAMED:
            return "places" if index and said[index - 1] in _PLACED else "subjects"
        if said[index] in _PLACED:
            return "places"
        if said[index] in SAYING_NOTHING or said[index].endswith("s"):
            return None
    return None


def _names_one(said: list[str], table: dict[str, tuple[str, ...]]) -> bool:
    text = f" {' '.join(said)} "
    phrases = [phrase for phrases in table.values() for phrase in phrases]
    return any(f" {' '.join(text_words(phrase))} " in text for phrase in phrases)


def _first_known(known: Set[str], phrases: tuple[str, ...]) -> str:
    return next((phrase for phrase in phrases if _all_known(known, phrase)), "")


def _all_known(known: Set[str], phrase: str) -> bool:
    return all(word in known or word in SAYING_NOTHING for word in text_words(phrase))


@cache
def _meanings() -> dict[str, list[str]]:
    """Everyday word -> the vocabulary's first phrase of the same form, for each value that it may mean.

    Not the vocabulary's own words: that "sky" stands in an everyday phrase does not make it mean one.
    """
    meanings: dict[str, list[str]] = {}
    for said, phrase in _pairs():
        for word in text_words(said):
            if word not in _vocabulary_words() and word not in SAYING_NOTHING:
                meanings.setdefault(word, []).append(phrase)
    return meanings


def _pairs() -> Iterator[tuple[str, str]]:
    """Everyday phrases with the vocabulary's for the same value, in the same form of verbs."""
    for table in _TABLES:
        for value, entries in getattr(everyday, table).items():
            first = getattr(v, table)[value][0]
            for entry in entries:
                yield from zip(entry, first, strict=True) if isinstance(entry, tuple) else [(entry, first)]


@cache
def _vocabulary_words() -> frozenset[str]:
    return frozenset(
        word
        for table in _TABLES
        for entries in getattr(v, table).values()
        for entry in entries
        for phrase in (entry if isinstance(entry, tuple) else (entry,))
        for word in text_words(phrase)
    )
