"""Who is spoken of in a prompt: its main subject, and others beside it (no torch).

Several words may mention one subject, and two subjects may be of one kind. The rules are our own: in a
description the main one is the film's own, else the first that is not told to be with another; in a change it
is the film's own where it is not spoken of as somebody new ("a bird", "another bird").
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

from arlon_core.models.known_words import SAYING_NOTHING
from arlon_core.world.plain_words import NOTHING
from arlon_core.world.vocabulary import Attributes, split_second
from arlon_core.world.word_reading import Match, prompt_words, word_matches

IT = frozenset(("it", "its", "he", "him", "his", "she", "her", "they", "them", "their"))
DOING = frozenset(("it", "he", "she", "they"))  # begin what is told of the main subject
NEAR = 4  # words: what is told of somebody stands so close to the mention
_NEW = frozenset(("a", "an", "another", "one", "some"))
_OTHER = frozenset(("another", "other", "second"))
ARTICLES = _NEW | {"the"}
_BESIDE = frozenset(("with", "beside", "alongside", "near", "at"))  # before "it": "with it", "at its side"
_LEADING = frozenset(("with", "beside", "alongside", "near", "by", "to", "plus", "also"))  # to company
JOINTS = frozenset(
    ("and", "but", "or", "as", "when", "while", "then", "until", "because", "so", "now", "if")
)  # before a clause
_TOGETHER = frozenset(("and", "with", "follows", "followed", "following"))  # between two who do the same
_ALONG = frozenset(("company", "along", "close", "too"))  # after company
_CUTS = frozenset(("cut", "cuts", "dissolve", "fade", "switch", "jump"))  # "... to", where a prompt begins
_TURNS = frozenset(
    """
    turn turns turned turning transform transforms transformed transforming change changes changed changing
    morph morphs morphed morphing
    """.split()  # noqa: SIM905 (one line reads better than twenty quotes)
)  # "... into" somebody else
_BECOMES = frozenset(("becomes", "become", "became"))
_REPLACES = frozenset(("replaced", "replace", "replaces", "swap", "swapped"))
_PLANE = frozenset(("plane", "airplane", "aeroplane"))  # may be the paper plane of the film


class Mention(NamedTuple):
    """Words [start, stop), adjectives included, name a subject; `main`: the one that the film is about."""

    start: int
    stop: int
    subject: str
    colour: str | None
    main: bool = False


@dataclass(frozen=True)
class Spoken:
    """The words of a prompt, what they name of the world, and whom they mention; all in order.

    breaks: where punctuation stands before the word. cut: the film cuts to somebody else.
    """

    words: Sequence[str]
    breaks: Set[int]
    found: Sequence[Match]
    mentions: Sequence[Mention]
    cut: bool = False

    def owner(self, place: int) -> Mention | Literal[True] | None:
        """Whose the words at a place are: a mention's, True for "it", None where nobody stands before."""
        for at in range(place - 1, -1, -1):
            mention = self.mention_at(at)
            if mention or self.words[at] in IT:
                return mention or True
        return None

    def is_joint(self, mention: Mention) -> bool:
        """Whether the main subject stands before somebody, and "and": "the kite and the owl fly left"."""
        and_at = self._article(mention) - 1
        before = self.mention_at(and_at - 1) if and_at > 0 and self.words[and_at] in _TOGETHER else None
        return before is not None and before.main

    def words_before(self, what: Mention | Match, count: int) -> Sequence[str]:
        """So many words before something and its article, back to punctuation at most."""
        stop = self._article(what)
        start = max([0, stop - count, *(each for each in self.breaks if each <= stop)])
        return self.words[start:stop]

    def words_after(self, what: Mention | Match) -> range:
        """The places of the next few words, up to where something else is spoken of."""
        stops = [each.start for each in self.mentions]
        stops += [at for at, word in enumerate(self.words) if word in DOING]
        stops += [match.start for match in self.found if match.name not in (NOTHING, "action")]
        return range(
            what.stop, min([len(self.words), what.stop + NEAR, *(at for at in stops if at >= what.stop)])
        )

    def begins_clause(self, place: int) -> bool:
        """Whether nothing of the same clause stands before a word and its article."""
        place -= place > 0 and self.words[place - 1] in ARTICLES
        return place == 0 or place in self.breaks or self.words[place - 1] in JOINTS

    def _article(self, what: Mention | Match) -> int:
        return what.start - (what.start > 0 and self.words[what.start - 1] in ARTICLES)

    def mention_at(self, place: int) -> Mention | None:
        """The mention that a word is part of."""
        return next((each for each in self.mentions if each.start <= place < each.stop), None)

    def match_at(self, place: int) -> Match | None:
        """What a word is part of the name of."""
        return next((match for match in self.found if match.start <= place < match.stop), None)


def spoken(prompt: str, film: Attributes | None, *, change: bool) -> Spoken:
    """A prompt with its mentions told apart.

    film: what is to be seen so far. change: the prompt tells what changes in it.
    """
    words, breaks = prompt_words(prompt)
    found = list(word_matches(words, breaks))
    nouns = [_noun_phrase(words, breaks, found, match) for match in found if match.name == "subject"]
    phrases = _called_by_kind(words, nouns, film)
    if not change or film is None:
        main = _described(words, phrases, film.subject if film else None)
        mentions = [each._replace(main=main is not None and _same(words, each, main)) for each in phrases]
        return Spoken(words, breaks, found, mentions)
    known = [each._replace(main=_is_known(words, each, film)) for each in phrases]
    mentions = _without_replaced(words, breaks, sorted([*known, *_ones(words, found, film)]))
    if mentions and _is_cut(words) and not any(each.main or _is_second(each, film) for each in mentions):
        return Spoken(words, breaks, found, [mentions[0]._replace(main=True), *mentions[1:]], cut=True)
    return Spoken(words, breaks, found, mentions)


def _noun_phrase(words: Sequence[str], breaks: Set[int], found: Sequence[Match], noun: Match) -> Mention:
    """A subject with its adjectives."""
    at, colour = noun.start, None
    while at and noun.start - at < NEAR:
        adjective = next((match for match in found if match.stop == at), None)
        if adjective and adjective.name != "colour":
            break
        if adjective:
            at, colour = adjective.start, adjective.value
        elif at in breaks or (words[at - 1] in SAYING_NOTHING and words[at - 1] != "and"):
            break
        else:
            at -= 1
    return Mention(at, noun.stop, noun.value, colour)


def _called_by_kind(
    words: Sequence[str], phrases: Sequence[Mention], film: Attributes | None
) -> list[Mention]:
    """The mentions, where "the plane" is the paper plane that was spoken of before."""
    here = film.subject if film else None
    named = []
    for each in phrases:
        new = "".join(words[each.start - 1 : each.start]) in _NEW
        if (
            here == "paper plane"
            and each.subject == "aeroplane"
            and words[each.stop - 1] in _PLANE
            and not new
        ):
            named.append(each._replace(subject="paper plane"))
        else:
            here = here if here in ("paper plane", "aeroplane") else each.subject
            named.append(each)
    return named


def _ones(words: Sequence[str], found: Sequence[Match], film: Attributes) -> list[Mention]:
    """Those of the two in the film that are not named: "the red one", "the other one"."""
    ones = []
    second_colour, second = split_second(film.second_subject)
    for at in (at for at in range(2, len(words)) if words[at] == "one"):
        colour = next((each for each in found if each.stop == at and each.name == "colour"), None)
        if film.second_subject and words[at - 1] == "other":
            ones.append(Mention(at, at + 1, second, second_colour))
        elif colour and words[colour.start - 1] == "the" and colour.value in (film.colour, second_colour):
            main = colour.value == film.colour
            ones.append(Mention(colour.start, at + 1, film.subject if main else second, colour.value, main))
    return ones


def _without_replaced(words: Sequence[str], breaks: Set[int], mentions: Sequence[Mention]) -> list[Mention]:
    """The mentions without those in whose place others come; who takes the main one's place is main."""
    kept = list(mentions)
    for old, new in [*pairwise(mentions), *((None, each) for each in mentions)]:
        if new in kept and (old is None or old in kept) and _takes_place(words, breaks, old, new):
            main = old.main if old else not any(each.main for each in kept)
            kept = [each._replace(main=main) if each == new else each for each in kept if each != old]
    return _instead(words, kept)


def _takes_place(words: Sequence[str], breaks: Set[int], old: Mention | None, new: Mention) -> bool:
    """Whether somebody, or "it" where nobody is named, turns into another or is replaced by one."""
    if words[new.start - 1 : new.start] == ["the"] or words[new.stop : new.stop + 1] == ["s"]:
        return False  # "it turns to the owl", "it becomes the owl's friend"
    stop = new.start - (new.start > 0 and words[new.start - 1] in ARTICLES)
    start = max([old.stop if old else 0, stop - NEAR - 1, *(each for each in breaks if each <= stop)])
    between = words[start:stop]
    told = old is not None and start == old.stop
    if told and old and words[max(0, old.start - 2) : old.start][:1] in (["change"], ["turn"], ["replace"]):
        return between in (["to"], ["into"], ["with"], ["by"])
    if not told and not IT & set(between):
        return False
    into = between[-1:] in (["into"], ["to"]) and bool(_TURNS & set(between))
    replaced = between[-1:] in (["by"], ["with"]) and bool(_REPLACES & set(between))
    return into or replaced or bool(_BECOMES & set(between[-1:]))


def _instead(words: Sequence[str], mentions: Sequence[Mention]) -> list[Mention]:
    """The mentions without one "instead of" whom another is there: the one before, else the one after."""
    for at, old in enumerate(mentions):
        others = [*mentions[max(0, at - 1) : at], *mentions[at + 1 : at + 2]]
        before = [word for word in words[max(0, old.start - 3) : old.start] if word not in ARTICLES]
        if others and before[-2:] == ["instead", "of"]:
            new = others[0]
            return [each._replace(main=old.main) if each == new else each for each in mentions if each != old]
    return list(mentions)


def _is_cut(words: Sequence[str]) -> bool:
    """Whether a prompt begins with "cut to" or the like: a film cuts only where it is told to."""
    return bool(_CUTS & set(words[:2])) and "to" in words[1:4]


def _is_second(mention: Mention, film: Attributes) -> bool:
    return mention.subject == split_second(film.second_subject)[1]


def _described(words: Sequence[str], phrases: Sequence[Mention], known: str | None) -> Mention | None:
    """The main subject of a description."""
    alone = [each for each in phrases if not _is_company(words, each)] or phrases
    return next((each for each in alone if each.subject == known), alone[0] if alone else None)


def _same(words: Sequence[str], mention: Mention, main: Mention) -> bool:
    """Whether a description speaks of its main subject: "a green kite ... the kite is small"."""
    told = mention.colour is None or main.colour is None or mention.colour == main.colour
    other = "".join(words[mention.start - 1 : mention.start]) in _OTHER
    return mention == main or (mention.subject == main.subject and told and not other)


def _is_known(words: Sequence[str], mention: Mention, film: Attributes) -> bool:
    """Whether a change speaks of the film's main subject, and not of another of its kind."""
    article = "".join(words[mention.start - 1 : mention.start])
    told_apart = mention.colour not in (None, film.colour)
    second = f"{mention.colour} {mention.subject}" == film.second_subject
    other = article in _OTHER or (told_apart and (second or article in _NEW))
    return mention.subject == film.subject and not other


def _is_company(words: Sequence[str], mention: Mention) -> bool:
    """Whether somebody is told to be with another: "with an owl at its side, a robot flies"."""
    before = [word for word in words[: mention.start] if word not in ARTICLES][-2:]
    after = words[mention.stop : mention.stop + NEAR]
    beside = any(one in _BESIDE and other in IT for one, other in pairwise(after))
    led = bool(before) and before[-1] in _LEADING and before != ["close", "by"]
    return beside or led or bool(_ALONG & set(after))
