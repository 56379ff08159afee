"""A story's text and its cards: one to one, line by line, and nothing typed is lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.handlers.sheet import (
    Card,
    Sheet,
    card_lines,
    read_sheet,
    sheet_from_json,
    sheet_to_json,
    split_lines,
    write_sheet,
)
from arlon_core.errors import StoryError
from arlon_core.story import Segment, Story, format_story, parse_story

STORIES = sorted((Path(__file__).parents[2] / "assets" / "stories").glob("*.txt"))
TANGLED = """# for my sister
Title:  The   fox
seed: 007

# the first night
A fox sits in the snow.

\t[4s] It runs left.
# a gap

\\[not a bracket] but a prompt
[2.50s seed=11]   Night   falls.

# the end"""

words = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\u2028\u2029"), min_size=1
)
prompts = words.filter(lambda text: text.split())
segments = st.builds(
    Segment,
    prompt=prompts,
    seconds=st.floats(0.5, 60, allow_nan=False),
    seed=st.none() | st.integers(0, 2**63 - 1),
)
stories = st.builds(
    Story,
    segments=st.lists(segments, min_size=1, max_size=5).map(tuple),
    title=words,
    style=words | st.just(""),
    seed=st.integers(0, 2**63 - 1),
)


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_a_sheet_writes_the_text_it_was_read_from(path: Path):
    text = path.read_text()
    assert write_sheet(read_sheet(text)) == text


@given(stories)
def test_text_and_sheet_tell_the_same_story(story: Story):
    text = format_story(story)
    sheet = sheet_from_json(sheet_to_json(read_sheet(text)))
    assert write_sheet(sheet) == text
    # Cards whose lines are gone are written anew, and still tell the same.
    bare = replace(sheet, cards=tuple(replace(card, line="") for card in sheet.cards))
    assert parse_story(write_sheet(bare)) == story


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_comments_spaces_and_unusual_lines_stay_as_they_stood(ending: str):
    sheet = read_sheet("\ufeff" + TANGLED.replace("\n", ending))
    assert write_sheet(sheet) == TANGLED
    assert [card.prompt for card in sheet.cards] == [
        "A fox sits in the snow.",
        "It runs left.",
        "[not a bracket] but a prompt",
        "Night falls.",
    ]
    assert (sheet.title, sheet.style, sheet.seed) == ("The fox", "", "007")


def test_a_change_of_one_card_changes_one_line():
    sheet = read_sheet(TANGLED)
    cards = list(sheet.cards)
    cards[1] = replace(cards[1], prompt="It  runs\nright.")
    before, after = split_lines(TANGLED), split_lines(write_sheet(replace(sheet, cards=tuple(cards))))
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert changed == ["[4s] It runs right."]


def test_a_change_of_the_title_leaves_the_other_headers_and_the_segments():
    sheet = read_sheet(TANGLED)
    text = write_sheet(replace(sheet, title="The owl", style="calm", seed=""))
    assert text.startswith("# for my sister\ntitle: The owl\nstyle: calm\n\n# the first night\n")
    story = parse_story(text)
    assert (story.title, story.style, story.seed) == ("The owl", "calm", 0)


def test_headers_can_be_given_to_a_story_that_had_none():
    sheet = replace(read_sheet("A fox sits.\n"), title="Fox")
    assert write_sheet(sheet) == "title: Fox\n\nA fox sits.\n"


def test_moved_cards_take_their_comments_along():
    sheet = read_sheet("[4s] One.\n# about two\n[4s] Two.\n")
    swapped = replace(sheet, cards=(sheet.cards[1], sheet.cards[0]))
    assert write_sheet(swapped) == "# about two\n[4s] Two.\n[4s] One.\n"


def test_a_half_typed_card_is_kept_and_refused_with_its_line():
    sheet = read_sheet("title: T\n\n# note\n[4s] One.\n")
    sheet = replace(sheet, cards=(*sheet.cards, Card(prompt="", seconds="")))
    text = write_sheet(sheet)
    assert text == "title: T\n\n# note\n[4s] One.\n[s] \n"
    with pytest.raises(StoryError, match="line 5"):
        parse_story(text)
    assert card_lines(sheet) == [4, 5]


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists)
    | st.just({"cards": [1, {}]})
)
def test_any_value_from_a_page_is_taken_as_some_sheet(value: object):
    assert isinstance(sheet_from_json(value), Sheet)
    assert isinstance(sheet_from_json({"cards": value, "head": value, "title": value}), Sheet)
