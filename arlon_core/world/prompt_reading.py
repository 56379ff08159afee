"""What a prompt says: of each attribute a value, and who comes along with the main subject (no torch).

Words alone do not tell: an action and a colour belong to somebody, and a film may have two subjects. They are
the main subject's where a mention of it, or "it", stands before them, and another's after the mention of that
one. Everything else is told of the picture, wherever it stands. The rules are our own.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from arlon_core.models.known_words import SAYING_NOTHING
from arlon_core.world.mentions import IT, NEAR, Mention, Spoken, spoken
from arlon_core.world.plain_words import NOTHING
from arlon_core.world.vocabulary import Attributes
from arlon_core.world.word_reading import Match

Said = dict[str, str]  # attribute -> value

# Between a subject, or "it", and a colour that is its own: "the kite slowly turns red".
_TURNING = frozenset(
    """
    s is are was turn turns turning become becomes becoming goes going now all in has have taken takes on to
    a an the its new colour color colours colors change changes changing of look looks and quite then
    """.split()  # noqa: SIM905 (one line reads better than fifty quotes)
)
_COLOUR = frozenset(("colour", "color", "colours", "colors"))
_WITHOUT = frozenset(("without", "no", "not", "minus", "loses", "leaves"))  # before who goes
_GOING = frozenset(
    """
    leaves leave leaving gone goodbye away disappears disappear disappearing vanishes went departs not behind
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
    for match in text.found:
        if match.name not in (NOTHING, *own):
            said.setdefault(match.name, match.value)
    return Reading(said, _company(text))


# -- the main subject's own -----------------------------------------------------------------------------


def _action(text: Spoken, *, change: bool) -> str | None:
    """What the main subject does: told after it or "it", else of nobody, else, if described, of anybody."""
    own, free, others = [], [], []
    for match in (match for match in text.found if match.name == "action"):
        who = text.owner(match.start)
        if who is True or (who and (who.main or text.is_joint(who))):
            own.append(match.value)
        elif who is None or (change and not _does(text, who, match)):
            free.append(match.value)
        elif not change:
            others.append(match.value)
    return next(iter([*own, *free, *others]), None)


def _does(text: Spoken, who: Mention, what: Match) -> bool:
    """Whether somebody else does what is told after a mention; one who goes does nothing but go away."""
    close = what.start - who.stop < NEAR
    return close and (what.value == "away" or not _goes(text, who))


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
    return [match for match in text.found if match.name == "colour" and not text.mention_at(match.start)]


def _coloured(text: Spoken, colour: Match) -> Mention | Literal[True] | None:
    """Of whom such a colour is told: a mention, True for "it" or nobody by name, None for other things."""
    if _of_unknown(text, colour) and not text.match_at(colour.stop):
        return None
    at = colour.start - 1
    while at >= 0 and text.words[at] in _TURNING - IT and not text.match_at(at):
        at -= 1
    mention = text.mention_at(at)
    if mention or (at >= 0 and text.words[at] in IT):
        return mention or True
    walked, ahead = text.words[at + 1 : colour.start], text.words[colour.stop : colour.stop + NEAR + 2]
    own_clause = at < 0 or text.match_at(at) is not None
    spoken_of = bool(_COLOUR & set(walked)) or "now" in (*walked, *ahead[:1])
    of_it = bool(_COLOUR & set(ahead)) and "of" in ahead  # "pink is the new colour of it"
    return True if (own_clause and spoken_of) or of_it else None


def _of_unknown(text: Spoken, colour: Match) -> bool:
    """Whether a word follows that could be a thing of this colour."""
    return any(word not in SAYING_NOTHING for word in text.words[colour.stop : colour.stop + 1])


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
    return Company(None) if others or alone else None


def _goes(text: Spoken, who: Mention) -> bool:
    """Whether one is told to leave, or not to be there."""
    words, before = text.words, text.words_before(who, 2)
    if _WITHOUT & set(before[-1:]) or list(before) == ["no", "more"]:
        return True
    stops = [each.start for each in text.mentions]
    stops += [at for at, word in enumerate(words) if word == "it"]
    stops += [match.start for match in text.found if match.name not in (NOTHING, "action")]
    stop = min([who.stop + NEAR, *(at for at in stops if at >= who.stop)])
    return bool(_GOING & set(words[who.stop : stop]))
