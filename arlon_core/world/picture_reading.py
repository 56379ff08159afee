"""What a prompt says of the picture, whoever is in it: place, time, weather and camera (no torch).

It may be told to end, too: "no longer raining", "the fog has gone", "it isn't night any more". The rules are
our own.
"""

from __future__ import annotations

from itertools import pairwise

from arlon_core.world.mentions import IT, Spoken
from arlon_core.world.vocabulary import Attributes
from arlon_core.world.word_reading import Match

# What moves in a picture and is no subject: "the wind dies down", "the camera tracks left".
_CAMERA = frozenset(("camera", "view", "shot"))
_THINGS = _CAMERA | frozenset(
    """
    sun moon star stars sky wind breeze storm rain snow snowflakes fog mist cloud clouds water waves day night
    darkness evening morning light
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
    ("no", "not", "without", "longer", "t", "never", "stop", "stops", "stopped", "stopping", "remove")
)
_BETWEEN = frozenset(("any", "more", "really", "the", "a", "it", "be", "in", "want"))  # "not in the rain"
_ENDING = frozenset(
    """
    gone goes went stops stopped ends ended ending clears cleared lifts lifted passes passed melts melted
    parts parted burns dissolves dissolved fades faded disappears disappeared disappear vanishes vanished
    vanish leaves away anymore calms eases subsides dies
    """.split()  # noqa: SIM905
)  # after what ends
_BEING = frozenset(("is", "s", "are", "was", "now", "finally"))  # before "over" that says that it ends
_THEN = {"night": "dawn", "dawn": "day", "day": "dusk", "dusk": "night"}
_LEAVING = frozenset(("leave", "leaves", "leaving", "left", "from"))


def said_of_picture(text: Spoken, film: Attributes | None, *, change: bool) -> dict[str, str]:
    """What is said of place, time, weather and camera; arguments as of `prompt_reading.read_prompt`."""
    camera = [match.value for match in text.found if match.name == "camera"]
    done = [match.value for match in text.found if doer(text, match) in _CAMERA]
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
    first = max(0, action.start - _DOING_NEAR)
    at = next((at for at in range(action.start - 1, first - 1, -1) if text.words[at] in _THINGS), None)
    if at is None or not text.begins_clause(at) or any(at < each <= action.start for each in text.breaks):
        return None
    followed = text.words[at + 1] in _FOLLOWING
    between = range(at + 1, action.start)
    if not followed and any(text.words[each] in IT or text.match_at(each) for each in between):
        return None
    return text.words[at]


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
    return is_denied(text, match) or over or bool(_ENDING & set(after))


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
    sunny = {match.start for match in text.found if match.name == "weather"}
    ended = [match for match in told if _ends(text, match)]
    named = [match.value for match in told if match not in ended and match.start not in sunny]
    shining = [match.value for match in told if match.start in sunny and match not in ended]
    if film is not None and film.time_of_day != "night":
        shining = []
    return next(iter([*named, *shining, *(_THEN[match.value] for match in ended)]), None)


def _place(text: Spoken, *, change: bool) -> str | None:
    """The first that the film does not leave: where a change says nothing of another, it stays."""
    told = [match for match in text.found if match.name == "place" and not is_denied(text, match)]
    return next((match.value for match in told if not (change and _is_left(text, match))), None)


def _is_left(text: Spoken, place: Match) -> bool:
    behind = text.words[place.stop : place.stop + 1] == ["behind"]
    before = text.words_before(place, 2)
    return behind or (bool(_LEAVING & set(before)) and "for" not in before)  # "left for the sea"
