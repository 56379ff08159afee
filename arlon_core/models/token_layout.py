"""What the token transformer reads, in which order and at which positions: integers in, a list of items out.

A sequence is [text 1][tokens 1][text 2][tokens 2]...: the T5 states of a segment's text as a prefix to its
visual tokens (ARLON section 3.2; how a change of prompt enters is our choice). Texts take up no positions:

- the POSITION of an item is the number of visual tokens before or at it. All items of a text share the
  position p of the tokens so far; visual token j of the sequence has position j + 1;
- the SLOT of an item is position % tokens_per_frame: the place in the frame that comes next.

The last item of a text predicts the segment's first token, each token the next one, and the last token of a
segment predicts <eos>, which itself never appears in a sequence.

Long films: a segment is made in blocks, and every block starts from a fresh prefill of
[text of the first segment][anchor: the film's first frames][text of the segment in which the window begins]
[window: the last frames, with the texts of segments that begin inside][text of the block's segment], with
positions counted from 0 again. While anchor and window cover all there is, the prefill is simply everything
so far with its texts. If the block's segment has begun before the block, its text stands once more before the
block. Training sequences and inference prefills come from the same function, `block_layout`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

TOKENS_PER_FRAME = 28
MAX_BLOCK = 16  # latent frames generated after one prefill
WINDOW = 12  # latent frames right before a block
ANCHOR = 4  # latent frames from the film's beginning

NO_LABEL = -1
EOS_LABEL = -2
NOT_TEXT = -1
NOT_TOKEN = -1


@dataclass
class Layout:
    """The items of one sequence, as lists of equal length.

    An item is either a text state (`text` names the segment, `text_offset` the state within its text) or a
    visual token (`token` is its index in the film, frame by frame in raster order). `label` is the index of
    the token that the item predicts, EOS_LABEL or NO_LABEL. The first `prefill` items are known before the
    block.
    """

    text: list[int] = field(default_factory=list)
    text_offset: list[int] = field(default_factory=list)
    token: list[int] = field(default_factory=list)
    position: list[int] = field(default_factory=list)
    label: list[int] = field(default_factory=list)
    prefill: int = 0

    def __len__(self) -> int:
        return len(self.position)

    @property
    def visual(self) -> int:
        """Visual tokens so far: the position of the last item."""
        return self.position[-1] if self.position else 0

    def items(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, int, int, int]]:
        """(text, text_offset, token, position) of items [start, stop)."""
        columns = (self.text, self.text_offset, self.token, self.position)
        return zip(*(column[start:stop] for column in columns), strict=True)

    def prefix(self) -> Layout:
        """The prefill alone: what inference feeds before it samples."""
        n = self.prefill
        return Layout(
            self.text[:n], self.text_offset[:n], self.token[:n], self.position[:n], self.label[:n], n
        )


def block_layout(
    borders: Sequence[int],
    text_lengths: Sequence[int],
    start: int,
    stop: int,
    *,
    tokens_per_frame: int = TOKENS_PER_FRAME,
    window: int = WINDOW,
    anchor: int = ANCHOR,
) -> Layout:
    """The layout for latent frames [start, stop), which lie in one segment.

    `borders` are the latent frames at which segments begin, and at last where the known film ends
    (0, b_1, ..., b_n); `text_lengths` the number of text states of each segment. Labels are set wherever an
    item is followed by what it should predict, so in the prefill too; the block's own are those from
    `prefill - 1` on. Raises ValueError for borders that do not rise, or a block outside one segment.
    """
    segment = _check(borders, text_lengths, start, stop)
    builder = _Builder(borders, text_lengths, tokens_per_frame)
    if start <= anchor + window:
        builder.frames(0, start)
    else:
        builder.frames(0, anchor)
        builder.frames(start - window, start)
    builder.add_text(segment)
    builder.layout.prefill = len(builder.layout)
    builder.add_tokens(segment, start, stop)
    return builder.layout


def episode_layout(
    borders: Sequence[int], text_lengths: Sequence[int], *, tokens_per_frame: int = TOKENS_PER_FRAME
) -> Layout:
    """A whole film as one training sequence, nothing left out and no text repeated. Its prefill is empty."""
    _check(borders, text_lengths, borders[-2], borders[-1])
    builder = _Builder(borders, text_lengths, tokens_per_frame)
    builder.frames(0, borders[-1])
    return builder.layout


def blocks(start: int, stop: int, max_block: int = MAX_BLOCK) -> list[tuple[int, int]]:
    """The blocks [a, b) in which latent frames [start, stop) of one segment are generated."""
    return [(a, min(a + max_block, stop)) for a in range(start, stop, max_block)]


class _Builder:
    """Appends texts and stretches of tokens to a layout, counting positions."""

    def __init__(self, borders: Sequence[int], text_lengths: Sequence[int], tokens_per_frame: int) -> None:
        self.borders, self.text_lengths, self.tokens_per_frame = borders, text_lengths, tokens_per_frame
        self.layout = Layout()

    def frames(self, start: int, stop: int) -> None:
        """Latent frames [start, stop), each stretch under the text of its segment."""
        for segment, (first, last) in enumerate(pairwise(self.borders)):
            a, b = max(first, start), min(last, stop)
            if a < b:
                self.add_text(segment)
                self.add_tokens(segment, a, b)

    def add_text(self, segment: int) -> None:
        """The text of a segment, at the position reached so far."""
        layout, length, position = self.layout, self.text_lengths[segment], self.layout.visual
        layout.text += [segment] * length
        layout.text_offset += range(length)
        layout.token += [NOT_TOKEN] * length
        layout.position += [position] * length
        layout.label += [NO_LABEL] * length

    def add_tokens(self, segment: int, start: int, stop: int) -> None:
        """The tokens of latent frames [start, stop) of `segment`, right after an item that predicts them."""
        layout = self.layout
        first, last = start * self.tokens_per_frame, stop * self.tokens_per_frame
        count, position = last - first, layout.visual
        layout.label[-1] = first
        layout.text += [NOT_TEXT] * count
        layout.text_offset += [0] * count
        layout.token += range(first, last)
        layout.position += range(position + 1, position + count + 1)
        ends = stop == self.borders[segment + 1]
        layout.label += [*range(first + 1, last), EOS_LABEL if ends else NO_LABEL]


def _check(borders: Sequence[int], text_lengths: Sequence[int], start: int, stop: int) -> int:
    """The segment that holds frames [start, stop)."""
    if len(borders) != len(text_lengths) + 1 or borders[0] != 0 or any(a >= b for a, b in pairwise(borders)):
        raise ValueError(
            f"borders must rise from 0, one more than texts; got {borders} for {len(text_lengths)} texts"
        )
    if min(text_lengths) < 1:
        raise ValueError(f"every text needs at least one state, got lengths {text_lengths}")
    for segment, (first, last) in enumerate(pairwise(borders)):
        if first <= start < stop <= last:
            return segment
    raise ValueError(f"frames {start}..{stop} do not lie in one segment of {borders}")
