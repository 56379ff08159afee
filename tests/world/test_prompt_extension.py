"""Prompt extension: what people said stands, what they left open is told in one sentence, once."""

from __future__ import annotations

import pytest

from arlon_core.evaluation.perturbed import KINDS, perturbed_story
from arlon_core.evaluation.test_set import benchmark_story
from arlon_core.world.loose_captions import LOOSE_PHRASING
from arlon_core.world.prompt_extension import NAMED, extended_prompts
from arlon_core.world.script import HELD_OUT, sample_script
from arlon_core.world.word_reading import said_in

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


@pytest.mark.parametrize("prompt", OPEN)
def test_the_sentence_names_everything_and_keeps_what_was_said(prompt: str):
    said, told = said_in(prompt), said_in(extension(prompt))
    assert set(told) >= set(NAMED)
    assert {name: told[name] for name in said} == said


def test_a_seed_decides_and_always_in_the_same_way():
    sentences = {extension(OPEN[0], seed) for seed in range(20)}
    assert len(sentences) > 10
    assert sentences == {extension(OPEN[0], seed) for seed in range(20)}


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


def test_another_subject_has_its_own_colour_and_action():
    prompts = ["A red kite rises over the sea at dawn.", "A blue owl takes its place.", "The owl.", "A kite."]
    *_, owl, kite = extended_prompts(prompts, [True, False, True, True], 3)
    assert said_in(owl)["colour"] == "blue"
    assert said_in(kite)["colour"] == "red"
    assert "rises" not in owl


def test_the_weather_stays_and_the_style_decides_what_is_open():
    rain = extended_prompts(
        ["A red kite rises over the sea at dawn in the rain.", "A kite."], [True, True], 3
    )
    assert said_in(rain[1])["weather"] == "rain"
    style = "snowy and dark, in the desert"
    for seed in range(5):
        told = said_in(extended_prompts(["A kite."], [True], seed, style)[0])
        assert (told["place"], told["time_of_day"], told["weather"]) == ("desert", "night", "snow")


def test_what_is_drawn_stays_for_the_whole_film():
    taken, last = extended_prompts(["Night falls over the sea.", "It comes closer."], [True, True], 1)
    assert {**said_in(taken), "action": "closer"} == said_in(last)
