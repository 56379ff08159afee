"""Which words of a prompt name something of the world (no torch).

They are looked up: a network that was trained on captions guesses what a prompt does not say.

Phrases of the vocabulary, of changes, everyday ones, and people's plain words (`plain_words`); the longest at
each place counts. A word that is none of theirs counts as the one that it is a typing error of. What a prompt
says with them is for `prompt_reading` to tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from arlon_core.models.known_words import SAYING_NOTHING, base_forms, text_words
from arlon_core.world import changes, everyday
from arlon_core.world import vocabulary as v
from arlon_core.world.near_words import is_mistyped
from arlon_core.world.plain_words import MANNERS, NOTHING, plain_phrases

if TYPE_CHECKING:
    from spellchecker import WordFrequency

_TABLES = {
    "subject": ("SUBJECTS",), "colour": ("COLOURS",), "action": ("ACTIONS",), "place": ("PLACES",),
    "time_of_day": ("TIMES", "TIME_NOUNS"), "weather": ("WEATHERS", "WEATHER_CLAUSES"),
    "camera": ("CAMERAS",),
}  # fmt: skip
_CHANGES = {"time_of_day": "TIME_CHANGES", "weather": "WEATHER_CHANGES", "camera": "CAMERA_CHANGES"}
_STEADY = ("subject", "place")  # named without the small words of a phrase too: "the hot-air balloon"
_CLAUSES = ("time_of_day", "weather", "camera")  # named without their first "the" too: "sun comes up"
_TOKENS = re.compile(r"[^\W\d_]+|[.,;:!?–—()/|•*\n]|(?<!\S)-(?!\S)")
_NOUNS = frozenset(("subject", "place"))
_VERBAL = ("ing", "ed", "ly", "er")  # "waving" is no form of the noun "wave"
_CLOCK = re.compile(r"\b(\d{1,2})(?:[:.]\d\d)?\s*([ap])\.?m\b\.?|\b(\d{1,2}):\d\d\b", re.IGNORECASE)
_HOURS = ((4, "night"), (9, "dawn"), (17, "day"), (21, "dusk"), (24, "night"))  # until when; our choice
_LIKING = frozenset(("i", "we", "you", "they", "d", "would", "should", "might"))  # before no simile
# Words that may stand within a phrase: "the sun is now setting", "clouds begin to gather".
_HELPING = frozenset(
    "is are was were s re has have had been begins begin starts start to now then".split()  # noqa: SIM905
)
_COMMON = 1000  # occurrences in pyspellchecker's dictionary of 160,000 words (our choice)


class Match(NamedTuple):
    """Words [start, stop) of a text name a value of an attribute."""

    start: int
    stop: int
    name: str
    value: str


def prompt_words(prompt: str) -> tuple[list[str], frozenset[int]]:
    """The words of a prompt in lower case, errors mended, without those that tell how a thing is done.

    And the places in them where punctuation stands before the word.
    """
    words: list[str] = []
    breaks = set()
    for token in _TOKENS.findall(_CLOCK.sub(_time_of_clock, prompt)):
        word = token.lower()
        if not word.isalpha():
            breaks.add(len(words))
        elif word not in MANNERS:
            words.append(_corrected(word))
    return words, frozenset(breaks)


def word_matches(words: Sequence[str], breaks: Set[int] = frozenset()) -> Iterator[Match]:
    """What `prompt_words` name, in order; of name NOTHING where a turn only seems to name something.

    A few phrases name two things: "sunny".
    """
    at, likened = 0, _likened(words, breaks)
    while at < len(words):
        if at in likened:
            at += 1
            continue
        begun = {phrase for form in base_forms(words[at]) for phrase in _phrases().get(form, ())}
        fitting = {phrase: stop for phrase in begun if (stop := _stop(phrase, words, at, breaks))}
        if fitting:
            longest = max(fitting, key=lambda phrase: (len(phrase), phrase))
            stop = fitting[longest]
            for name, value in _named()[longest].items():
                yield Match(at, stop, name, value)
            at = stop
        else:
            at += 1


def _time_of_clock(found: re.Match[str]) -> str:
    """What to say for "6 am", "8:30 p.m." and "18:30"."""
    half, hour = found[2], int(found[1] or found[3])
    if half:
        hour = hour % 12 + (12 if half.lower() == "p" else 0)
    return f" at {next(time for until, time in _HOURS if hour % 24 < until)} "


def _likened(words: Sequence[str], breaks: Set[int]) -> frozenset[int]:
    """The places of what things are only likened to: "like a bird", "as red as a rose", "white as snow"."""
    likened: set[int] = set()
    for at, word in enumerate(words[:-1]):
        noun = at + 1 + (words[at + 1] in ("a", "an", "the"))
        stop = next(
            (n for n in range(noun, len(words)) if n in breaks or words[n] in SAYING_NOTHING), len(words)
        )
        before = words[at - 1] if at and at not in breaks else ""
        like = word == "like" and before not in _LIKING and (noun > at + 1 or not before.startswith("look"))
        # "as" joins clauses too: "as night falls"
        single = (
            at > 0 and stop == noun + 1 and (stop == len(words) or stop in breaks or words[stop] == "and")
        )
        if like or (word == "as" and (single or words[max(0, at - 2) : at - 1] == ["as"])):
            likened.update(range(at + 1, stop))
    return frozenset(likened)


def _stop(phrase: tuple[str, ...], words: Sequence[str], start: int, breaks: Set[int]) -> int | None:
    """Where a phrase that starts at a word of a text stops; None where the text says something else."""
    at, names = start, _named()[phrase]
    naming, noun = NOTHING not in names, names.keys() <= _NOUNS
    for one in phrase:
        helping = _HELPING if naming else ("now",)
        while start < at < len(words) and words[at] in helping and not _same_word(one, words[at]):
            at += 1
        if at == len(words) or not _same_word(one, words[at]) or (noun and _is_verbal(one, words[at])):
            return None
        at += 1
    whole = naming or not any(start < each < at for each in breaks)
    return at if whole else None


def _same_word(one: str, other: str) -> bool:
    """In any form; but "for", which says nothing, is no form of "forest", nor "close" one of "closer"."""
    alike = (one in SAYING_NOTHING) == (other in SAYING_NOTHING)
    ours, theirs = base_forms(one), base_forms(other)
    if one.endswith("er"):
        return alike and one in theirs
    return alike and (other in ours if other.endswith("er") else bool(ours & theirs))


def _is_verbal(one: str, other: str) -> bool:
    return len(other) > len(one) and other.endswith(_VERBAL)


@cache
def _named() -> dict[tuple[str, ...], dict[str, str]]:
    """Phrases as words, with the value of each attribute that they name."""
    named: dict[tuple[str, ...], dict[str, str]] = {}
    for name, value, phrase in (*_caption_phrases(), *plain_phrases()):
        words = text_words(phrase)
        named.setdefault(tuple(words), {}).setdefault(name, value)
        if name in _CLAUSES and words[0] == "the":
            named.setdefault(tuple(words[1:]), {}).setdefault(name, value)
        telling = tuple(word for word in words if word not in SAYING_NOTHING)
        if name in _STEADY and " with " not in phrase and telling:
            named.setdefault(telling, {}).setdefault(name, value)
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
    """The word that this one is a typing error of; itself where it is one of ours, or none is near.

    One that names something by itself comes first: a "wale" is a whale, and no "wake" of a longer phrase.
    """
    if word in SAYING_NOTHING or base_forms(word) & _forms() or _is_english(word):
        return word
    alike = (each for each in _words() if abs(len(each) - len(word)) <= 1)
    meant = (each for each in alike if is_mistyped(word, each))
    return min(meant, key=lambda each: (each,) not in _named(), default=word)


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
    """(attribute, value, phrase) of the vocabulary, then of everyday words, then of changes."""
    for words in (v, everyday):
        for name, tables in _TABLES.items():
            for table in tables:
                for value, entries in getattr(words, table).items():
                    for entry in entries:
                        for phrase in entry if isinstance(entry, tuple) else (entry,):
                            yield name, value, phrase
    for name, table in _CHANGES.items():
        for value, phrases in getattr(changes, table).items():
            for phrase in phrases:
                yield name, value, phrase
    for phrases in changes.WEATHER_ENDINGS.values():
        for phrase in phrases:
            yield "weather", "clear", phrase
