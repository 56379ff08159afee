"""Terse captions: they say what they should and nothing of the rest."""

from __future__ import annotations

import random

from arlon_core.world import vocabulary as v
from arlon_core.world.script import sample_script
from arlon_core.world.terse_captions import SAID, TERSE_PHRASING, drawn_said, extension_of, terse_caption
from arlon_core.world.vocabulary import Attributes
from arlon_core.world.word_reading import said_in

SCRIPTS = [sample_script(seed, 189, phrasing=TERSE_PHRASING) for seed in range(500)]


def phrases(name: str, value: str) -> list[str]:
    if name == "action":
        return [phrase for pair in v.ACTIONS[value] for phrase in pair]
    table = {"subject": v.SUBJECTS, "colour": v.COLOURS, "place": v.PLACES, "time_of_day": v.TIMES}[name]
    return list(table[value])


def says(text: str, name: str, attributes: Attributes) -> bool:
    return any(phrase.lower() in text for phrase in phrases(name, getattr(attributes, name)))


def test_what_is_said_stands_there_and_what_is_not_said_does_not():
    # No word of one is a word of another, and nothing else speaks of any of them.
    attributes = Attributes(
        subject="robot", colour="purple", place="desert", time_of_day="night", weather="clear",
        action="bounce", camera="still", second_subject=None,
    )  # fmt: skip
    rng = random.Random(0)
    seen = set()
    for _ in range(2000):
        said = drawn_said(rng)
        seen.add(said)
        text = terse_caption(rng, attributes, said).lower()
        assert {name for name in SAID if says(text, name, attributes)} == said, text
    assert len(seen) > 15, "many ways to say little"


def test_an_opening_leaves_something_out_and_no_later_description_does():
    for script in SCRIPTS:
        first, *later = script.segments
        if first.attributes.second_subject is None:  # it has a colour and a kind of its own
            terse = first.caption.removesuffix(extension_of(first.attributes)).lower()
            assert not all(says(terse, name, first.attributes) for name in SAID)
        for segment in later:
            if segment.full:
                assert says(segment.caption.lower(), "subject", segment.attributes)
                assert says(segment.caption.lower(), "colour", segment.attributes)


def test_every_other_opening_is_extended_as_the_engine_does_it():
    extended = [s for s in SCRIPTS if s.segments[0].caption.endswith(extension_of(s.segments[0].attributes))]
    assert abs(len(extended) / len(SCRIPTS) - 0.5) < 0.1
    for script in extended[:50]:
        first = script.segments[0]
        assert {name: said_in(first.caption)[name] for name in ("place", "time_of_day", "action")} == {
            name: getattr(first.attributes, name) for name in ("place", "time_of_day", "action")
        }


def test_weather_camera_and_company_are_said_where_there_is_any():
    for script in SCRIPTS:
        first = script.segments[0]
        text, attributes = first.caption.lower(), first.attributes
        if attributes.weather != "clear":
            assert any(phrase.lower() in text for phrase in v.WEATHERS[attributes.weather]), text
        if attributes.camera != "still":
            assert any(phrase.lower() in text for phrase in v.CAMERAS[attributes.camera]), text
        if attributes.second_subject is not None:
            colour, subject = v.split_second(attributes.second_subject)
            assert any(phrase.lower() in text for phrase in v.SUBJECTS[subject]), text
            assert any(phrase.lower() in text for phrase in v.COLOURS[colour]), text


def test_the_film_is_the_same_whatever_it_is_told_with():
    """The opening attributes are drawn before the first caption."""
    for seed, script in enumerate(SCRIPTS[:50]):
        assert script.segments[0].attributes == sample_script(seed, 189).segments[0].attributes


def test_captions_are_clean_and_many():
    captions = [script.segments[0].caption for script in SCRIPTS]
    assert len(set(captions)) > 0.95 * len(captions)
    for caption in captions:
        assert 1 <= len(caption) < 300
        for bad in ("{", "}", "  ", " ,", " .", ",,", "None"):
            assert bad not in caption, caption
