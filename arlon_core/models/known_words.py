"""Which words of a text a model has been trained on (no torch).

A word is known when it, or another form of it, stands in the list that the tokenizer carries. Words that hold
a sentence together, and those that speak of the film rather than of what it shows, say nothing that could be
drawn, so they are never unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_WORD = re.compile(r"[^\W\d_]+")

# Our choice: closed classes of English, number words, and talk of pictures. What an apostrophe leaves
# ("don't" is "don" and "t") stands here too.
SAYING_NOTHING = frozenset(
    """
    a an the this that these those such same other others another each every all any both some none
    no nor not
    i me my mine myself you your yours yourself he him his himself she her hers herself it its itself we us
    our ours ourselves they them their theirs themselves one ones who whom whose which what someone something
    somebody anything anyone everyone nobody nothing everything
    am is are was were be been being do does did done doing have has had having can could will would shall
    should may might must get gets got getting let lets make makes made making take takes took taken taking
    and or but if then else so because as until till while whereas although though unless since whether
    of at by for with without about against between among into through throughout during before after above
    below to from up down in out on off over under again further along across around behind beside besides
    beyond near inside outside onto upon toward towards within via like per than
    here there where when why how now once ever never always often sometimes still yet already just only even
    also too very quite rather really almost nearly much many more most less least few several own back away
    together alone instead perhaps maybe anyway however meanwhile otherwise
    don doesn didn isn aren wasn weren won wouldn couldn shouldn hasn haven hadn ain t s d m ll re ve o
    zero two three four five six seven eight nine ten eleven twelve twenty hundred thousand first second third
    last next new half
    please imagine picture pictures show shows showing shown see sees seen seeing look looks looking watch
    watching watches story film movie video scene shot shots clip frame image view style
    time times moment moments hour hours point way happens happen happening follow follows following begin
    begins beginning start starts starting end ends ending change changes become becomes becoming gone
    """.split()  # noqa: SIM905 (one line a group reads better than two hundred quotes)
)
_ENDINGS = ("ing", "ed", "es", "er", "est", "ly", "s", "d")
_LEAST_BASE = 3  # letters of a word that an ending may be put to


def text_words(text: str) -> list[str]:
    """The words of a text, lower case: runs of letters, so "hot-air" is two."""
    return [word.lower() for word in _WORD.findall(text)]


def unknown_words(known: Iterable[str], text: str) -> list[str]:
    """The words of `text` that are in no form among `known`, each once, in the order of the text.

    Empty when nothing is known: a large pretrained model carries no list, and has seen them all.
    """
    words = frozenset(known)
    if not words:
        return []
    return [word for word in dict.fromkeys(text_words(text)) if not is_known(words, word)]


def is_known(known: frozenset[str], word: str) -> bool:
    """Whether a word in lower case says nothing, is known, or is another form of a known one."""
    return word in SAYING_NOTHING or word in known or bool(base_forms(word) & _bases_of(known))


def base_forms(word: str) -> frozenset[str]:
    """The words that this one may be a regular form of, itself among them: "flies" -> fly, and flie, fli.

    Rough, and right to be: what is no word is in no list either.
    """
    found = {word}
    for ending in _ENDINGS:
        rest = word.removesuffix(ending)
        if rest == word or len(rest) < _LEAST_BASE:
            continue
        found.add(rest)
        if ending[0] in "ei":
            found.add(f"{rest}e")  # "gliding"
        if ending == "ly":
            found.add(f"{rest}le")  # "gently"
        if rest[-1] == "i":
            found.add(f"{rest[:-1]}y")  # "flies"
        if rest[-1] == rest[-2]:
            found.add(rest[:-1])  # "bobbing"
    return frozenset(found)


@lru_cache(maxsize=8)
def _bases_of(known: frozenset[str]) -> frozenset[str]:
    return frozenset().union(*(base_forms(word) for word in known))
