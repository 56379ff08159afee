"""What a prompt leaves open, decided for the film and said in one more sentence (no torch).

Models that were trained on whole descriptions answer "A dragon flies" with noise: it names neither colour nor
place nor time of day. Large video models have a language model extend such prompts; the world has a grammar.
What people said stands, what is missing is drawn from the story's seed, and the sentence says all of it: "A
red dragon drifts left over the sea at dawn." What a later description leaves out is as it was before.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from arlon_core.world import vocabulary as v
from arlon_core.world.captions import article
from arlon_core.world.word_reading import Said, said_in

# What every whole description names; the weather is told where it is not clear.
NAMED = ("subject", "colour", "action", "place", "time_of_day")
_ROUND_ABOUT = ("place", "time_of_day", "weather")  # told of the picture, whatever subject a prompt speaks of
_OPEN_ACTIONS = ("left", "right", "still")  # calm ones, for prompts such as "a kite flies"


def extended_prompts(
    prompts: Sequence[str], is_full: Sequence[bool], seed: int, style: str = ""
) -> list[str]:
    """One sentence a prompt, to be put after it; "" where nothing is missing, and to changes.

    is_full: whether each prompt describes the whole picture. seed, style: the story's. The sentence of a
    prompt depends on those before it, and on none that follows.
    """
    open_values = _drawn(seed) | _chosen(said_in(style), _ROUND_ABOUT)
    now, colours = open_values, {open_values["subject"]: open_values["colour"]}
    sentences = []
    for prompt, full in zip(prompts, is_full, strict=True):
        said = said_in(prompt)
        if "subject" in said and "colour" in said:
            colours[said["subject"]] = said["colour"]
        now = _after(now, said, full, open_values, colours)
        missing = full and any(name not in said for name in NAMED)
        sentences.append(whole_sentence(now) if missing else "")
    return sentences


def whole_sentence(values: Mapping[str, str]) -> str:
    """All of NAMED in one plain sentence, and a weather that is not clear."""
    subject = article(f"{v.COLOURS[values['colour']][0]} {v.SUBJECTS[values['subject']][0]}")
    verb = v.ACTIONS[values["action"]][0][0]
    place, time = v.PLACES[values["place"]][0], v.TIMES[values["time_of_day"]][0]
    weather = values.get("weather", "clear")
    sky = "" if weather == "clear" else f" {v.WEATHERS[weather][0]}"
    return f"{subject[0].upper()}{subject[1:]} {verb} over {place} {time}{sky}."


def _after(now: Said, said: Said, full: bool, open_values: Said, colours: Mapping[str, str]) -> Said:
    """What the picture is after a prompt; a description of another subject leaves colour and action open."""
    if said.get("subject", now["subject"]) == now["subject"]:
        return now | said
    if not full:  # a second subject comes, or goes
        return now | _chosen(said, _ROUND_ABOUT)
    colour = colours.get(said["subject"], open_values["colour"])
    return now | {"colour": colour, "action": open_values["action"]} | said


def _chosen(said: Said, names: Sequence[str]) -> Said:
    return {name: said[name] for name in names if name in said}


def _drawn(seed: int) -> Said:
    rng = random.Random(f"extension/{seed}")
    return {
        "subject": rng.choice(list(v.SUBJECTS)), "colour": rng.choice(list(v.COLOURS)),
        "action": rng.choice(_OPEN_ACTIONS), "place": rng.choice(list(v.PLACES)),
        "time_of_day": rng.choice(list(v.TIMES)),
    }  # fmt: skip
