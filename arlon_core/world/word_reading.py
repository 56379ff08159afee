"""What the words of a prompt name in the world (no torch).

They are looked up: a network that was trained on captions guesses what a prompt does not say.

Phrases of the vocabulary, everyday ones, and people's plain words (`plain_words`); the longest at each place
counts. A word that is none of theirs counts as the one that it is a typing error of.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from arlon_core.models.known_words import SAYING_NOTHING, base_forms, text_words
from arlon_core.world import everyday
from arlon_core.world import vocabulary as v
from arlon_core.world.near_words import is_mistyped
from arlon_core.world.plain_words import MANNERS, NOTHING, plain_phrases

if TYPE_CHECKING:
    from spellchecker import WordFrequency

Said = dict[str, str]  # attribute -> value

_TABLES = {
    "subject": ("SUBJECTS",), "colour": ("COLOURS",), "action": ("ACTIONS",), "place": ("PLACES",),
    "time_of_day": ("TIMES", "TIME_NOUNS"), "weather": ("WEATHERS", "WEATHER_CLAUSES"),
    "camera": ("CAMERAS",),
}  # fmt: skip
_STEADY = ("subject", "place")  # named without the small words of a phrase too: "the hot-air balloon"
# Between a subject, or "it", and a colour that is its own: "the kite slowly turns red".
_TURNING = frozenset(
    ("is", "are", "turn", "turns", "turning", "become", "becomes", "becoming", "goes", "now", "all", "in")
)
_IT = frozenset(("it", "its"))
_COMMON = 1000  # occurrences in pyspellchecker's dictionary of 160,000 words (our choice)
_BESIDE = frozenset(("with", "beside", "alongside", "near"))


class Match(NamedTuple):
    """Words [start, stop) of a text name a value of an attribute."""

    start: int
    stop: int
    name: str
    value: str


def said_in(prompt: str) -> Said:
    """What a prompt names: of each attribute the first, and of colours that of the main subject."""
    words = [_corrected(word) for word in text_words(prompt) if word not in MANNERS]
    found = list(_matches(words))
    subjects = [match for match in found if match.name == "subject"]
    company = _company_words(words)
    main = [match for match in subjects if match.start not in company] or subjects
    said: Said = {match.name: match.value for match in main[:1]}
    for match in found:
        if match.name not in (NOTHING, "colour"):
            said.setdefault(match.name, match.value)
    colours = [match.value for match in found if _is_of(said.get("subject"), match, found, words)]
    return said | ({"colour": colours[0]} if colours else {})


def _company_words(words: Sequence[str]) -> set[int]:
    """Places of words that tell who is with the main subject: "with an owl at its side, a robot flies"."""
    places: set[int] = set()
    begun = None
    for at, word in enumerate(words):
        if word in _IT and at and (word == "its" or words[at - 1] in _BESIDE):
            places.update(range(at if begun is None else begun, at))
            begun = None
        elif word in _BESIDE and words[at + 1 : at + 2] != ["it"] and begun is None:
            begun = at
    return places


def _is_of(subject: str | None, colour: Match, found: Sequence[Match], words: Sequence[str]) -> bool:
    """Whether a colour is that of the subject: "a red, small kite", "the kite turns red", "it is red now"."""
    if colour.name != "colour":
        return False
    after = next((m for m in found if m.start >= colour.stop and m.name != "colour"), None)
    if after and after.name == "subject" and _adjectives(words[colour.stop : after.start]):
        return after.value == subject
    if subject is None and words[colour.stop :] and not (after and after.start == colour.stop):
        return words[colour.stop] not in SAYING_NOTHING  # "a blue fox": the world has another blue thing
    before = [m.stop for m in found if m.stop <= colour.start and m.name == "subject" and m.value == subject]
    before += [at + 1 for at, word in enumerate(words[: colour.start]) if word in _IT]
    if not before:
        return False
    return all(word in _TURNING for word in words[max(before) : colour.start])


def _adjectives(words: Sequence[str]) -> bool:
    return all(word not in SAYING_NOTHING or word == "and" for word in words)


def _matches(words: Sequence[str]) -> Iterator[Match]:
    at = 0
    while at < len(words):
        begun = [phrase for form in sorted(base_forms(words[at])) for phrase in _phrases().get(form, ())]
        fitting = [phrase for phrase in begun if _fits(phrase, words[at : at + len(phrase)])]
        if fitting:
            longest = max(fitting, key=len)
            yield Match(at, at + len(longest), *_named()[longest])
            at += len(longest)
        else:
            at += 1


def _fits(phrase: tuple[str, ...], words: Sequence[str]) -> bool:
    return len(phrase) == len(words) and all(map(_same_word, phrase, words))


def _same_word(one: str, other: str) -> bool:
    """In any form; but "for", which says nothing, is no form of "forest", which does."""
    alike = (one in SAYING_NOTHING) == (other in SAYING_NOTHING)
    return alike and bool(base_forms(one) & base_forms(other))


@cache
def _named() -> dict[tuple[str, ...], tuple[str, str]]:
    """Phrases as words, with the attribute and the value that they name."""
    named: dict[tuple[str, ...], tuple[str, str]] = {}
    for name, value, phrase in (*_caption_phrases(), *plain_phrases()):
        words = text_words(phrase)
        named.setdefault(tuple(words), (name, value))
        if name == "camera" and words[0] == "the":
            named.setdefault(tuple(words[1:]), (name, value))
        telling = tuple(word for word in words if word not in SAYING_NOTHING)
        if name in _STEADY and " with " not in phrase and telling:
            named.setdefault(telling, (name, value))
    return named


@cache
def _phrases() -> dict[str, list[tuple[str, ...]]]:
    """Phrases by each form that their first word may have."""
    by_form: dict[str, list[tuple[str, ...]]] = {}
    for phrase in _named():
        for form in base_forms(phrase[0]):
            by_form.setdefault(form, []).append(phrase)
    return by_form


@lru_cache(maxsize=4096)
def _corrected(word: str) -> str:
    """The word that this one is a typing error of; itself where it is one of ours, or none is near."""
    if word in SAYING_NOTHING or base_forms(word) & _forms() or _is_english(word):
        return word
    alike = (each for each in _words() if abs(len(each) - len(word)) <= 1)
    return next((each for each in alike if is_mistyped(word, each)), word)


def _is_english(word: str) -> bool:
    """Whether it is a word itself: "good" is no error of "gold". Rare ones are: "ballon", "blu"."""
    return _english()[word] >= _COMMON


@cache
def _english() -> WordFrequency:
    from spellchecker import SpellChecker  # reads a dictionary, which most prompts need not

    return SpellChecker(language="en").word_frequency


@cache
def _words() -> tuple[str, ...]:
    phrases = (*_caption_phrases(), *plain_phrases())
    return tuple(sorted({word for _, _, phrase in phrases for word in text_words(phrase)}))


@cache
def _forms() -> frozenset[str]:
    return frozenset(form for word in _words() for form in base_forms(word))


def _caption_phrases() -> Iterator[tuple[str, str, str]]:
    """(attribute, value, phrase) of the vocabulary, then of everyday words."""
    for words in (v, everyday):
        for name, tables in _TABLES.items():
            for table in tables:
                for value, entries in getattr(words, table).items():
                    for entry in entries:
                        for phrase in entry if isinstance(entry, tuple) else (entry,):
                            yield name, value, phrase
