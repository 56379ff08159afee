"""Which words are unknown: those that the model was not trained on in any form, and no others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from arlon_core.models.known_words import base_forms, is_known, text_words, unknown_words
from arlon_core.world.script import sample_script

ROOT = Path(__file__).parents[2]
KNOWN = frozenset(
    {"a", "red", "balloon", "flies", "gliding", "bobs", "rises", "tree", "fir", "gentle", "hot", "air"}
)


@pytest.fixture(scope="module")
def shipped() -> frozenset[str]:
    """The words of the model in the repository."""
    path = ROOT / "assets" / "models" / "storyworld" / "tokenizer" / "tokenizer_config.json"
    return frozenset(json.loads(path.read_text())["known_words"])


def test_words_never_seen_are_named_once_in_the_order_of_the_text():
    assert unknown_words(KNOWN, "A red Zebra rises; the volcano, zebra!") == ["zebra", "volcano"]
    assert text_words("hot-air, don't 3 Ü") == ["hot", "air", "don", "t", "ü"]


def test_a_model_without_a_list_has_seen_everything():
    assert unknown_words((), "A zebra.") == []


@pytest.mark.parametrize(
    "text",
    [
        "HOT-AIR BALLOON, 12 (twelve) hot-air balloons!",
        "While he didn't, she's been there; with whom? It's theirs.",
        "The balloons fly, are flying, bobbed, bobbing; trees, gliding, glides, gentler, gently.",
        "Please show me a picture of it, as if in a film.",
        "",
        "... 3.14 ?!",
    ],
)
def test_function_words_numbers_capitals_and_forms_are_known(text: str):
    assert unknown_words(KNOWN, text) == []


def test_another_word_is_no_form():
    assert base_forms("flies") >= {"fly", "flies"}
    assert base_forms("gliding") >= {"glide"}
    for word in ("fire", "furry", "bob-sled", "glad", "heliotrope"):
        assert not is_known(KNOWN, word), word


def test_the_shipped_model_knows_every_word_of_its_captions(shipped: frozenset[str]):
    for seed in range(800):
        for segment in sample_script(seed, 189).segments:
            assert unknown_words(shipped, segment.caption) == [], segment.caption


def test_the_example_stories_have_no_unknown_word(shipped: frozenset[str]):
    from arlon_core.story import read_story

    paths = sorted((ROOT / "assets" / "stories").glob("*.txt"))
    assert len(paths) >= 6
    for path in paths:
        story = read_story(path)
        for text in (story.style, *(segment.prompt for segment in story.segments)):
            assert unknown_words(shipped, text) == [], (path.name, text)


def test_things_outside_the_world_are_unknown(shipped: frozenset[str]):
    outside = ["unicorn", "castle", "boat", "gallops", "sings", "fire", "cat", "wizard", "paris"]
    assert unknown_words(shipped, " ".join(outside)) == outside
