"""What a prompt leaves open, decided for the film and said in one more sentence (no torch).

Models that were trained on whole descriptions answer "A dragon flies" with noise: it names neither colour nor
place nor time of day. Large video models have a language model extend such prompts; the world has a grammar.
What people said stands, what is missing is drawn from the story's seed, and the sentence says all of it: "A
red dragon drifts left over the sea at dawn." Values that a later prompt leaves out are those told before it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise

from arlon_core.models.known_words import SAYING_NOTHING, base_forms, text_words
from arlon_core.world import everyday
from arlon_core.world import vocabulary as v
from arlon_core.world.captions import article
from arlon_core.world.near_words import near_words

# The tables of words that name an attribute.
_TABLES = {
    "subject": ("SUBJECTS",), "colour": ("COLOURS",), "action": ("ACTIONS",), "place": ("PLACES",),
    "time_of_day": ("TIMES", "TIME_NOUNS"), "weather": ("WEATHERS", "WEATHER_CLAUSES"),
    "camera": ("CAMERAS",),
}  # fmt: skip
# What every whole description names; weather is repeated where it is said.
NAMED = ("subject", "colour", "action", "place", "time_of_day")
_OPEN_ACTIONS = ("left", "right", "still")  # calm ones, for prompts such as "a kite flies"
# Named by the last word of a phrase as well: "hills", "morning".
_HEADED = ("subject", "place", "time_of_day")
_NO_HEADS = frozenset(("light", "ship"))  # "in soft light" names no time of day, and a ship is no rocket
# Not a paper plane; and whoever walks or sails left moves left.
_PLAIN = {"plane": ("subject", "aeroplane"), "left": ("action", "left"), "right": ("action", "right")}

Said = dict[str, str]  # attribute -> value
Named = tuple[str, str]  # an attribute and its value


def extended_prompts(prompts: Sequence[str], is_full: Sequence[bool], seed: int) -> list[str]:
    """One sentence a prompt, to be put after it; "" where nothing is missing, and to changes.

    is_full: whether each prompt describes the whole picture. seed: the story's. The sentence of a prompt
    depends on those before it, and on none that follows.
    """
    open_values = _drawn(seed)
    told: Said = {}
    sentences = []
    for prompt, full in zip(prompts, is_full, strict=True):
        said = said_in(prompt)
        about_it = full or said.get("subject") in (None, told.get("subject"))
        told |= {name: said[name] for name in said if about_it or name in ("place", "time_of_day")}
        missing = full and any(name not in said for name in NAMED)
        sentences.append(whole_sentence({**open_values, **told}, said.get("weather", "")) if missing else "")
    return sentences


def said_in(prompt: str) -> Said:
    """What the words of a prompt name: of subjects the first, of colours the one before it.

    Everyday words and typing errors count as the words of the vocabulary that they stand for.
    """
    found = [*_matches(_in_known_words(prompt)), ("", "")]
    said: Said = {}
    colours: list[str] = []
    for (name, value), (next_name, next_value) in pairwise(found):
        if name != "colour":
            said.setdefault(name, value)
        elif "subject" not in said:
            colours = [value]
        elif next_name != "subject" or next_value == said["subject"]:  # else it is the second subject's
            colours.append(value)
    return said | ({"colour": colours[0]} if colours else {})


def _drawn(seed: int) -> Said:
    rng = random.Random(f"extension/{seed}")
    return {
        "subject": rng.choice(list(v.SUBJECTS)), "colour": rng.choice(list(v.COLOURS)),
        "action": rng.choice(_OPEN_ACTIONS), "place": rng.choice(list(v.PLACES)),
        "time_of_day": rng.choice(list(v.TIMES)),
    }  # fmt: skip


def whole_sentence(values: Mapping[str, str], weather: str = "") -> str:
    """All of NAMED in one plain sentence, and the weather where there is something to say of it."""
    subject = article(f"{v.COLOURS[values['colour']][0]} {v.SUBJECTS[values['subject']][0]}")
    verb = v.ACTIONS[values["action"]][0][0]
    place, time = v.PLACES[values["place"]][0], v.TIMES[values["time_of_day"]][0]
    sky = f" {v.WEATHERS[weather][0]}" if weather else ""
    return f"{subject[0].upper()}{subject[1:]} {verb} over {place} {time}{sky}."


# -- finding words --------------------------------------------------------------------------------------


def _in_known_words(prompt: str) -> list[str]:
    """The words of a prompt, those that are not the vocabulary's replaced by what they stand for."""
    known = _known()
    words: list[str] = []
    for word in text_words(prompt):
        strange = word not in SAYING_NOTHING and not base_forms(word) & known
        near = near_words(known, word) if strange else []
        words += text_words(near[0]) if near else [word]
    return words


def _matches(words: list[str]) -> Iterator[Named]:
    """What the phrases of a text name, in order; of phrases that begin at one word the longest."""
    forms = [base_forms(word) for word in words]
    at = 0
    while at < len(words):
        begun = {phrase: named for form in forms[at] for phrase, named in _phrases().get(form, ())}
        fitting = [phrase for phrase in begun if _fits(phrase, forms[at : at + len(phrase)])]
        if fitting:
            longest = max(fitting, key=len)
            yield begun[longest]
            at += len(longest)
        else:
            at += 1


def _fits(phrase: tuple[str, ...], forms: Sequence[frozenset[str]]) -> bool:
    return len(phrase) == len(forms) and all(
        word in form or base_forms(word) & form for word, form in zip(phrase, forms, strict=True)
    )


@cache
def _phrases() -> dict[str, list[tuple[tuple[str, ...], Named]]]:
    """Phrases as words, with what they name, by each form that their first word may have."""
    phrases: dict[tuple[str, ...], Named] = {}
    heads: dict[tuple[str, ...], Named] = {(word,): named for word, named in _PLAIN.items()}
    for name, value, phrase in _all_phrases():
        words = tuple(text_words(phrase))
        phrases.setdefault(words, (name, value))
        if name not in _HEADED or " with " in phrase:
            continue
        if words[-1] not in _NO_HEADS:
            phrases.setdefault(tuple(word for word in words if word not in SAYING_NOTHING), (name, value))
            heads.setdefault(words[-1:], (name, value))
    by_form: dict[str, list[tuple[tuple[str, ...], Named]]] = {}
    for words, named in {**heads, **phrases}.items():  # a whole phrase comes first
        for form in base_forms(words[0]) if words else ():
            by_form.setdefault(form, []).append((words, named))
    return by_form


@cache
def _known() -> frozenset[str]:
    return frozenset(
        form for _, _, phrase in _all_phrases() for word in text_words(phrase) for form in base_forms(word)
    )


def _all_phrases() -> Iterator[tuple[str, str, str]]:
    """(attribute, value, phrase) of the vocabulary, then of everyday words."""
    for words in (v, everyday):
        for name, tables in _TABLES.items():
            for table in tables:
                for value, entries in getattr(words, table).items():
                    for entry in entries:
                        for phrase in entry if isinstance(entry, tuple) else (entry,):
                            yield name, value, phrase
