"""What a prompt says: of each attribute a value, and who comes along with the main subject (no torch).

Words alone do not tell: an action and a colour belong to somebody, and a film may have two subjects. They are
the main subject's where a mention of it, or "it", stands before them, and another's after the mention of that
one. Everything else is told of the picture, wherever it stands (`picture_reading`). The rules are our own.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, NamedTuple

from arlon_core.models.known_words import SAYING_NOTHING
from arlon_core.world.mentions import ARTICLES, IT, NEAR, Mention, Spoken, spoken
from arlon_core.world.picture_reading import doer, is_denied, is_followed, said_of_picture
from arlon_core.world.vocabulary import Attributes
from arlon_core.world.word_reading import Match

Said = dict[str, str]  # attribute -> value

# Between a subject, or "it", and a colour that is its own: "the kite slowly turns red".
_TURNING = frozenset(
    """
    s is are was turn turns turned turning become becomes became becoming goes going went now all in has have
    had taken takes on to into from painted dyed striped glows glowing shines shining a an the its new colour
    color colours colors change changes changed changing of look looks and quite then
    be been were will would should could can if as bright dark light pale deep vivid
    """.split()  # noqa: SIM905 (one line reads better than fifty quotes)
)
_BECOMING = frozenset(("turns", "turned", "becomes", "became", "changes", "changed"))
# A prompt can show one thing that is done: the last after "then", the way where one flies "off to the left".
_SIDEWAYS = frozenset(("left", "right"))
_COLOUR = frozenset(("colour", "color", "colours", "colors"))
# What of somebody has their colour: "its scales turn golden".
_SKIN = frozenset(
    """
    hull scales wings fur skin feathers sail sails body paint silk envelope coat fabric paper plumage
    """.split()  # noqa: SIM905
)
_ADDED = frozenset(("with", "as", "and", "like", "but"))  # after a colour that is told by itself
_REMAINS = frozenset(("left", "stays", "stayed", "remains", "remained", "falls", "fell"))  # before "behind"
_ENTERING = frozenset(("come", "comes", "is", "flies", "fly", "appears", "enters", "there", "now"))
_WITHOUT = frozenset(
    ("without", "no", "not", "minus", "remove", "removed", "loses", "lose", "delete", "kill", "leaves")
)  # before who goes
_GOING = frozenset(
    """
    leaves leave leaving gone goodbye away disappears disappear disappearing vanishes went departs not nowhere
    """.split()  # noqa: SIM905
)  # after who goes


class Company(NamedTuple):
    """Another subject beside the main one, and its colour where it is told; subject None: nobody is there."""

    subject: str | None
    colour: str | None = None


class Reading(NamedTuple):
    """What a prompt says of the picture and the main subject, and of company where it speaks of any."""

    said: Said
    company: Company | None


def said_in(prompt: str) -> Said:
    """What a description names: of each attribute the first, and the main subject's own."""
    return read_prompt(prompt).said


def read_prompt(prompt: str, film: Attributes | None = None, *, change: bool = False) -> Reading:
    """What a prompt says.

    film: what is to be seen so far. change: the prompt tells what changes in it, so that other subjects that
    it names come or go.
    """
    text = spoken(prompt, film, change=change)
    own = {
        "subject": next((each.subject for each in text.mentions if each.main), None),
        "colour": _colour(text, change=change),
        "action": _action(text, change=change),
    }
    said = {name: value for name, value in own.items() if value}
    return Reading({**said, **said_of_picture(text, film, change=change)}, _company(text))


# -- the main subject's own -----------------------------------------------------------------------------


def _action(text: Spoken, *, change: bool) -> str | None:
    """What the main subject does: told after it or "it", else of nobody, else, if described, of anybody."""
    own, free, others, denied = [], [], [], []
    for match in (match for match in text.found if match.name == "action" and _is_done(text, match)):
        who = text.owner(match.start) or _entering(text, match)
        if is_denied(text, match):
            denied += ["still"] if match.value != "still" and (who is True or (who and who.main)) else []
            continue
        if who is True or (who and (who.main or text.is_joint(who))):
            own.append(match.value)
        elif who is None or (change and not _does(text, who, match)):
            free.append(match.value)
        elif not change:
            others.append(match.value)
    told = own or free or others or denied
    sideways = [value for value in told if value in _SIDEWAYS]
    if told and "then" in text.words[1:]:
        return told[-1]
    if sideways and told[0] == "away":  # "flies off to the left"
        return sideways[0]
    return next(iter(told), None)


def _is_done(text: Spoken, what: Match) -> bool:
    """Whether a subject does it: what the camera follows does it too."""
    return not doer(text, what) or is_followed(text, what)


def _entering(text: Spoken, what: Match) -> Mention | None:
    """Who is told to come after the way that they take: "from the left comes an owl"."""
    who = next((each for each in text.mentions if each.start >= what.stop), None)
    if who is None or who.main:
        return None
    between = text.words[what.stop : who.start]
    aside = text.words[what.start] == "from" and what.stop in text.breaks
    entering = bool(_ENTERING & set(between)) and set(between) <= _ENTERING | ARTICLES
    return who if aside or entering else None


def _does(text: Spoken, who: Mention, what: Match) -> bool:
    """Whether somebody else does what is told after a mention; one who goes does nothing afterwards."""
    going = _going_at(text, who)
    if going is not None:
        return what.value == "away" or what.start < going
    return what.start - who.stop < NEAR


def _colour(text: Spoken, *, change: bool) -> str | None:
    """The main subject's colour: an adjective of its name, or told of it: "it is red now"."""
    named = [each.colour for each in text.mentions if each.main and each.colour]
    told = [(match, _coloured(text, match)) for match in _free_colours(text)]
    named += [match.value for match, who in told if who is True or (who and who.main)]
    if not text.mentions and not change:  # "a blue fox": the world has another blue thing
        named += [match.value for match, _ in told if _of_unknown(text, match)]
    return next(iter(named), None)


def _free_colours(text: Spoken) -> list[Match]:
    """Colours that are no adjectives of a subject."""
    free = [match for match in text.found if match.name == "colour" and not text.mention_at(match.start)]
    return [match for match in free if text.words_before(match, 1) != ["from"]]  # "from red to blue"


def _coloured(text: Spoken, colour: Match) -> Mention | Literal[True] | None:
    """Of whom such a colour is told: a mention, True for "it" or nobody by name, None for other things."""
    following = text.match_at(colour.stop)
    if _of_unknown(text, colour) and (following is None or following.name == "place"):
        return None  # "in the blue sea"
    if _is_added(text, colour):
        before = [each for each in text.mentions if each.stop <= colour.start][-1:]
        after = [] if IT & set(text.words[: colour.start]) else text.mentions  # "white as snow, a kite"
        others = set(text.words) - SAYING_NOTHING - set(text.words[colour.start : colour.stop])
        free = bool(IT & set(text.words)) or not others  # else it may be told of a thing: "a forest, green"
        return next(iter([*before, *after]), True if free else None)
    at = colour.start - 1
    while at >= 0 and _is_passed(text, at):
        at -= 1
    if at > 0 and text.words[at] in _SKIN:
        at -= 2 if text.words[at - 1] == "s" else 1
    mention = text.mention_at(at)
    if mention or (at >= 0 and text.words[at] in IT):
        return mention or True
    if _elided(text, at + 1, colour.start):
        return text.owner(colour.start) or True
    if text.words[colour.stop : colour.stop + 1] == ["one"]:  # "another kite comes, a red one"
        return text.owner(colour.start)
    walked, ahead = text.words[at + 1 : colour.start], text.words[colour.stop : colour.stop + NEAR + 2]
    own_clause = at < 0 or text.match_at(at) is not None or ("to" in walked and bool(_COLOUR & set(walked)))
    spoken_of = bool(_COLOUR & set(walked)) or "now" in (*walked, *ahead[:1])
    of_it = bool(_COLOUR & set(ahead)) and "of" in ahead  # "pink is the new colour of it"
    return True if (own_clause and spoken_of) or of_it else None


def _is_added(text: Spoken, colour: Match) -> bool:
    """Whether a colour is told by itself: "a kite in the park, red with white spots"."""
    ends = colour.stop == len(text.words) or colour.stop in text.breaks
    alone = colour.start == 0 or colour.start in text.breaks
    return alone and (ends or text.words[colour.stop] in _ADDED)


def _elided(text: Spoken, start: int, stop: int) -> bool:
    """Whether words say that somebody who was spoken of before turns: "and turns"."""
    walked = text.words[start:stop]
    return any(one == "and" and other in _BECOMING for one, other in pairwise(walked))


def _is_passed(text: Spoken, at: int) -> bool:
    """Whether a word may stand between a subject and its colour; so may the colour that it had."""
    had = text.match_at(at)
    if had:
        return had.name == "colour" and text.words_before(had, 1) == ["from"]
    if text.words[at] == "of":  # "a robot of green colour"
        return bool(_COLOUR & set(text.words[at + 1 : at + 3]))
    return text.words[at] in _TURNING - IT


def _of_unknown(text: Spoken, colour: Match) -> bool:
    """Whether a word follows that could be a thing of this colour."""
    return colour.stop not in text.breaks and any(
        word not in SAYING_NOTHING and word not in _COLOUR
        for word in text.words[colour.stop : colour.stop + 1]
    )


# -- others ---------------------------------------------------------------------------------------------


def _company(text: Spoken) -> Company | None:
    """Who is there beside the main subject: the last of those named that stay; None where nobody is named."""
    others = [each for each in text.mentions if not each.main]
    staying = [each for each in others if not _goes(text, each)]
    if staying:
        last = staying[-1]
        told = [match.value for match in _free_colours(text) if _coloured(text, match) == last]
        return Company(last.subject, next(iter([*told, last.colour]), None))
    alone = any(word == "alone" and text.words[at - 1] != "not" for at, word in enumerate(text.words))
    return Company(None) if others or alone or text.cut else None


def _goes(text: Spoken, who: Mention) -> bool:
    """Whether one is told to leave, or not to be there."""
    return _going_at(text, who) is not None


def _going_at(text: Spoken, who: Mention) -> int | None:
    """Where the word is by which one leaves, or is not there."""
    before, after = text.words_before(who, 2), text.words_after(who)
    if _WITHOUT & set(before[-1:]) or list(before) in (["no", "more"], ["rid", "of"]):
        return who.start
    away = {match.start for match in text.found if match.value == "away"}
    behind = {at for at in after if text.words[at] == "behind" and text.words[at - 1] in _REMAINS}
    return next((at for at in after if at in away | behind or text.words[at] in _GOING), None)
