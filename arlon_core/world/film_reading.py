"""What is to be seen in each segment of a film, read from its prompts one after the other (no torch).

People say the whole picture once and then what changes: "Night falls." Models that read such a text together
with the description before it misread a part of them, and have lost a change one segment later. So the film
is kept track of, and they read one plain caption of everything that is there (`plain_captions`). Large video
models have a language model rewrite prompts in this manner; the world has a grammar.

What people said stands. What they never said is drawn from the story's seed: "A dragon flies" names neither
colour nor place nor time of day.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from arlon_core.world import vocabulary as v
from arlon_core.world.prompt_reading import Company, Reading, read_prompt, said_in
from arlon_core.world.vocabulary import Attributes

# What a whole description names. One that does tells by silence, too: a clear sky, a camera at rest, nobody
# else. Of any other, what it leaves out is as it was.
NAMED = ("subject", "colour", "action", "place", "time_of_day")
_SILENCE = {"weather": "clear", "camera": "still"}
_ROUND_ABOUT = ("place", "time_of_day", "weather", "camera")  # what a style can say
_OPEN_ACTIONS = ("left", "right", "still")  # calm ones, for prompts such as "a kite flies"


def pictures(prompts: Sequence[str], seed: int, style: str = "") -> list[Attributes]:
    """What is to be seen in each segment; it depends on the prompts up to its own, and on none that follows.

    seed, style: the story's.
    """
    film = _Film(seed, style)
    return [film.after(prompt) for prompt in prompts]


def leaves_open(prompt: str) -> bool:
    """Whether a description leaves anything of NAMED to the film."""
    return not _is_whole(read_prompt(prompt))


def _is_whole(reading: Reading) -> bool:
    return set(NAMED) <= set(reading.said)


class _Film:
    """A film so far: its picture, and the colour of each subject that was in it."""

    def __init__(self, seed: int, style: str) -> None:
        drawn = _drawn(seed)
        said = said_in(style)
        self.open = replace(drawn, **{name: said[name] for name in _ROUND_ABOUT if name in said})
        self.now: Attributes | None = None
        self.colours: dict[str, str] = {}

    def after(self, prompt: str) -> Attributes:
        """The picture once a prompt has been obeyed.

        All but whole descriptions and the first prompt are changes: a film is one continuous shot, in which
        another subject comes along rather than takes the place of the first.
        """
        before, reading = self.now or self.open, read_prompt(prompt, self.now)
        whole = _is_whole(reading)
        if self.now is not None and not whole:
            reading = read_prompt(prompt, self.now, change=True)
        now = replace(before, **{**(_SILENCE if whole else {}), **self._remembered(reading), **reading.said})
        self.colours[now.subject] = now.colour
        self.now = replace(now, second_subject=self._company(now, reading, whole=whole))
        return self.now

    def _remembered(self, reading: Reading) -> dict[str, str]:
        """The colour of somebody to whom the film comes back."""
        subject = reading.said.get("subject", "")
        comes_back = self.now is not None and subject != self.now.subject and subject in self.colours
        return {"colour": self.colours[subject]} if comes_back else {}

    def _company(self, now: Attributes, reading: Reading, *, whole: bool) -> str | None:
        company = reading.company or (Company(None) if whole else None)
        if company is None:
            return now.second_subject
        if company.subject is None:
            return None
        colour = company.colour or self.colours.get(company.subject) or self._other_colour(now.colour)
        self.colours[company.subject] = colour
        return f"{colour} {company.subject}"

    def _other_colour(self, taken: str) -> str:
        return next(colour for colour in (self.open.colour, *v.COLOURS) if colour != taken)


def _drawn(seed: int) -> Attributes:
    rng = random.Random(f"extension/{seed}")
    return Attributes(
        subject=rng.choice(list(v.SUBJECTS)),
        colour=rng.choice(list(v.COLOURS)),
        action=rng.choice(_OPEN_ACTIONS),
        place=rng.choice(list(v.PLACES)),
        time_of_day=rng.choice(list(v.TIMES)),
        **_SILENCE,
    )
