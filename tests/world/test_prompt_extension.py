"""Prompt extension: what people said stands, what they left open is told in one sentence, once."""

from __future__ import annotations

import random

import pytest

from arlon_core.evaluation.perturbed import KINDS, perturbed_story
from arlon_core.evaluation.test_set import benchmark_story
from arlon_core.world.loose_captions import LOOSE_PHRASING
from arlon_core.world.prompt_extension import NAMED, extended_prompts, said_in
from arlon_core.world.script import HELD_OUT, sample_script
from arlon_core.world.terse_captions import drawn_said, terse_caption

STORIES = [benchmark_story(number, 12) for number in range(64)]
OPEN = ["A dragon flies.", "A red kite rises over hills.", "A cat.", "Night falls.", "Snow over the sea"]


def extension(prompt: str, seed: int = 0) -> str:
    (sentence,) = extended_prompts([prompt], [True], seed)
    return sentence


def missing(prompt: str) -> set[str]:
    return set(NAMED) - set(said_in(prompt))


@pytest.mark.parametrize("kind", [None, *KINDS])
def test_descriptions_that_name_everything_stay_as_they_are(kind: str | None):
    stories = [perturbed_story(held, kind) if kind else held for held in STORIES]
    told = [segment.caption for held in stories for segment in held.script.segments if segment.full]
    open_ones = [text for text in told if missing(text)]
    if kind == "typing-errors":  # "at ight" could be many things
        assert len(open_ones) < 0.05 * len(told)
    else:
        assert open_ones == []


def test_loose_descriptions_stay_as_they_are_too():
    scripts = [sample_script(HELD_OUT + seed, 97, phrasing=LOOSE_PHRASING) for seed in range(200)]
    told = [script.segments[0].caption for script in scripts]
    assert sum(bool(missing(text)) for text in told) < 0.02 * len(told)


def test_what_a_terse_prompt_says_is_found_and_nothing_else():
    rng = random.Random(0)
    scripts = [sample_script(HELD_OUT + seed, 97) for seed in range(400)]
    alone = [s.segments[0].attributes for s in scripts if s.segments[0].attributes.second_subject is None]
    assert len(alone) > 100
    for attributes in alone:
        said = drawn_said(rng)
        found = said_in(terse_caption(rng, attributes, said))
        assert {name: found[name] for name in NAMED if name in found} == {
            name: getattr(attributes, name) for name in said
        }


@pytest.mark.parametrize("prompt", OPEN)
def test_the_sentence_names_everything_and_keeps_what_was_said(prompt: str):
    said, told = said_in(prompt), said_in(extension(prompt))
    assert set(told) >= set(NAMED)
    assert {name: told[name] for name in said} == said


def test_a_seed_decides_and_always_in_the_same_way():
    sentences = {extension(OPEN[0], seed) for seed in range(20)}
    assert len(sentences) > 10
    assert sentences == {extension(OPEN[0], seed) for seed in range(20)}


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("A kite and a white bird", {"subject": "kite"}),
        ("A white kite next to a bird", {"subject": "kite", "colour": "white"}),
        ("The camera moves left over dunes", {"place": "desert", "camera": "pan left"}),
        ("a blue plane in the morning", {"subject": "aeroplane", "colour": "blue", "time_of_day": "dawn"}),
        ("A rde kite at midnight", {"subject": "kite", "colour": "red", "time_of_day": "night"}),
        ("In soft light a ship sails left", {"action": "left"}),
        ("", {}),
    ],
)
def test_words_are_taken_as_people_mean_them(prompt: str, said: dict[str, str]):
    assert said_in(prompt) == said


def test_a_later_description_takes_what_was_told_before_it():
    prompts = [
        "A red kite drifts left over the sea at dawn.",
        "Night falls, and it turns green.",
        "A white bird comes closer.",
        "The kite rises.",
    ]
    *before, last = extended_prompts(prompts, [True, False, False, True], 3)
    assert before == ["", "", ""]
    assert said_in(last) == {
        "subject": "kite", "colour": "green", "action": "rise", "place": "sea", "time_of_day": "night",
    }  # fmt: skip


def test_no_sentence_depends_on_a_later_prompt():
    full = [True, True, False, True, True]
    whole = extended_prompts(OPEN, full, 5)
    assert whole[2] == "", "a change takes everything else as it is"
    for count in range(1, len(OPEN)):
        assert extended_prompts(OPEN[:count], full[:count], 5) == whole[:count]
