"""The plain caption: everything that is to be seen in one sentence of one shape (no torch).

AR and DiT read films in it, and so learn from it: what people write is read first (`film_reading`).
"""

from __future__ import annotations

import random

from arlon_core.world import vocabulary as v
from arlon_core.world.captions import Phrasing, article, capital
from arlon_core.world.vocabulary import Attributes


def plain_caption(picture: Attributes) -> str:
    """A picture in a sentence; a clear sky, a camera at rest and being alone go without saying."""
    subject = _noun(picture.colour, picture.subject)
    verb = v.ACTIONS[picture.action][0][0]
    text = f"{subject} {verb} over {v.PLACES[picture.place][0]} {v.TIMES[picture.time_of_day][0]}"
    if picture.weather != "clear":
        text += f" {v.WEATHERS[picture.weather][0]}"
    if picture.second_subject is not None:
        text += f", with {_noun(*v.split_second(picture.second_subject))} beside it"
    if picture.camera != "still":
        text += f", {v.CAMERAS[picture.camera][0]}"
    return f"{capital(text)}."


def _noun(colour: str, subject: str) -> str:
    return article(f"{v.COLOURS[colour][0]} {v.SUBJECTS[subject][0]}")


def _whole(_: random.Random, picture: Attributes, opening: bool) -> str:
    return plain_caption(picture)


def _after_change(_: random.Random, before: Attributes, after: Attributes) -> str:
    return plain_caption(after)


PLAIN_PHRASING = Phrasing(_whole, _after_change)
