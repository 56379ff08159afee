"""Other words, other spelling and typing errors: the text changes, and what it says does not."""

from __future__ import annotations

import random
from dataclasses import replace

from arlon_core.world import everyday, vocabulary
from arlon_core.world.rewording import mistyped, mistyped_word, neighbour_keys, respelled, reworded
from arlon_core.world.vocabulary import Attributes

RED = Attributes("balloon", "red", "sea", "dawn", "rain", "left", "pan left", "blue bird")
TEXT = "A red balloon drifts left over the sea at dawn in the rain with a blue bird; the camera pans left."


def test_every_phrase_is_said_otherwise():
    for words in (vocabulary, everyday):
        for seed in range(30):
            text = reworded(TEXT, [RED], words, random.Random(seed))
            for said in (
                words.COLOURS["red"], words.SUBJECTS["balloon"], words.PLACES["sea"], words.TIMES["dawn"],
                words.WEATHERS["rain"], words.CAMERAS["pan left"],
                [verb for verb, _ in words.ACTIONS["left"]], words.COLOURS["blue"], words.SUBJECTS["bird"],
            ):  # fmt: skip
                assert any(phrase in text for phrase in said), text
            for old in ("A red ", " drifts left", "the sea ", "at dawn", "in the rain", "camera pans left"):
                assert old not in text


def test_articles_and_capitals_fit():
    for seed in range(40):
        owls = "An orange owl rises. Orange owls; a red owl."
        text = reworded(owls, [replace(RED, colour="orange")], everyday, random.Random(seed))
        assert text.startswith(("An amber owl", "An apricot owl"))
        assert ". Amber" in text or ". Apricot" in text
        assert "a red owl" in text, "what is not true is not touched"


def test_parts_of_words_are_left_alone():
    assert reworded("He hovered, redder", [RED], everyday, random.Random(0)) == "He hovered, redder"


def test_spelling_goes_both_ways():
    text = "Gray clouds; the aeroplane's colour, travelling towards the center"
    american = "Gray clouds; the airplane's color, traveling toward the center"
    british = "Grey clouds; the aeroplane's colour, travelling towards the centre"
    assert respelled(text, british=False) == american
    assert respelled(text, british=True) == british
    assert respelled(american, british=True) == british


def test_typing_errors_are_one_or_two_and_small():
    rng = random.Random(0)
    counts = []
    for _ in range(300):
        wrong = mistyped(TEXT, rng)
        pairs = [(old, new) for old, new in zip(TEXT.split(), wrong.split(), strict=True) if old != new]
        counts.append(len(pairs))
        for old, new in pairs:
            assert abs(len(old) - len(new)) <= 1
            assert len(set(enumerate(old)) ^ set(enumerate(new))) > 0
    assert set(counts) == {1, 2}


def test_a_mistyped_word_is_never_the_word():
    rng = random.Random(1)
    for word in ("aa", "aaa", "eel", "balloon", "Zebra", "été", "qp"):
        for _ in range(100):
            assert mistyped_word(word, rng) != word


def test_neighbour_keys_touch():
    assert set(neighbour_keys("s")) == set("adwezx")
    for letter in "qwertyuiopasdfghjklzxcvbnm":
        assert letter not in neighbour_keys(letter)
        for other in neighbour_keys(letter):
            assert letter in neighbour_keys(other), (letter, other)
    assert neighbour_keys("é") == ""
