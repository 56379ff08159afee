"""Laws of segment names: what an edit does not touch keeps its name, and no name comes to mean another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from arlon_core.media.segment_ids import SEGMENT_ID, NamedSegment, carry_ids

WORDS = st.sampled_from("abcdefg")
STORIES = st.lists(WORDS, min_size=1, max_size=12)  # with repeated prompts
DISTINCT = st.lists(st.text("abcdefgh", min_size=1), min_size=1, max_size=12, unique=True)


def ids(named: tuple[NamedSegment, ...]) -> list[str]:
    return [each.id for each in named]


def carried(before: list[str], after: list[str]) -> tuple[list[str], list[str]]:
    """Names before and after an edit."""
    first = carry_ids((), before)
    return ids(first), ids(carry_ids(first, after))


def test_a_new_story_counts_its_segments():
    assert ids(carry_ids((), ["a", "b", "a"])) == ["s1", "s2", "s3"]


@given(STORIES, STORIES)
def test_names_are_good_and_each_is_given_once(before, after):
    _, new = carried(before, after)
    assert len(new) == len(set(new)) == len(after)
    assert all(SEGMENT_ID.fullmatch(name) for name in new)


@given(STORIES)
def test_an_unchanged_story_keeps_all_its_names(prompts):
    old, new = carried(prompts, prompts)
    assert old == new


@given(STORIES, st.data())
def test_a_new_segment_leaves_all_others_their_names(prompts, data):
    place = data.draw(st.integers(0, len(prompts)))
    old, new = carried(prompts, [*prompts[:place], "new", *prompts[place:]])
    assert [*new[:place], *new[place + 1 :]] == old
    assert new[place] not in old


@given(STORIES, st.data())
def test_a_rewritten_prompt_keeps_its_name(prompts, data):
    place = data.draw(st.integers(0, len(prompts) - 1))
    old, new = carried(prompts, [*prompts[:place], "new", *prompts[place + 1 :]])
    assert old == new


@given(DISTINCT, st.data())
def test_a_removed_segment_takes_only_its_own_name(prompts, data):
    place = data.draw(st.integers(0, len(prompts) - 1))
    old, new = carried(prompts, [*prompts[:place], *prompts[place + 1 :]])
    assert new == [*old[:place], *old[place + 1 :]]


@given(DISTINCT, st.data())
def test_segments_that_change_places_take_their_names_along(prompts, data):
    moved = data.draw(st.permutations(prompts))
    old, new = carried(prompts, moved)
    assert dict(zip(prompts, old, strict=True)) == dict(zip(moved, new, strict=True))


def test_a_rewritten_block_of_another_size_gets_new_names():
    old, new = carried(["a", "b", "c"], ["a", "x", "y", "c"])
    assert (new[0], new[3]) == (old[0], old[2])
    assert not {new[1], new[2]} & set(old)


@given(STORIES, STORIES, st.sets(st.integers(1, 20).map("s{}".format)))
def test_a_new_name_is_in_use_nowhere(before, after, reserved):
    """A removed segment's join may still lie in film.json: no newcomer may fall heir to it."""
    first = carry_ids((), before)
    new = set(ids(carry_ids(first, after, reserved))) - set(ids(first))
    assert not new & reserved
