"""The order and positions of what the token transformer reads."""

from __future__ import annotations

from itertools import pairwise

import pytest

from arlon_core.models.token_layout import (
    EOS_LABEL,
    NO_LABEL,
    NOT_TEXT,
    Layout,
    block_layout,
    blocks,
    episode_layout,
)

BORDERS = [0, 3, 20, 30, 60]
LENGTHS = [5, 4, 6, 3]
PER_FRAME = 28


def every_block() -> list[tuple[int, int]]:
    return [block for a, b in pairwise(BORDERS) for block in blocks(a, b)]


def runs(layout: Layout) -> list[tuple[str, int, int]]:
    """The layout in short: ("text", segment, length) and ("frames", first, last + 1)."""
    found: list[tuple[str, int, int]] = []
    for text, offset, token, _ in layout.items():
        if text != NOT_TEXT:
            found = [*found, ("text", text, 1)] if offset == 0 else [*found[:-1], ("text", text, offset + 1)]
        elif token % PER_FRAME == 0:
            frame = token // PER_FRAME
            joins = found and found[-1][0] == "frames" and found[-1][2] == frame
            found = (
                [*found[:-1], ("frames", found[-1][1], frame + 1)]
                if joins
                else [*found, ("frames", frame, frame + 1)]
            )
    return found


def test_an_episode_is_texts_and_their_tokens_in_turn():
    layout = episode_layout([0, 2, 5], [3, 4])
    assert runs(layout) == [("text", 0, 3), ("frames", 0, 2), ("text", 1, 4), ("frames", 2, 5)]
    assert layout.position[:3] == [0, 0, 0]
    assert layout.position[3:59] == list(range(1, 57))
    assert layout.position[59:63] == [56] * 4


def test_labels_name_the_next_token_and_the_end_of_a_segment():
    layout = episode_layout([0, 1, 2], [2, 3])
    assert layout.label[:4] == [NO_LABEL, 0, 1, 2]
    assert layout.label[1 + PER_FRAME] == EOS_LABEL
    assert layout.label[2 + PER_FRAME : 6 + PER_FRAME] == [NO_LABEL, NO_LABEL, PER_FRAME, PER_FRAME + 1]
    assert layout.label[-1] == EOS_LABEL


@pytest.mark.parametrize("block", every_block())
def test_positions_count_visual_tokens(block):
    layout = block_layout(BORDERS, LENGTHS, *block)
    seen = 0
    for text, _, token, position in layout.items():
        seen += text == NOT_TEXT
        assert position == seen
        if text != NOT_TEXT:
            assert position % PER_FRAME == 0
        else:
            assert (position - 1) % PER_FRAME == token % PER_FRAME
    assert layout.position[layout.prefill - 1] % PER_FRAME == 0


@pytest.mark.parametrize("block", every_block())
def test_the_prefill_looks_at_nothing_of_the_block_and_the_block_is_whole(block):
    start, stop = block
    layout = block_layout(BORDERS, LENGTHS, start, stop)
    prefill = layout.prefix()
    assert max(prefill.token) < start * PER_FRAME
    assert layout.token[layout.prefill :] == list(range(start * PER_FRAME, stop * PER_FRAME))
    assert layout.label[layout.prefill - 1] == start * PER_FRAME
    assert len(prefill) <= (12 + 4) * PER_FRAME + sum(LENGTHS) + 2 * max(LENGTHS)


@pytest.mark.parametrize("block", every_block())
def test_every_label_is_the_true_next_token(block):
    layout = block_layout(BORDERS, LENGTHS, *block)
    for i, (token, label) in enumerate(zip(layout.token, layout.label, strict=True)):
        following = next((t for t in layout.token[i + 1 :] if t >= 0), None)
        if label >= 0:
            assert label == following
        if label == EOS_LABEL:
            assert (token + 1) / PER_FRAME in BORDERS


def test_an_episode_prefix_is_the_prefill_of_the_same_state():
    """What training reads up to a segment's text is what inference feeds, while nothing is left out."""
    borders = [0, 3, 9, 14, 20]
    whole = episode_layout(borders, LENGTHS)
    for segment in range(4):
        prefill = block_layout(borders, LENGTHS, borders[segment], borders[segment] + 1).prefix()
        assert list(whole.items(0, len(prefill))) == list(prefill.items())


def test_long_films_read_an_anchor_and_a_window():
    assert runs(block_layout(BORDERS, LENGTHS, 30, 46)) == [
        ("text", 0, 5), ("frames", 0, 3), ("text", 1, 4), ("frames", 3, 4),
        ("text", 1, 4), ("frames", 18, 20), ("text", 2, 6), ("frames", 20, 30),
        ("text", 3, 3), ("frames", 30, 46),
    ]  # fmt: skip
    assert runs(block_layout(BORDERS, LENGTHS, 46, 60)) == [
        ("text", 0, 5), ("frames", 0, 3), ("text", 1, 4), ("frames", 3, 4),
        ("text", 3, 3), ("frames", 34, 46), ("text", 3, 3), ("frames", 46, 60),
    ]  # fmt: skip


def test_short_films_read_everything_once():
    assert runs(block_layout(BORDERS, LENGTHS, 3, 16)) == [
        ("text", 0, 5), ("frames", 0, 3), ("text", 1, 4), ("frames", 3, 16)
    ]  # fmt: skip


@pytest.mark.parametrize("segment", [1, 2, 3])
def test_another_prompt_leaves_the_items_before_it_untouched(segment):
    other = [*LENGTHS]
    other[segment] += 7
    for start, stop in blocks(BORDERS[segment - 1], BORDERS[segment]):
        before, after = (block_layout(BORDERS, lengths, start, stop) for lengths in (LENGTHS, other))
        assert before == after


@pytest.mark.parametrize("more", [[61], [65, 90]])
def test_appending_segments_changes_no_earlier_block(more):
    for block in every_block():
        longer = block_layout([*BORDERS, *more], [*LENGTHS, *[2] * len(more)], *block)
        assert longer == block_layout(BORDERS, LENGTHS, *block)


def test_blocks_cover_a_segment_once():
    assert blocks(5, 45) == [(5, 21), (21, 37), (37, 45)]


@pytest.mark.parametrize(
    ("borders", "lengths", "start", "stop", "named"),
    [
        ([0, 4], [3], 0, 5, "one segment"),
        ([0, 4, 8], [3, 3], 2, 6, "one segment"),
        ([0, 4, 4], [3, 3], 0, 4, "rise"),
        ([0, 4], [3, 3], 0, 4, "rise"),
        ([0, 4], [0], 0, 4, "at least one"),
    ],
)
def test_impossible_requests_are_refused(borders, lengths, start, stop, named):
    with pytest.raises(ValueError, match=named):
        block_layout(borders, lengths, start, stop)
