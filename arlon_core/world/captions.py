"""Captions of Storyworld: a grammar with synonyms, for whole descriptions and for changes (no torch)."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from arlon_core.world import vocabulary as v
from arlon_core.world.changes import change_clauses
from arlon_core.world.vocabulary import Attributes

SIZES = ("", "", "", "", "small ", "little ", "lovely ", "lone ", "big ")
COMPANY = (
    "with {second} beside it", "together with {second}", "accompanied by {second}", "alongside {second}",
    "side by side with {second}", "and {second} keeps it company", "followed by {second}", "next to {second}",
)  # fmt: skip
STARTERS = (
    "Then ", "Now ", "Next, ", "After a while, ", "Slowly, ", "Little by little, ", "A moment later, ",
    "Soon ", "Meanwhile, ", "Gently, ",
)  # fmt: skip
GOING_ON = (
    "{it} keeps {doing}", "{it} goes on {doing}", "{it} is still {doing}", "everything stays as it is",
    "nothing changes", "the scene continues", "{it} carries on {doing}",
    "{it} keeps on {doing}, calm as before", "the quiet scene goes on", "on and on it goes, {doing}",
)  # fmt: skip


def article(words: str) -> str:
    """`words` with "a" or "an" before them."""
    return ("an " if words[0].lower() in "aeiou" else "a ") + words


def named(rng: random.Random, colour: str, subject: str, *, definite: bool = False, size: bool = True) -> str:
    """A noun phrase such as "a small crimson airship"."""
    words = f"{rng.choice(v.COLOURS[colour])} {rng.choice(v.SUBJECTS[subject])}"
    if size and not any(word in words for word in ("big", "little", "old ", "gentle", "deep", "tall")):
        words = rng.choice(SIZES) + words
    return f"the {words}" if definite else article(words)


def named_second(rng: random.Random, second_subject: str | None, *, definite: bool = False) -> str:
    """The same of a second subject, without a size."""
    colour, subject = v.split_second(second_subject)
    return named(rng, colour, subject, definite=definite, size=False)


@dataclass(frozen=True)
class Phrasing:
    """How a script's captions are worded: whole descriptions, and changes."""

    full: Callable[[random.Random, Attributes, bool], str]  # attributes, whether it opens the film
    change: Callable[[random.Random, Attributes, Attributes], str]  # attributes before and after


def full_caption(rng: random.Random, attributes: Attributes, opening: bool = True) -> str:
    """A whole description: every attribute is named (clear weather and a still camera may be left out)."""
    shape = rng.choice(SHAPES)
    text = shape(rng, caption_parts(rng, attributes, definite=not opening and rng.random() < 0.5))
    return finish_sentence(rng, text)


def change_caption(rng: random.Random, before: Attributes, after: Attributes) -> str:
    """Only what changes from `before` to `after`; if nothing does, that it goes on."""
    clauses = change_clauses(rng, before, after)
    it = rng.choice(("it", "the " + rng.choice(v.SUBJECTS[after.subject])))
    if not clauses:
        doing = rng.choice(v.ACTIONS[after.action])[1]
        return finish_sentence(rng, rng.choice(GOING_ON).format(it=it, doing=doing))
    rng.shuffle(clauses)
    if len(clauses) > 1 and rng.random() < 0.25:
        text = ". ".join(capital(clause) for clause in clauses)
    elif len(clauses) == 1:
        text = clauses[0]
    else:
        joint = rng.choice((" and ", ", and ", " while ", " as ", "; "))
        text = ", ".join(clauses[:-1]) + joint + clauses[-1]
    if rng.random() < 0.45:
        text = rng.choice(STARTERS) + (text if text[:2] != "A " else "a " + text[2:])
    return finish_sentence(rng, text)


def caption_parts(rng: random.Random, attributes: Attributes, definite: bool) -> dict[str, str]:
    """The pieces that the sentence shapes put together; empty strings for what is left out."""
    verb, doing = rng.choice(v.ACTIONS[attributes.action])
    say_weather = attributes.weather != "clear" or rng.random() < 0.35
    say_camera = attributes.camera != "still" or rng.random() < 0.25
    company = ""
    if attributes.second_subject is not None:
        company = rng.choice(COMPANY).format(second=named_second(rng, attributes.second_subject))
    return {
        "subject": named(rng, attributes.colour, attributes.subject, definite=definite),
        "bare": f"{rng.choice(v.COLOURS[attributes.colour])} {rng.choice(v.SUBJECTS[attributes.subject])}",
        "verb": verb,
        "doing": doing,
        "place": rng.choice(("over ", "above ", "over ", "high over "))
        + rng.choice(v.PLACES[attributes.place]),
        "scene": rng.choice(v.PLACES[attributes.place]),
        "time": rng.choice(v.TIMES[attributes.time_of_day]),
        "time_noun": rng.choice(v.TIME_NOUNS[attributes.time_of_day]),
        "weather": rng.choice(v.WEATHERS[attributes.weather]) if say_weather else "",
        "clause": rng.choice(v.WEATHER_CLAUSES[attributes.weather]) if say_weather else "",
        "camera": rng.choice(v.CAMERAS[attributes.camera]) if say_camera else "",
        "company": company,
    }


def _tail(parts: dict[str, str], *names: str, joint: str = ", ") -> str:
    return "".join(joint + parts[name] for name in names if parts[name])


def _plain(rng: random.Random, p: dict[str, str]) -> str:
    weather = f" {p['weather']}" if p["weather"] else ""
    return f"{p['subject']} {p['verb']} {p['place']} {p['time']}{weather}{_tail(p, 'company', 'camera')}"


def _time_first(rng: random.Random, p: dict[str, str]) -> str:
    return f"{p['time']}, {p['subject']} {p['verb']} {p['place']}{_tail(p, 'weather', 'company', 'camera')}"


def _weather_first(rng: random.Random, p: dict[str, str]) -> str:
    head = f"{p['clause']} {rng.choice(('as', 'while'))} " if p["clause"] else ""
    return f"{head}{p['subject']} {p['verb']} {p['place']} {p['time']}{_tail(p, 'company', 'camera')}"


def _place_first(rng: random.Random, p: dict[str, str]) -> str:
    text = f"{p['place']}, {p['subject']} {p['verb']} {p['time']}{_tail(p, 'company', 'weather')}"
    return f"{text}. {capital(p['camera'])}" if p["camera"] else text


def _two_sentences(rng: random.Random, p: dict[str, str]) -> str:
    clause = f" and {p['clause']}" if p["clause"] else ""
    text = f"it is {p['time_noun']}{clause}. {capital(p['subject'])} {p['verb']} {p['place']}"
    return f"{text}{_tail(p, 'company', 'camera')}"


def _there_is(rng: random.Random, p: dict[str, str]) -> str:
    see = rng.choice(("we see ", "look: ", "here is ", "there goes ", "a picture-book scene of ", ""))
    return (
        f"{see}{p['subject']} {p['doing']} {p['place']} {p['time']}{_tail(p, 'weather', 'company', 'camera')}"
    )


def _camera_first(rng: random.Random, p: dict[str, str]) -> str:
    weather = f" {p['weather']}" if p["weather"] else ""
    body = f"{p['subject']} {p['verb']} {p['place']}{weather} {p['time']}{_tail(p, 'company')}"
    if not p["camera"]:
        return body
    joint = rng.choice((" as ", " while ")) if "camera " in p["camera"] or "view" in p["camera"] else ": "
    return f"{p['camera']}{joint}{body}"


def _keywords(rng: random.Random, p: dict[str, str]) -> str:
    words = [p["bare"], p["doing"], p["scene"], p["time_noun"]]
    words += [p[name] for name in ("weather", "company", "camera") if p[name]]
    first, rest = words[0], words[1:]
    rng.shuffle(rest)
    return ", ".join([first, *rest])


def _scene_colon(rng: random.Random, p: dict[str, str]) -> str:
    clause = f", {p['clause']}" if p["clause"] else ""
    return (
        f"{p['scene']}, {p['time_noun']}{clause}: {p['subject']} {p['verb']}{_tail(p, 'company', 'camera')}"
    )


SHAPES = (_plain, _plain, _time_first, _weather_first, _place_first, _two_sentences, _there_is,
    _camera_first,
           _keywords, _scene_colon)  # fmt: skip


def capital(text: str) -> str:
    """`text` with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def finish_sentence(rng: random.Random, text: str) -> str:
    """A sentence as people type it: mostly with capital and full stop, sometimes without."""
    manner = rng.random()
    if manner < 0.08:
        return text
    if manner < 0.16:
        return capital(text)
    return capital(text) + "."


TRAINING_PHRASING = Phrasing(full_caption, change_caption)
