"""A story's text as a sheet of cards and back, line by line, so that nothing a person typed gets lost.

A sheet keeps every line of the text it was read from. A card keeps what was typed, finished or not, as text;
a card that was not touched keeps its line as it stood. Laws (tests hold them):
``write_sheet(read_sheet(text))`` is the text (its line breaks as ``\\n``), and a change of one card changes
one line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import takewhile
from typing import Any

from arlon_core.errors import StoryError
from arlon_core.story import DEFAULT_SECONDS, Segment, format_seconds, parse_story

HEADERS = ("title", "style", "seed")


@dataclass(frozen=True)
class Card:
    """One segment as it stands on the page.

    prompt, seconds, seed: as typed. line: the line it was read from, or "". lead: the comments and empty
    lines above it, which move with it.
    """

    prompt: str = ""
    seconds: str = format_seconds(DEFAULT_SECONDS)
    seed: str = ""
    line: str = ""
    lead: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """A story as cards. head: the lines above the first segment; tail: those below the last."""

    title: str = ""
    style: str = ""
    seed: str = ""
    cards: tuple[Card, ...] = ()
    head: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()


def read_sheet(text: str) -> Sheet:
    """The cards of a good story text. Raises StoryError naming the line when it is not one."""
    parse_story(text)
    waiting: list[str] = []
    head: tuple[str, ...] = ()
    cards: list[Card] = []
    for line in split_lines(text):
        segment = _segment_of(line)
        if segment is None:
            waiting.append(line)
            continue
        if not cards:
            head, waiting = _split_head(waiting)
        cards.append(_card(segment, line, tuple(waiting)))
        waiting = []
    fields = {key: _one_line(line.partition(":")[2]) for line in head if (key := _header_of(line))}
    return Sheet(**fields, cards=tuple(cards), head=head, tail=tuple(waiting))


def write_sheet(sheet: Sheet) -> str:
    """The text of a sheet, good or not yet: what was not touched stands as it stood."""
    lines = _head_lines(sheet)
    for card in sheet.cards:
        lines += [*card.lead, _card_line(card)]
    return "\n".join([*lines, *sheet.tail])


def card_lines(sheet: Sheet) -> list[int]:
    """The line, counted from 1, at which each card stands in the text of the sheet."""
    number = len(_head_lines(sheet))
    numbers = []
    for card in sheet.cards:
        number += len(card.lead) + 1
        numbers.append(number)
    return numbers


def sheet_to_json(sheet: Sheet) -> dict[str, Any]:
    """The sheet as plain JSON values, for the page."""
    return asdict(sheet)


def sheet_from_json(value: Any) -> Sheet:
    """The sheet that a page sent; what is missing or of a wrong kind is taken as empty."""
    value = value if isinstance(value, Mapping) else {}
    rows = value.get("cards")
    cards = [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, (list, tuple)) else []
    return Sheet(
        **{key: _text(value.get(key)) for key in HEADERS},
        cards=tuple(
            Card(
                **{key: _text(row.get(key)) for key in ("prompt", "seconds", "seed", "line")},
                lead=_lines(row.get("lead")),
            )
            for row in cards
        ),
        head=_lines(value.get("head")),
        tail=_lines(value.get("tail")),
    )


def split_lines(text: str) -> list[str]:
    """The lines of a story text, without its byte order mark."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _segment_of(line: str) -> Segment | None:
    """The segment that a line of a good story is; None for headers, comments and empty lines."""
    try:
        return parse_story(line).segments[0]
    except StoryError:
        return None


def _header_of(line: str) -> str | None:
    key = line.partition(":")[0].strip().lower()
    return key if ":" in line and key in HEADERS else None


def _split_head(lines: list[str]) -> tuple[tuple[str, ...], list[str]]:
    """The lines above the first segment: the story's own, and the comments that stand right above it."""
    comments = len(list(takewhile(lambda line: line.strip().startswith("#"), reversed(lines))))
    if comments == len(lines):  # a story that opens with a comment, as a file does
        return tuple(lines), []
    border = len(lines) - comments
    return tuple(lines[:border]), lines[border:]


def _card(segment: Segment, line: str, lead: tuple[str, ...]) -> Card:
    seed = "" if segment.seed is None else str(segment.seed)
    return Card(segment.prompt, format_seconds(segment.seconds), seed, line, lead)


def _card_line(card: Card) -> str:
    before = _segment_of(card.line) if card.line else None
    if before is not None and _card(before, card.line, card.lead) == card:
        return card.line
    seed = f" seed={_one_line(card.seed)}" if card.seed.strip() else ""
    return f"[{_one_line(card.seconds)}s{seed}] {_one_line(card.prompt)}"


def _head_lines(sheet: Sheet) -> list[str]:
    """The head with the sheet's title, style and seed in it."""
    wanted = {key: _one_line(getattr(sheet, key)) for key in HEADERS}
    lines: list[str] = []
    for line in sheet.head:
        key = _header_of(line)
        if key is None:
            lines.append(line)
        elif key in wanted:
            value = wanted.pop(key)
            same = _one_line(line.partition(":")[2]) == value
            lines += [line] if same else [f"{key}: {value}"] if value else []
    new = [f"{key}: {value}" for key, value in wanted.items() if value]
    if not new:
        return lines
    place = max((number for number, line in enumerate(lines, start=1) if _header_of(line)), default=0)
    gap = [] if lines[place:] and not lines[place].strip() else [""]
    return [*lines[:place], *new, *gap, *lines[place:]]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _text(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


def _lines(value: Any) -> tuple[str, ...]:
    lines = value if isinstance(value, (list, tuple)) else ()
    return tuple(line.replace("\r", " ").replace("\n", " ") for line in map(_text, lines))
