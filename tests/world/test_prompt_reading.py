"""What the words of prompts name: what people mean, errors included, and nothing that they do not say."""

from __future__ import annotations

import pytest

from arlon_core.evaluation.test_set import benchmark_story
from arlon_core.world import plain_words, word_reading
from arlon_core.world import vocabulary as v
from arlon_core.world.film_reading import NAMED
from arlon_core.world.prompt_reading import said_in


def test_whole_descriptions_are_read_as_their_scripts_have_them():
    stories = [benchmark_story(number, 12).script for number in range(64)]
    for segment in (each for script in stories for each in script.segments if each.full):
        said = said_in(segment.caption)
        assert {name: said[name] for name in NAMED} == {
            name: getattr(segment.attributes, name) for name in NAMED
        }, segment.caption


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("A kite and a white bird", {"subject": "kite"}),
        ("A white kite next to a bird", {"subject": "kite", "colour": "white"}),
        ("A good dragon lives for all that is real", {"subject": "dragon"}),
        ("Some say it held the cost", {}),
        ("With a blue owl at its side, a kite flies", {"subject": "kite"}),
        ("With an owl and a red bird beside it, a pink kite", {"subject": "kite", "colour": "pink"}),
        ("A kite with an owl and a bird", {"subject": "kite"}),
        ("A blue sea with a kite", {"subject": "kite", "place": "sea"}),
        ("A red and white balloon", {"subject": "balloon", "colour": "red"}),
        ("A kite in the blue sky", {"subject": "kite", "weather": "clear"}),
        ("Pink kites fly in the evening sky", {"subject": "kite", "colour": "pink", "time_of_day": "dusk"}),
        ("The kite slowly turns red", {"subject": "kite", "colour": "red"}),
        ("The sky turns pink", {}),
        ("It turns green", {"colour": "green"}),
        ("A blue fox", {"colour": "blue"}),
        ("A black bird", {"subject": "bird", "colour": "blue"}),
        ("The camera moves left over dunes", {"place": "desert", "camera": "pan left"}),
        ("A kite, camera pans left", {"subject": "kite", "camera": "pan left"}),
        ("A kite flies from left to right", {"subject": "kite", "action": "right"}),
        ("A balloon right above the sea", {"subject": "balloon", "place": "sea"}),
        ("A bird left its nest", {"subject": "bird"}),
        ("The balloon descends", {"subject": "balloon", "action": "sink"}),
        ("Night falls", {"time_of_day": "night"}),
        ("One day a dragon flies", {"subject": "dragon"}),
        ("A dragon under a full moon", {"subject": "dragon", "time_of_day": "night"}),
        ("A rainy night in the town", {"weather": "rain", "time_of_day": "night", "place": "city"}),
        ("a blue plane in the morning", {"subject": "aeroplane", "colour": "blue", "time_of_day": "dawn"}),
        ("A wale in the bule sea", {"subject": "whale", "place": "sea"}),
        ("A rde kite at midnight", {"subject": "kite", "colour": "red", "time_of_day": "night"}),
        ("A dragon breathes fire", {"subject": "dragon"}),
        ("In soft light a ship sails left", {"action": "left"}),
        ("A kite flies like a bird, white as snow", {"subject": "kite", "colour": "white"}),
        ("I would like a bird as red as a rose", {"subject": "bird", "colour": "red"}),
        ("A red kite, 6 am", {"subject": "kite", "colour": "red", "time_of_day": "dawn"}),
        ("A robot waving at 18:30", {"subject": "robot", "time_of_day": "dusk"}),
        (
            "A butterfly in the park, blue with red spots",
            {"subject": "butterfly", "place": "garden", "colour": "blue"},
        ),
        ("A balloon of green colour", {"subject": "balloon", "colour": "green"}),
        ("A kite floats right over London", {"subject": "kite", "action": "right", "place": "city"}),
        ("Leaving the sea behind, a kite reaches hills", {"subject": "kite", "place": "meadow"}),
        (
            "kite, white / beach (at noon)",
            {"subject": "kite", "colour": "white", "place": "sea", "time_of_day": "day"},
        ),
        ("A clear night", {"time_of_day": "night", "weather": "clear"}),
        ("", {}),
    ],
)
def test_words_are_taken_as_people_mean_them(prompt: str, said: dict[str, str]):
    assert said_in(prompt) == said


def test_plain_words_name_what_the_world_has():
    tables = {name: set(getattr(v, names[0])) for name, names in word_reading._TABLES.items()}
    for name, value, phrase in plain_words.plain_phrases():
        assert name == plain_words.NOTHING or value in tables[name], phrase


def test_two_phrases_that_fit_one_text_name_the_same():
    """Else what is read would hang on their order."""
    named = word_reading._named()
    for phrase in named:
        said = word_reading.word_matches(phrase)
        assert {match.name: match.value for match in said} == named[phrase], phrase
