"""Sentence shapes for measuring: none is training's, and they say the same."""

from __future__ import annotations

import itertools
import random
import re
from dataclasses import replace

from arlon_core.world import changes, unseen_captions
from arlon_core.world import vocabulary as v
from arlon_core.world.captions import GOING_ON, SHAPES, TRAINING_PHRASING
from arlon_core.world.script import sample_script
from arlon_core.world.unseen_captions import FULL_SHAPES, UNSEEN_PHRASING, fill, unseen_change_caption
from arlon_core.world.vocabulary import Attributes

PIECES = (
    "subject", "bare", "verb", "doing", "place", "scene", "time", "time_noun", "weather", "clause", "camera",
    "company",
)  # fmt: skip
BASE = Attributes("owl", "red", "sea", "dawn", "rain", "rise", "pan left", "blue kite")
CHANGE_SHAPES = {
    name: shapes
    for name, shapes in vars(unseen_captions).items()
    if name.endswith("_SHAPES") and name != "FULL_SHAPES"
}


def skeleton(text: str) -> str:
    """A sentence without capitals and punctuation: its words and where its pieces stand."""
    return " ".join(re.findall(r"<\w+>|[a-z]+", text.lower()))


def marked() -> list[dict[str, str]]:
    """Pieces that name themselves, with every choice of the ones that may be left out."""
    all_pieces = {name: f"<{name}>" for name in PIECES}
    return [
        all_pieces | dict.fromkeys([name for part in left_out for name in part], "")
        for size in range(4)
        for left_out in itertools.combinations((("weather", "clause"), ("camera",), ("company",)), size)
    ]


def test_no_full_shape_is_one_of_trainings():
    trained = {
        skeleton(shape(random.Random(seed), pieces))
        for shape in SHAPES
        for pieces in marked()
        for seed in range(60)
    }
    unseen = {skeleton(fill(shape, pieces)) for shape in FULL_SHAPES for pieces in marked()}
    assert len(trained) > 60
    assert len(unseen) > 30
    assert not trained & unseen


def test_no_change_shape_is_one_of_trainings():
    trained = {
        shape
        for shapes in (
            GOING_ON, changes.PLACE_CHANGES, changes.COLOUR_CHANGES, changes.JOINING, changes.LEAVING,
            changes.BEGINNINGS, *changes.TIME_CHANGES.values(), *changes.WEATHER_CHANGES.values(),
            *changes.CAMERA_CHANGES.values(),
        )
        for shape in shapes
    }  # fmt: skip
    unseen = {shape for shapes in CHANGE_SHAPES.values() for shape in shapes}
    assert len(CHANGE_SHAPES) == 9
    assert not trained & unseen
    # Whole phrases of training could also come of a shape and its pieces.
    rng = random.Random(0)
    for time in v.TIMES:
        before = replace(BASE, time_of_day=next(other for other in v.TIMES if other != time))
        for _ in range(50):
            caption = unseen_change_caption(rng, before, replace(BASE, time_of_day=time))
            assert skeleton(caption) not in {skeleton(phrase) for phrase in changes.TIME_CHANGES[time]}


def test_both_phrasings_never_give_one_caption():
    captions = [
        {s.caption.lower() for seed in range(2500) for s in sample_script(seed, 189, phrasing=p).segments}
        for p in (TRAINING_PHRASING, UNSEEN_PHRASING)
    ]
    assert min(len(each) for each in captions) > 4000
    assert not captions[0] & captions[1]


def test_full_captions_name_every_attribute():
    optional = {("weather", "clear"), ("camera", "still")}
    for seed in range(600):
        for segment in sample_script(seed, 97, phrasing=UNSEEN_PHRASING).segments:
            if not segment.full:
                continue
            seen, caption = segment.attributes, segment.caption.lower()
            named = {
                "subject": v.SUBJECTS[seen.subject],
                "colour": v.COLOURS[seen.colour],
                "place": v.PLACES[seen.place],
                "time_of_day": (*v.TIMES[seen.time_of_day], *v.TIME_NOUNS[seen.time_of_day]),
                "weather": (*v.WEATHERS[seen.weather], *v.WEATHER_CLAUSES[seen.weather]),
                "action": [form for pair in v.ACTIONS[seen.action] for form in pair],
                "camera": v.CAMERAS[seen.camera],
            }
            for name, phrases in named.items():
                if (name, getattr(seen, name)) not in optional:
                    assert any(phrase.lower() in caption for phrase in phrases), (name, segment.caption)


def test_change_captions_say_what_changes():
    rng = random.Random(0)
    after = replace(
        BASE, time_of_day="night", weather="snow", camera="zoom in", place="ice", colour="pink",
        action="left", second_subject=None,
    )  # fmt: skip
    for _ in range(200):
        caption = unseen_change_caption(rng, BASE, after).lower()
        for phrases in (
            v.TIME_NOUNS["night"], v.WEATHER_CLAUSES["snow"], v.CAMERAS["zoom in"], v.PLACES["ice"],
            v.COLOURS["pink"], [form for pair in v.ACTIONS["left"] for form in pair], v.SUBJECTS["kite"],
        ):  # fmt: skip
            assert any(phrase.lower() in caption for phrase in phrases), caption


def test_captions_are_clean():
    for seed in range(1500):
        for segment in sample_script(seed, 97, phrasing=UNSEEN_PHRASING).segments:
            for bad in ("{", "[", "]", "  ", " ,", " .", "..", ",,"):
                assert bad not in segment.caption, segment.caption
            assert 1 <= len(segment.caption) < 400
