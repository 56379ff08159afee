"""Prompts as people type them: repeatable, changed, and saying what the clean ones say."""

from __future__ import annotations

import re

import pytest

from arlon_core.evaluation.perturbed import KINDS, perturbed_story
from arlon_core.evaluation.test_set import benchmark_story
from arlon_core.story import format_story, parse_story
from arlon_core.world import everyday
from arlon_core.world import vocabulary as v
from arlon_core.world.captions import SHAPES
from arlon_core.world.script import sample_script
from arlon_core.world.vocabulary import Attributes

STORIES = [benchmark_story(number, 12) for number in range(16)]
ALWAYS = tuple(kind for kind in KINDS if kind not in ("british", "american"))


def captions(kind: str) -> list[str]:
    return [s.caption for held in STORIES for s in perturbed_story(held, kind).script.segments]


CLEAN = [s.caption for held in STORIES for s in held.script.segments]


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_prompts_differ_and_always_in_the_same_way(kind: str):
    for held in STORIES:
        asked = perturbed_story(held, kind)
        assert asked == perturbed_story(held, kind)
        assert [s.attributes for s in asked.script.segments] == [s.attributes for s in held.script.segments]
        assert [s.full for s in asked.script.segments] == [s.full for s in held.script.segments]
        assert [s.seconds for s in asked.story.segments] == [s.seconds for s in held.story.segments]
        assert (asked.story.seed, asked.script.frames) == (held.story.seed, held.script.frames)
        assert [s.prompt for s in asked.story.segments] == [s.caption for s in asked.script.segments]
        assert parse_story(format_story(asked.story)) == asked.story


@pytest.mark.parametrize("kind", ALWAYS)
def test_nearly_every_prompt_changes(kind: str):
    changed = [new != old for new, old in zip(captions(kind), CLEAN, strict=True)]
    assert sum(changed) > 0.95 * len(changed)


def test_spelling_changes_where_there_is_something_to_spell():
    for kind in ("british", "american"):
        pairs = [(old, new) for old, new in zip(CLEAN, captions(kind), strict=True) if old != new]
        assert pairs
        for old, new in pairs:
            assert old.split()[0].lower()[:2] == new.split()[0].lower()[:2]
            assert len(old.split()) == len(new.split())


def test_capitals_change_nothing_else():
    for kind in ("capitals", "no-capitals"):
        assert [text.lower() for text in captions(kind)] == [text.lower() for text in CLEAN]


def named(words: object, attributes: Attributes) -> dict[str, list[str]]:
    """All phrases of a module that say these attributes."""
    tables = {
        "subject": ("SUBJECTS",), "colour": ("COLOURS",), "place": ("PLACES",),
        "time_of_day": ("TIMES", "TIME_NOUNS"), "weather": ("WEATHERS", "WEATHER_CLAUSES"),
        "camera": ("CAMERAS",),
    }  # fmt: skip
    said = {
        name: [
            phrase for table in names for phrase in getattr(words, table).get(getattr(attributes, name), ())
        ]
        for name, names in tables.items()
    }
    forms = [form for pair in words.ACTIONS.get(attributes.action, ()) for form in pair]  # type: ignore[attr-defined]
    colour, subject = v.split_second(attributes.second_subject)
    if attributes.second_subject is not None:
        said["second"] = list(words.SUBJECTS.get(subject, ()))  # type: ignore[attr-defined]
        said["second_colour"] = list(words.COLOURS.get(colour, ()))  # type: ignore[attr-defined]
    return said | {"action": forms}


@pytest.mark.parametrize("kind", ["synonyms", "everyday-words", "sentences", "turned-round", "company-first"])
def test_whole_descriptions_still_say_everything(kind: str):
    optional = {("weather", "clear"), ("camera", "still")}
    for held in STORIES:
        for segment in perturbed_story(held, kind).script.segments:
            if not segment.full:
                continue
            text = segment.caption.lower()
            own, other = named(v, segment.attributes), named(everyday, segment.attributes)
            for name in own:
                if (name, getattr(segment.attributes, name, None)) in optional:
                    continue
                phrases = own[name] + (other[name] if kind == "everyday-words" else [])
                assert any(phrase.lower() in text for phrase in phrases), (name, segment.caption)


@pytest.mark.parametrize("kind", ["sentences", "turned-round"])
def test_changes_say_what_changes_and_no_more(kind: str):
    for held in STORIES:
        before = None
        for segment in perturbed_story(held, kind).script.segments:
            if before is not None and not segment.full:
                text, after = segment.caption.lower(), segment.attributes
                for name in ("place", "time_of_day", "weather", "camera"):
                    phrases = [re.escape(phrase.lower()) for phrase in named(v, after)[name]]
                    # "a fine, clear day of calm air" speaks of the weather, by night too
                    told = text.replace("clear day", "clear") if name == "time_of_day" else text
                    said = re.search(rf"\b({'|'.join(phrases)})\b", told) is not None
                    assert said == (getattr(before, name) != getattr(after, name)), (name, segment.caption)
            before = segment.attributes


def test_an_order_turned_round_has_the_subject_last():
    for kind in ("turned-round", "company-first"):
        for held in STORIES:
            for segment in perturbed_story(held, kind).script.segments:
                if segment.full:
                    last = segment.caption.rsplit(", ", 1)[1]
                    assert any(noun in last for noun in v.SUBJECTS[segment.attributes.subject]), (
                        segment.caption
                    )


def test_sentences_are_several():
    assert all(text.count(". ") >= 1 for text in captions("sentences"))


def test_they_are_worded_as_training_never_words_them():
    assert len(SHAPES) == 10
    trained = {s.caption.lower() for seed in range(2000) for s in sample_script(seed, 189).segments}
    for kind in ("sentences", "turned-round", "company-first"):
        assert not trained & {text.lower() for text in captions(kind)}
