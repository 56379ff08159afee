"""Prompts put together otherwise than captions: in many sentences, and in an order turned round (no torch).

For measuring alone. The words are the vocabulary's; what a prompt says is what the caption of the same
attributes says.
"""

from __future__ import annotations

import random

from arlon_core.world import vocabulary as v
from arlon_core.world.captions import capital, caption_parts, named_second
from arlon_core.world.unseen_captions import unseen_change_clauses
from arlon_core.world.vocabulary import Attributes


def in_sentences(rng: random.Random, before: Attributes | None, now: Attributes) -> str:
    """A sentence for each thing that is said. before: None for a whole description, else what it changes."""
    if before is not None:
        clauses = unseen_change_clauses(rng, _called(rng, now), before, now)
        rng.shuffle(clauses)
        return _sentences(clauses if len(clauses) > 1 else ["the scene goes on", *clauses])
    parts = caption_parts(rng, now, definite=False)
    clauses = [
        f"there is {parts['subject']}",
        f"it {parts['verb']}",
        f"below it: {parts['scene']}",
        f"it is {parts['time_noun']}",
        parts["clause"],
        f"{named_second(rng, now.second_subject)} is with it" if now.second_subject else "",
        parts["camera"],
    ]
    return _sentences([clause for clause in clauses if clause])


def turned_round(
    rng: random.Random, before: Attributes | None, now: Attributes, *, company_first: bool = False
) -> str:
    """Circumstances first, subject and verb last. before: None for a whole description, else what it changes.

    company_first: of a whole description, a second subject is a circumstance too; else it follows the first.
    """
    if before is None:
        parts = caption_parts(rng, now, definite=False)
        circumstances = [parts["time"], parts["place"], parts["weather"]]
        company = f"with {named_second(rng, now.second_subject)} at its side" if now.second_subject else ""
        if company_first:
            circumstances.append(company)
        if parts["camera"]:
            circumstances.append(f"while {_camera(rng, now)}")
        rng.shuffle(circumstances)
        end = f"{parts['subject']} {parts['verb']}" + (f" {company}" if company and not company_first else "")
    else:
        circumstances = _changed(rng, before, now)
        rng.shuffle(circumstances)
        verb = rng.choice(v.ACTIONS[now.action])[0] if now.action != before.action else "goes on"
        end = f"{_called(rng, now)} {verb}"
        if not circumstances:
            circumstances = ["once more" if now.action == before.action else "from now on"]
    return capital(", ".join([each for each in circumstances if each] + [end])) + "."


def _changed(rng: random.Random, before: Attributes, now: Attributes) -> list[str]:
    """What changes besides the action, each as a circumstance."""
    found = []
    if now.time_of_day != before.time_of_day:
        found.append(f"now {rng.choice(v.TIMES[now.time_of_day])}")
    if now.weather != before.weather:
        found.append(f"now {rng.choice(v.WEATHERS[now.weather])}")
    if now.camera != before.camera:
        found.append(f"while {_camera(rng, now)}")
    if now.place != before.place:
        found.append(f"now over {rng.choice(v.PLACES[now.place])}")
    if now.colour != before.colour:
        found.append(f"now {rng.choice(v.COLOURS[now.colour])}")
    if now.second_subject != before.second_subject:
        joins = now.second_subject is not None
        second = named_second(rng, now.second_subject or before.second_subject, definite=not joins)
        found.append(f"with {second} at its side" if joins else f"without {second}")
    return found


def _camera(rng: random.Random, now: Attributes) -> str:
    return rng.choice([words for words in v.CAMERAS[now.camera] if words.startswith("the ")])


def _called(rng: random.Random, now: Attributes) -> str:
    return rng.choice(("it", "the " + rng.choice(v.SUBJECTS[now.subject]).split(" with ")[0]))


def _sentences(clauses: list[str]) -> str:
    return " ".join(capital(clause) + "." for clause in clauses)
