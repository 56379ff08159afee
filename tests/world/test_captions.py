from __future__ import annotations

import itertools
import random
from dataclasses import replace

from arlon_core.world import vocabulary as v
from arlon_core.world.captions import change_caption, full_caption
from arlon_core.world.changes import CAMERA_CHANGES, TIME_CHANGES, WEATHER_CHANGES
from arlon_core.world.script import sample_script
from arlon_core.world.vocabulary import Attributes

BASE = Attributes("owl", "red", "sea", "dawn", "rain", "rise", "pan left", "blue kite")


def says(caption: str, phrases: list[str]) -> bool:
    return any(phrase.lower() in caption.lower() for phrase in phrases)


def phrases_of(attributes: Attributes) -> dict[str, list[str]]:
    colour, second = v.split_second(attributes.second_subject)
    named = {
        "subject": list(v.SUBJECTS[attributes.subject]),
        "colour": list(v.COLOURS[attributes.colour]),
        "place": list(v.PLACES[attributes.place]),
        "time_of_day": [*v.TIMES[attributes.time_of_day], *v.TIME_NOUNS[attributes.time_of_day]],
        "weather": [*v.WEATHERS[attributes.weather], *v.WEATHER_CLAUSES[attributes.weather]],
        "action": [form for pair in v.ACTIONS[attributes.action] for form in pair],
        "camera": list(v.CAMERAS[attributes.camera]),
    }
    if attributes.second_subject is not None:
        named["second_subject"] = [f"{c} {s}" for c in v.COLOURS[colour] for s in v.SUBJECTS[second]]
    return named


def test_full_captions_name_every_attribute():
    optional = {("weather", "clear"), ("camera", "still")}
    for seed in range(1500):
        for segment in sample_script(seed, 97).segments:
            if segment.full:
                for name, phrases in phrases_of(segment.attributes).items():
                    if (name, getattr(segment.attributes, name)) not in optional:
                        assert says(segment.caption, phrases), (name, segment.caption)


def test_the_first_segment_is_full_and_about_half_of_the_later_ones():
    later = []
    for seed in range(800):
        first, *rest = sample_script(seed, 241).segments
        assert first.full
        later += [segment.full for segment in rest]
    assert 0.42 < sum(later) / len(later) < 0.58


def test_change_captions_say_what_changes():
    rng = random.Random(0)
    for _ in range(300):
        assert says(
            change_caption(rng, BASE, replace(BASE, time_of_day="night")), list(TIME_CHANGES["night"])
        )
        assert says(change_caption(rng, BASE, replace(BASE, weather="snow")), list(WEATHER_CHANGES["snow"]))
        assert says(
            change_caption(rng, BASE, replace(BASE, camera="zoom in")), list(CAMERA_CHANGES["zoom in"])
        )
        assert says(change_caption(rng, BASE, replace(BASE, place="ice")), list(v.PLACES["ice"]))
        assert says(change_caption(rng, BASE, replace(BASE, colour="pink")), list(v.COLOURS["pink"]))
        joined = change_caption(rng, replace(BASE, second_subject=None), BASE)
        assert says(joined, list(v.SUBJECTS["kite"]))
        assert says(joined, list(v.COLOURS["blue"]))


def test_a_change_caption_without_changes_says_that_it_goes_on():
    rng = random.Random(1)
    texts = {change_caption(rng, BASE, BASE) for _ in range(200)}
    assert len(texts) > 20
    assert not any("{" in text for text in texts)


def test_captions_are_many_and_clean():
    captions = set()
    total = 0
    for seed in range(25_000):
        for segment in sample_script(seed, 97).segments:
            total += 1
            captions.add(segment.caption)
            assert "{" not in segment.caption
            assert "  " not in segment.caption
            assert " ," not in segment.caption
            assert 1 <= len(segment.caption) < 320
    assert total > 50_000 * 0.9
    assert len(captions) > 20_000


def test_articles_fit_their_nouns():
    rng = random.Random(2)
    for _ in range(2000):
        words = full_caption(rng, replace(BASE, colour="orange", subject="elephant")).lower().split()
        for article, noun in itertools.pairwise(words):
            if article == "a":
                assert noun[0] not in "aeio", (article, noun)
