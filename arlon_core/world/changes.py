"""Clauses that say what changes at a segment border (no torch)."""

from __future__ import annotations

import random

from arlon_core.world import vocabulary as v
from arlon_core.world.vocabulary import Attributes

TIME_CHANGES = {
    "dawn": ("dawn breaks", "the sun comes up", "morning comes", "the sun rises",
        "it gets light as dawn comes",
             "day breaks"),
    "day": ("it becomes full day", "the sun climbs high", "the day grows bright",
        "it turns into bright daytime",
            "noon comes", "daylight fills the sky"),
    "dusk": ("the sun sets", "evening comes", "dusk falls", "the sky turns to sunset", "twilight comes",
             "the sun goes down in the evening"),
    "night": ("night falls", "it gets dark", "the stars come out", "the moon comes out", "it becomes night",
              "night comes"),
}  # fmt: skip
WEATHER_CHANGES = {
    "clear": ("the sky clears", "the weather clears up", "the air becomes clear", "the weather turns fine"),
    "cloudy": ("clouds gather", "clouds cover the sky", "it clouds over", "grey clouds roll in",
               "gray clouds roll in", "the sky becomes cloudy"),
    "rain": ("it starts to rain", "rain begins to fall", "rain sets in", "it begins raining",
             "a soft rain starts"),
    "snow": ("it starts to snow", "snow begins to fall", "snowflakes begin to drift down",
        "it begins snowing",
             "snow starts falling"),
    "fog": ("fog rolls in", "a mist rises", "it becomes foggy", "thick fog comes up", "mist fills the air"),
}  # fmt: skip
WEATHER_ENDINGS = {
    "rain": ("the rain stops", "the rain is over"),
    "snow": ("the snow stops", "it stops snowing"),
    "fog": ("the fog lifts", "the mist clears"),
    "cloudy": ("the clouds part", "the clouds go away"),
}
CAMERA_CHANGES = {
    "still": ("the camera comes to rest", "the camera stops moving", "the camera stays still",
              "the view settles"),
    "pan left": ("the camera pans left", "the camera begins to pan left", "the view moves to the left",
                 "the camera slides left"),
    "pan right": ("the camera pans right", "the camera begins to pan right", "the view moves to the right",
                  "the camera slides right"),
    "zoom in": ("the camera zooms in", "the view zooms in", "the camera begins to zoom in",
                "the camera pushes in"),
    "zoom out": ("the camera zooms out", "the view zooms out", "the camera begins to zoom out",
                 "the camera pulls back"),
}  # fmt: skip
PLACE_CHANGES = (
    "the landscape turns into {place}", "{it} comes to {place}", "{it} reaches {place}",
    "below, {place} come into view", "the scenery changes to {place}", "{it} is now over {place}",
    "we arrive at {place}", "the journey leads to {place}", "the view opens on {place}",
)  # fmt: skip
COLOUR_CHANGES = (
    "{it} turns {colour}", "{it} becomes {colour}", "{its} colour changes to {colour}",
    "{its} color changes to {colour}", "{it} slowly turns {colour}",
)  # fmt: skip
JOINING = (
    "{second} joins {it}", "{second} comes along", "{second} appears beside {it}", "{second} flies in",
    "along comes {second}", "{it} is joined by {second}", "{second} enters the scene",
)  # fmt: skip
LEAVING = (
    "{second} leaves", "{second} flies away", "{second} goes away", "{it} is alone again",
    "{second} leaves the scene", "{second} disappears from view", "{second} says goodbye",
)  # fmt: skip
BEGINNINGS = ("{it} {verb}", "{it} begins {doing}", "{it} starts {doing}", "{it} now {verb}")


def change_clauses(rng: random.Random, before: Attributes, after: Attributes) -> list[str]:
    """One clause, without capital or stop, for each attribute that differs."""
    it, its = _reference(rng, after)
    clauses: list[str] = []
    if after.action != before.action:
        verb, doing = rng.choice(v.ACTIONS[after.action])
        clauses.append(rng.choice(BEGINNINGS).format(it=it, verb=verb, doing=doing))
    if after.time_of_day != before.time_of_day:
        clauses.append(rng.choice(TIME_CHANGES[after.time_of_day]))
    if after.weather != before.weather:
        clauses.append(_weather(rng, before.weather, after.weather))
    if after.camera != before.camera:
        clauses.append(rng.choice(CAMERA_CHANGES[after.camera]))
    if after.place != before.place:
        clauses.append(_place(rng, rng.choice(v.PLACES[after.place]), it))
    if after.colour != before.colour:
        colour = rng.choice(v.COLOURS[after.colour])
        clauses.append(rng.choice(COLOUR_CHANGES).format(it=it, its=its, colour=colour))
    if after.second_subject != before.second_subject:
        clauses.append(_second(rng, before.second_subject, after.second_subject, it))
    return clauses


def _reference(rng: random.Random, attributes: Attributes) -> tuple[str, str]:
    if rng.random() < 0.45:
        return "it", "its"
    noun = rng.choice(v.SUBJECTS[attributes.subject]).split(" with ")[0]
    return f"the {noun}", f"the {noun}'s"


def _weather(rng: random.Random, before: str, after: str) -> str:
    if after == "clear" and rng.random() < 0.5:
        return rng.choice(WEATHER_ENDINGS[before]) + rng.choice(
            (" and the sky clears", " and it is clear again")
        )
    return rng.choice(WEATHER_CHANGES[after])


def _place(rng: random.Random, place: str, it: str) -> str:
    clause = rng.choice(PLACE_CHANGES)
    if "come into view" in clause and not place.endswith("s"):
        clause = clause.replace("come into view", "comes into view")
    return clause.format(place=place, it=it)


def _second(rng: random.Random, before: str | None, after: str | None, it: str) -> str:
    colour, subject = v.split_second(after or before)
    noun = f"{rng.choice(v.COLOURS[colour])} {rng.choice(v.SUBJECTS[subject])}"
    if after is None:
        return rng.choice(LEAVING).format(second=f"the {noun}", it=it)
    second = ("an " if noun[0] in "aeiou" else "a ") + noun
    return rng.choice(JOINING).format(second=second, it=it)
