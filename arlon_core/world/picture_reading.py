"""What a prompt says of the picture, whoever is in it: place, time, weather and camera (no torch).

It may be told to end, too: "no longer raining", "the fog has gone", "it isn't night any more". The rules are
our own.
"""

from __future__ import annotations

from itertools import pairwise

from arlon_core.models.known_words import SAYING_NOTHING
from arlon_core.world.mentions import IT, JOINTS, Spoken
from arlon_core.world.vocabulary import Attributes
from arlon_core.world.word_reading import Match

# What moves in a picture and is no subject: "the wind dies down", "the camera tracks left".
_CAMERA = frozenset(("camera", "view", "shot"))
_THINGS = _CAMERA | frozenset(
    """
    sun moon star stars sky wind breeze storm rain raindrops snow snowflakes flakes fog mist cloud clouds
    water waves day night darkness evening morning light
    """.split()  # noqa: SIM905 (one line reads better than twenty quotes)
)
_DOING_NEAR = 6  # words: so close to a thing stands what it does
_FOLLOWING = frozenset(("follow", "follows", "following", "track", "tracks", "tracking"))
_SHOOTING = {
    "left": "pan left",
    "right": "pan right",
    "closer": "zoom in",
    "away": "zoom out",
    "still": "still",
}

_NOT = frozenset(
    """
    no not without longer t never stop stops stopped stopping remove delete kill lose rid
    """.split()  # noqa: SIM905
)
_BETWEEN = frozenset(
    ("any", "more", "really", "the", "a", "it", "be", "in", "of", "want")
)  # "not in the rain"
_ENDING = frozenset(
    """
    gone goes went stops stopped ends ended ending clears cleared lifts lifted passes passed melts melted
    parts parted burns dissolves dissolved fades faded disappears disappeared disappear vanishes vanished
    vanish leaves away anymore calms eases subsides dies
    """.split()  # noqa: SIM905
)  # after what ends
_STOPPING = frozenset(("stop", "stops", "stopped", "ends", "ended", "clears", "vanishes", "fades"))
_UNTIL = frozenset(("until", "till", "and"))
_AT_LAST = frozenset(("finally", "slowly", "then", "soon", "eventually"))
_WHILE = 9  # words until a weather is told to stop after all
_BEING = frozenset(("is", "s", "are", "was", "now", "finally"))  # before "over" that says that it ends
_THEN = {"night": "dawn", "dawn": "day", "day": "dusk", "dusk": "night"}
_GIVING_WAY = (
    ["gives", "way", "to"], ["give", "way", "to"], ["changes", "to"], ["change", "to"],
)  # fmt: skip
_LEAVING = frozenset(("leave", "leaves", "leaving", "left", "from"))


def said_of_picture(text: Spoken, film: Attributes | None, *, change: bool) -> dict[str, str]:
    """What is said of place, time, weather and camera; arguments as of `prompt_reading.read_prompt`."""
    camera = [match.value for match in text.found if match.name == "camera"]
    done = [match.value for match in text.found if doer(text, match) in _CAMERA and _is_shot(text, match)]
    camera += [_SHOOTING[value] for value in done if value in _SHOOTING]
    said = {
        "place": _place(text, change=change),
        "time_of_day": _time(text, film),
        "weather": _weather(text),
        "camera": next(iter(camera), None),
    }
    return {name: value for name, value in said.items() if value}


def doer(text: Spoken, action: Match) -> str | None:
    """The thing that does something, or with which something is done, if it is no subject."""
    if action.name != "action":
        return None
    if text.words[action.start] in _NOT:  # "stop the rain"
        weathers = [match for match in text.found if match.name == "weather" and is_denied(text, match)]
        if any(match.start - action.stop in (0, 1) for match in weathers):
            return "weather"
    if action.start in (_last_end(text, match) for match in text.found if match.name == "weather"):
        return "weather"
    at = _thing_at(text, action)
    if at is None or not _begins_clause(text, at) or any(at < each <= action.start for each in text.breaks):
        return None
    followed = text.words[at + 1] in _FOLLOWING or _with_somebody(text, at, action)
    between = range(at + 1, action.start)
    if not followed and any(text.words[each] in IT or text.match_at(each) for each in between):
        return None
    return text.words[at]


def is_followed(text: Spoken, action: Match) -> bool:
    """Whether the camera follows somebody who does something: "follows the kite to the left"."""
    at = _thing_at(text, action) if doer(text, action) in _CAMERA else None
    between = range(at + 1 if at is not None else action.start, action.start)
    return any(text.words[each] in IT or text.mention_at(each) for each in between)


def _is_shot(text: Spoken, action: Match) -> bool:
    """Whether the camera does it itself: it need not come closer with whom it follows."""
    return action.value in ("left", "right") or not is_followed(text, action)


def _thing_at(text: Spoken, action: Match) -> int | None:
    """Where the nearest thing stands before an action."""
    first = max(0, action.start - _DOING_NEAR)
    return next((at for at in range(action.start - 1, first - 1, -1) if text.words[at] in _THINGS), None)


def _begins_clause(text: Spoken, thing: int) -> bool:
    """Whether a thing, with an adjective or two, begins a clause: "heavy clouds come up"."""
    at = thing
    while at > max(0, thing - 2) and at not in text.breaks and _is_adjective(text, at - 1):
        at -= 1
    return text.begins_clause(at)


def _is_adjective(text: Spoken, at: int) -> bool:
    match = text.match_at(at)
    return match.name == "colour" if match else text.words[at] not in SAYING_NOTHING | JOINTS


def _with_somebody(text: Spoken, thing: int, action: Match) -> bool:
    """Whether the camera moves with somebody: "pans with it to the left"."""
    return text.words[thing] in _CAMERA and "with" in text.words[thing + 1 : action.start]


def is_denied(text: Spoken, match: Match) -> bool:
    """Whether "no", "not", or "no longer" stands before it."""
    before = [word for word in text.words_before(match, 4) if word not in _BETWEEN]
    return bool(_NOT & set(before[-1:])) or text.words_before(match, 2) == ["no", "more"]


def _ends(text: Spoken, match: Match) -> bool:
    """Whether a weather or a time is told to end, or not to be."""
    rest = text.words_after(match)
    stops = [at for at in rest if at in text.breaks or text.words[at] == "and"]
    after = text.words[match.stop : min([*stops, rest.stop])]
    over = after == ["over"] and (rest.start + 1 in text.breaks or rest.start + 1 == len(text.words))
    over = over or any(one in _BEING and other == "over" for one, other in pairwise(after))
    at_last = _last_end(text, match) is not None
    return is_denied(text, match) or over or at_last or bool(_ENDING & set(after))


def _last_end(text: Spoken, weather: Match) -> int | None:
    """Where a weather stops after a while: "the rain gets weaker and finally stops", "... until it stops"."""
    for at in range(weather.stop + 1, min(len(text.words), weather.stop + _WHILE)):
        if at in text.breaks or text.mention_at(at):
            return None
        before = [word for word in text.words[weather.stop : at] if word not in _AT_LAST]
        if text.words[at] in _STOPPING and (text.words[at - 1] in _AT_LAST or before[-1:] == ["and"]):
            return at
        if text.words[at] in IT and text.words[at - 1] not in _UNTIL:
            return None
        if text.words[at] in IT and text.words[at + 1 : at + 2] and text.words[at + 1] in _STOPPING:
            return at + 1
    return None


def _weather(text: Spoken) -> str | None:
    """The last that does not end, and what falls rather than the clouds that it falls from."""
    told = [match for match in text.found if match.name == "weather"]
    named = [match for match in told if match.value != "clear"]
    ended = [match for match in named if _ends(text, match) or text.words_before(match, 1) == ["after"]]
    staying = [match.value for match in told if match not in ended]
    falling = [value for value in staying if value != "cloudy"]
    return next(iter([*falling[::-1], *staying, *("clear" for _ in ended)]), None)


def _time(text: Spoken, film: Attributes | None) -> str | None:
    """The first that does not end; the sun shines by day, and in the morning and the evening too."""
    told = [match for match in text.found if match.name == "time_of_day"]
    sunny = {
        day.start
        for day in told
        if day.value == "day"
        and any(each.start == day.start for each in text.found if each.name == "weather")
    }
    ended = [match for match in told if _ends(text, match)]
    named = [match.value for match in told if match not in ended and match.start not in sunny]
    shining = [match.value for match in told if match.start in sunny and match not in ended]
    if film is not None and film.time_of_day != "night":
        shining = []
    return next(iter([*named, *shining, *(_THEN[match.value] for match in ended)]), None)


def _place(text: Spoken, *, change: bool) -> str | None:
    """The first that the film does not leave: where a change says nothing of another, it stays."""
    told = [match for match in text.found if match.name == "place" and not is_denied(text, match)]
    reached = [match.value for match in told if not _is_left(text, match)]
    return next(iter([*reached, *(match.value for match in told if not change)]), None)


def _is_left(text: Spoken, place: Match) -> bool:
    after = list(text.words[place.stop : place.stop + 3])
    behind = after[:1] == ["behind"]
    before = text.words_before(place, 2)
    left = bool(_LEAVING & set(before[-1:])) or before in (["leaves", "behind"], ["leaving", "behind"])
    into = after[1:2] == ["into"] and after[2:] not in (["view"], ["sight"])  # "the hills melt into dunes"
    turned = into or after[:1] == ["becomes"] or after[:2] in _GIVING_WAY or after in _GIVING_WAY
    return behind or left or turned  # but for "left for the sea"
