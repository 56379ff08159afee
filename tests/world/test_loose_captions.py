"""Loose captions: they say what tidy ones say, and are none of those that measure."""

from __future__ import annotations

from arlon_core.evaluation.perturbed import KINDS, perturbed_story
from arlon_core.evaluation.test_set import benchmark_story
from arlon_core.world import everyday, unseen_captions
from arlon_core.world import vocabulary as v
from arlon_core.world.loose_captions import FILLERS, LOOSE_PHRASING
from arlon_core.world.script import sample_script

SCRIPTS = [sample_script(seed, 189, phrasing=LOOSE_PHRASING) for seed in range(700)]


def test_whole_descriptions_name_every_attribute():
    tables = {
        "subject": ("SUBJECTS",), "colour": ("COLOURS",), "place": ("PLACES",),
        "time_of_day": ("TIMES", "TIME_NOUNS"), "weather": ("WEATHERS", "WEATHER_CLAUSES"),
        "camera": ("CAMERAS",),
    }  # fmt: skip
    optional = {("weather", "clear"), ("camera", "still")}
    for script in SCRIPTS:
        for segment in script.segments:
            if not segment.full:
                continue
            text = segment.caption.lower()
            for name, names in tables.items():
                value = getattr(segment.attributes, name)
                phrases = [
                    p for t in names for words in (v, everyday) for p in getattr(words, t).get(value, ())
                ]
                if (name, value) not in optional:
                    assert any(phrase.lower() in text for phrase in phrases), (name, segment.caption)


def test_scripts_are_those_of_other_wordings_where_wording_draws_nothing():
    """The opening attributes are drawn before the first caption."""
    for seed, script in enumerate(SCRIPTS[:50]):
        assert script.segments[0].attributes == sample_script(seed, 189).segments[0].attributes


def test_captions_are_clean_and_many():
    captions = [segment.caption for script in SCRIPTS for segment in script.segments]
    assert len(set(captions)) > 0.95 * len(captions)
    for caption in captions:
        assert 1 <= len(caption) < 500
        for bad in ("{", "}", "  ", " ,", " .", ",,", "None"):
            assert bad not in caption, caption


def test_nothing_that_measures_is_used():
    measuring = {
        segment.caption.lower()
        for number in range(8)
        for held in [benchmark_story(number, 12)]
        for story in (held, *(perturbed_story(held, kind) for kind in KINDS))
        for segment in story.script.segments
    }
    assert not measuring & {segment.caption.lower() for script in SCRIPTS for segment in script.segments}
    shapes = [
        shape
        for name, shapes in vars(unseen_captions).items()
        if name.endswith("_SHAPES") or name == "OPENERS"
        for shape in shapes
    ]
    assert len(shapes) > 25
    for filler in FILLERS:
        if len(filler.split()) > 1:
            assert not any(filler.lower() in shape.lower() for shape in shapes), filler
