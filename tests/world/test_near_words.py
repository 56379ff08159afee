"""Near words: known ones only, found through typing errors and through what people's words mean."""

from __future__ import annotations

import random

from arlon_core.models.known_words import text_words
from arlon_core.world import everyday
from arlon_core.world import vocabulary as v
from arlon_core.world.near_words import is_mistyped, kinds_to_choose_from, near_words
from arlon_core.world.rewording import mistyped_word
from arlon_core.world.script import sample_script

KNOWN = frozenset(
    word for seed in range(1500) for s in sample_script(seed, 189).segments for word in text_words(s.caption)
)


def test_a_typing_error_leads_back_to_its_word():
    rng = random.Random(0)
    for word in sorted(word for word in KNOWN if len(word) > 4):
        for _ in range(5):
            wrong = mistyped_word(word, rng)
            if wrong not in KNOWN:
                assert is_mistyped(wrong, word), (wrong, word)
                assert word in near_words(KNOWN, wrong), (wrong, word)


def test_words_that_are_alike_by_chance_are_not_near():
    for word in ("lake", "knight", "singing", "space", "lands", "dog", "cat", "happy", "castle", "unicorn"):
        assert near_words(KNOWN, word) == [], word


def test_everyday_words_lead_to_the_worlds_own():
    for word, near in (
        ("ruby", "red"), ("sparrow", "bird"), ("sparrows", "bird"), ("midnight", "night"), ("soars", "rises"),
        ("soaring", "rising"), ("android", "robot"), ("blizzard", "in the snow"), ("skyline", "the city"),
    ):  # fmt: skip
        assert near_words(KNOWN, word)[:1] == [near], word


def test_only_known_words_are_near():
    few = frozenset({"red", "bird", "balloon"})
    assert near_words(few, "ruby") == ["red"]
    assert near_words(few, "android") == []
    assert near_words(few, "baloon") == ["balloon"]
    for word in ("soars", "sparrow", "blizzard", "skyline", "downpour", "mauve"):
        for phrase in near_words(KNOWN, word):
            assert set(text_words(phrase)) <= KNOWN


def test_what_there_is_to_choose_from_fits_the_place_in_the_text():
    def kinds(text: str, *words: str) -> list[str]:
        return list(kinds_to_choose_from(KNOWN, text, words))

    assert kinds("A unicorn drifts left over the sea.", "unicorn") == ["subjects"]
    assert kinds("A red kite flies over a tall castle at dusk.", "castle") == ["places"]
    assert kinds("A unicorn walks through Paris.", "unicorn", "paris") == ["subjects", "places"]
    assert kinds("The robot sings over the sea.", "sings") == []
    assert kinds("It gets colder.", "colder") == []
    assert kinds("Un chat", "un", "chat") == ["subjects"]
    names = kinds_to_choose_from(KNOWN, "A unicorn flies.", ["unicorn"])["subjects"]
    assert names == list(v.SUBJECTS)


def test_everyday_words_are_none_of_the_captions():
    """Each phrase has a word of its own, and no word that says another value of its attribute."""
    tables = [name for name in vars(everyday) if name.isupper() and name != "SPELLINGS"]
    assert len(tables) == 9
    for table in tables:
        assert set(getattr(everyday, table)) <= set(getattr(v, table))
        for value, phrases in getattr(everyday, table).items():
            for phrase in (form for each in phrases for form in ([each] if isinstance(each, str) else each)):
                assert any(word not in KNOWN for word in text_words(phrase)), (value, phrase)
