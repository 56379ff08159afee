"""Prompts outside the world are rendered, and a warning a segment names what the model has never seen."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from arlon_core.cli.progress import ProgressBars
from arlon_core.generation.events import Event, FilmReady, Planned, WarningRaised
from arlon_core.generation.render import animatic, render
from arlon_core.generation.unknown_words import word_warnings
from arlon_core.media.clips import count_frames
from arlon_core.story import Segment, Story, read_story

ROOT = Path(__file__).parents[2]
STORY = Story(
    (
        Segment("A red balloon rises over green hills.", 1.0),
        Segment("A unicorn walks through a castel.", 1.0),
        Segment("Then the BALLOONS drift, 2 of them!", 0.5),
        Segment("Two baloon things: a unicorn.", 0.5),
    ),
    style="moody",
    seed=3,
)


@pytest.fixture(scope="module")
def shipped() -> SimpleNamespace:
    """What of the shipped model the warnings depend on."""
    path = ROOT / "assets" / "models" / "storyworld" / "tokenizer" / "tokenizer_config.json"
    return SimpleNamespace(known_words=frozenset(json.loads(path.read_text())["known_words"]))


def warnings(events: list[Event]) -> list[WarningRaised]:
    return [event for event in events if isinstance(event, WarningRaised)]


def prompts(*texts: str, style: str = "") -> Story:
    return Story(tuple(Segment(text) for text in texts), style=style)


@pytest.mark.parametrize("make", [render, animatic])
def test_each_segment_is_told_once_and_again_when_it_goes_on(make, tiny_pipeline, tmp_path: Path):
    first = list(make(tiny_pipeline, STORY, tmp_path))
    told = warnings(first)
    assert [each.segment for each in told] == [None, 1, 3]
    assert [each.message.partition(":")[0] for each in told] == ["the style", "segment 2", "segment 4"]
    assert '"moody"' in told[0].message
    assert '"unicorn"' in told[1].message
    assert '"baloon" (near: balloon)' in told[2].message
    assert isinstance(first[0], Planned)
    assert first[1:4] == told, "before any work"
    assert isinstance(first[-1], FilmReady), "it is a film all the same"
    assert count_frames(first[-1].path) == 36
    assert warnings(list(make(tiny_pipeline, STORY, tmp_path))) == told


def test_the_journal_keeps_them(tiny_pipeline, tmp_path: Path):
    told = warnings(list(animatic(tiny_pipeline, STORY, tmp_path)))
    lines = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    kept = [line["event"] for line in lines if line.get("event", {}).get("event") == "WarningRaised"]
    assert [each["message"] for each in kept] == [each.message for each in told]


def test_the_examples_are_told_nothing(shipped):
    for path in sorted((ROOT / "assets" / "stories").glob("*.txt")):
        assert list(word_warnings(shipped, read_story(path))) == [], path.name


def test_a_model_without_a_list_of_words_warns_of_nothing():
    assert list(word_warnings(SimpleNamespace(known_words=frozenset()), STORY)) == []


def test_a_thing_that_is_not_there_brings_the_things_that_are_once_a_film(shipped):
    story = prompts(
        "A unicorn and a wale rise over a castle.", "A wizard flies over the moor.", "A red wale."
    )
    first, second, third = (each.message for each in word_warnings(shipped, story))
    assert first == (
        'segment 1: the model has never seen "unicorn", "wale" (near: whale) and "castle"; its subjects are '
        "balloon, airship, kite, paper plane, aeroplane, rocket, bird, owl, butterfly, whale, dragon, robot, "
        "elephant and lantern; its places are meadow, sea, mountains, desert, forest, city, garden and ice."
    )
    assert second == 'segment 2: the model has never seen "wizard" and "moor".'
    assert third == 'segment 3: the model has never seen "wale" (near: whale).'


def test_a_long_list_of_words_is_cut(shipped):
    (warning,) = word_warnings(
        shipped, prompts("Ich weiß nicht, was soll es bedeuten, dass ich so traurig bin")
    )
    assert "more" in warning.message
    assert len(warning.message) < 400


def test_the_command_line_prints_one_line_naming_the_segment(shipped, capsys):
    with ProgressBars() as bars:
        for warning in word_warnings(shipped, prompts("A red owl.", "A unicorn.")):
            bars.show(warning)
    err = capsys.readouterr().err
    assert err.startswith('note: segment 2: the model has never seen "unicorn"')
    assert err.count("\n") == 1
