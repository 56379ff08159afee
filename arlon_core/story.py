"""Stories: a timeline of prompts, as text, as JSON and as objects, lossless between all three.

Text form (line by line)::

    title: The balloon at the edge of the sea
    style: calm, wide view
    seed: 7

    [4s] A red hot-air balloon rises over green hills at dawn.
    [4s seed=11] Night falls and snow begins to fall.

``title``, ``style`` and ``seed`` may each be given once, above the first segment. Every other line that is
neither empty nor a ``#`` comment is a segment. A line that starts with ``[`` must open with ``[4s]`` or
``[4s seed=11]``; a backslash at the start of a line makes the rest of it a plain prompt.

The law: ``parse_story(format_story(story)) == story`` for every Story that can be constructed.
No torch here: the command line and the studio read stories before any model is loaded.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arlon_core.errors import StoryError

# Limits and defaults. All of them are our choice.
DEFAULT_SECONDS = 4.0
MIN_SECONDS = 0.5
MAX_SECONDS = 3600.0
MAX_SEGMENTS = 500
MAX_FILM_SECONDS = 7200.0
MAX_PROMPT_CHARACTERS = 2000
MAX_TITLE_CHARACTERS = 200
MAX_STYLE_CHARACTERS = 500
MAX_SEED = 2**63 - 1
MAX_FILE_BYTES = 16 * 1024 * 1024  # 500 prompts of 2,000 characters, with room for escapes

_HEADER = re.compile(r"(title|style|seed)\s*:(.*)", re.IGNORECASE | re.DOTALL)
_BRACKET = re.compile(r"\[([^\]]*)\](.*)", re.DOTALL)
_TIMING = re.compile(r"\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))\s*s(?:\s+seed\s*=\s*(\S+))?\s*")
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]+")
_SENTENCE_END = tuple(".!?…。！？:;\"”'’")


@dataclass(frozen=True)
class Segment:
    """One prompt and how long it lasts.

    prompt: one line; white space is collapsed. 1 to 2,000 characters.
    seconds: 0.5 to 3600.
    seed: 0 to 2**63-1, or None for the story's seed.
    Raises StoryError when a value is out of these limits or of the wrong type.
    """

    prompt: str
    seconds: float = DEFAULT_SECONDS
    seed: int | None = None

    def __post_init__(self) -> None:
        prompt = _clean_text(self.prompt, "the prompt", MAX_PROMPT_CHARACTERS)
        if not prompt:
            raise StoryError("the prompt is empty; write what happens in this segment.")
        object.__setattr__(self, "prompt", prompt)
        object.__setattr__(self, "seconds", _check_seconds(self.seconds))
        if self.seed is not None:
            _check_seed(self.seed)


@dataclass(frozen=True)
class Story:
    """A film as it is asked for: 1 to 500 segments, at most two hours.

    title: shown and kept with the film; no picture depends on it.
    style: put to the text of every segment.
    seed: used by every segment that names none of its own.
    Raises StoryError when a value is out of limits or of the wrong type.
    """

    segments: tuple[Segment, ...]
    title: str = ""
    style: str = ""
    seed: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.segments, str) or not isinstance(self.segments, Sequence):
            raise StoryError("the segments are not a list; give a list of segments.")
        object.__setattr__(self, "segments", tuple(self.segments))
        if not all(isinstance(segment, Segment) for segment in self.segments):
            raise StoryError("the segments hold something that is not a Segment; build each as a Segment.")
        object.__setattr__(self, "title", _clean_text(self.title, "the title", MAX_TITLE_CHARACTERS))
        object.__setattr__(self, "style", _clean_text(self.style, "the style", MAX_STYLE_CHARACTERS))
        _check_seed(self.seed)
        if not self.segments:
            raise StoryError('the story has no segments; write at least one, such as "[4s] A balloon rises."')
        _check_size(len(self.segments), self.seconds)

    @property
    def seconds(self) -> float:
        """Length asked for, in seconds."""
        return math.fsum(segment.seconds for segment in self.segments)

    def segment_seed(self, index: int) -> int:
        """The seed that segment ``index`` is drawn from: its own, or the story's."""
        own = self.segments[index].seed
        return self.seed if own is None else own


def parse_story(text: str, name: str = "story") -> Story:
    """Read a story from its text form; ``name`` is what messages call the file.

    Raises StoryError naming the file, the line and the mend.
    """
    headers: dict[str, Any] = {}
    segments: list[Segment] = []
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text.removeprefix("\ufeff")), start=1):
        with _place(f"{name}, line {number}"):
            _read_line(line.strip(), headers, segments)
    if not segments:
        raise StoryError(f'{name} has no segments; write at least one line, such as "[4s] A balloon rises."')
    return Story(tuple(segments), **headers)


def format_story(story: Story) -> str:
    """The text form of a story, ending with a line break."""
    headers = {"title": story.title, "style": story.style, "seed": story.seed}
    lines = [f"{key}: {value}" for key, value in headers.items() if value]
    if lines:
        lines.append("")
    for segment in story.segments:
        seed = "" if segment.seed is None else f" seed={segment.seed}"
        lines.append(f"[{format_seconds(segment.seconds)}s{seed}] {segment.prompt}")
    return "\n".join(lines) + "\n"


def format_seconds(seconds: float) -> str:
    """``4.0`` -> ``"4"``, ``2.5`` -> ``"2.5"``: the shortest form that reads back as the same number."""
    return str(int(seconds)) if seconds == int(seconds) else repr(float(seconds))


def segment_texts(style: str, prompts: Sequence[str], is_full: Sequence[bool]) -> list[str]:
    """The text that each segment gives to the text encoder.

    style + the last full description + the current change; when the current prompt is itself a full
    description, only style + it. The first prompt always counts as full. A part that lacks a closing
    mark gets a full stop before the next part follows (our choice). Storyworld's training texts are
    composed by this same function, so that training and use see the same sentences.

    prompts: one a segment. is_full: one a segment, whether the prompt describes the whole picture.
    Raises ValueError when the two differ in length.
    """
    if len(prompts) != len(is_full):
        raise ValueError(f"Got {len(prompts)} prompts and {len(is_full)} flags; give one flag a prompt.")
    texts: list[str] = []
    description = ""
    for prompt, full in zip(prompts, is_full, strict=True):
        if full or not texts:
            description, change = prompt, ""
        else:
            change = prompt
        texts.append(join_sentences([style, description, change]))
    return texts


def story_to_json(story: Story) -> dict[str, Any]:
    """The JSON form: ``{"title", "style", "seed", "segments": [{"prompt", "seconds", "seed"}]}``.

    A segment without a seed of its own has ``"seed": None``. ``story_from_json`` is its inverse.
    """
    rows = [{"prompt": each.prompt, "seconds": each.seconds, "seed": each.seed} for each in story.segments]
    return {"title": story.title, "style": story.style, "seed": story.seed, "segments": rows}


def story_from_json(value: Any, name: str = "story") -> Story:
    """A story from parsed JSON; ``name`` is what messages call the file.

    ``segments`` and each ``prompt`` must be there; the rest has the defaults of the text form.
    Raises StoryError naming the file, the segment (counted from 1) and the mend.
    """
    known = ("title", "style", "seed", "segments")
    with _place(name):
        values = _check_object(value, known, "the story")
        rows = values.get("segments", [])
        if not isinstance(rows, list):
            raise StoryError(f'"segments" is {_shown(rows)}, not a list; give a list of segments.')
        _check_size(len(rows), 0.0)
    segments = []
    for number, row in enumerate(rows, start=1):
        with _place(f"{name}, segment {number}"):
            row = _check_object(row, ("prompt", "seconds", "seed"), "the segment", "prompt")
            segments.append(Segment(**row))
    with _place(name):
        return Story(tuple(segments), **{key: values[key] for key in known[:3] if key in values})


def read_story(path: str | Path) -> Story:
    """Read a story file: JSON when its name ends in .json, text when in .txt, else by its first character.

    UTF-8, with or without BOM. Raises StoryError naming the file, where possible the line, and the mend.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise StoryError(f"{path} does not exist; give the path of a story file.") from None
    except IsADirectoryError:
        raise StoryError(f"{path} is a folder; give the path of a story file in it.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StoryError(f"{path} cannot be read ({reason}); check the path and its permissions.") from None
    text = _decode(data, path.name)
    suffix = path.suffix.lower()
    if suffix == ".json" or (suffix != ".txt" and text.lstrip().startswith("{")):
        return story_from_json(_parse_json(text, path.name), path.name)
    return parse_story(text, path.name)


@contextmanager
def _place(place: str) -> Iterator[None]:
    """Put where it happened before the sentence of a StoryError."""
    try:
        yield
    except StoryError as error:
        raise StoryError(f"{place}: {error}") from None


def _decode(data: bytes, name: str) -> str:
    if len(data) > MAX_FILE_BYTES:
        raise StoryError(f"{name} is larger than 16 MB; a story is text, so check the path.")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise StoryError(f"{name} is UTF-16 text; save it as UTF-8.")
    if b"\0" in data:
        raise StoryError(f"{name} is not a text file; give a story written as UTF-8 text or JSON.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise StoryError(f"{name}, line {line}: this is not UTF-8 text; save the file as UTF-8.") from None


def _parse_json(text: str, name: str) -> Any:
    """Parsed JSON. Refuses repeated keys, NaN and Infinity, which json.loads would let pass."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in pairs:
            if key in values:
                raise StoryError(f'{name}: the key "{_shorten(key)}" is given twice; keep one of them.')
            values[key] = value
        return values

    def refuse(constant: str) -> Any:
        raise StoryError(f"{name}: {constant} is not a JSON number; give a plain number.")

    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise StoryError(f"{name}, line {error.lineno}: this is not JSON ({error.msg}); mend it.") from None
    except (ValueError, RecursionError):  # a number of thousands of digits, or endless nesting
        raise StoryError(f"{name} is not a story in JSON; see the form in the README.") from None


def _check_object(value: Any, known: tuple[str, ...], what: str, required: str = "") -> dict[str, Any]:
    """``value`` as a dict with known keys only. Raises StoryError naming the key."""
    if not isinstance(value, dict):
        raise StoryError(f"{what} is {_shown(value)}; write an object with {', '.join(known)}.")
    for key in value:
        if key not in known:
            raise StoryError(f'"{_shorten(str(key))}" is not a known key; use {", ".join(known)}.')
    if required and required not in value:
        raise StoryError(f'{what} has no "{required}"; add it.')
    return value


def join_sentences(parts: Sequence[str]) -> str:
    """Parts of a text as one, empty ones left out; all but the last get a full stop where there is none."""
    parts = [part.strip() for part in parts if part.strip()]
    closed = [part if part.endswith(_SENTENCE_END) else part.rstrip(",") + "." for part in parts[:-1]]
    return " ".join([*closed, *parts[-1:]])


def _read_line(line: str, headers: dict[str, Any], segments: list[Segment]) -> None:
    """Take one stripped line into ``headers`` or ``segments``. Raises StoryError without a place."""
    if not line or line.startswith("#"):
        return
    header = _HEADER.fullmatch(line)
    if header is not None:
        _read_header(header.group(1).lower(), header.group(2).strip(), headers, bool(segments))
        return
    segments.append(_read_bracket_line(line) if line.startswith("[") else Segment(line.removeprefix("\\")))
    _check_size(len(segments), math.fsum(each.seconds for each in segments))


def _read_header(key: str, value: str, headers: dict[str, Any], too_late: bool) -> None:
    if too_late:
        raise StoryError(
            f'"{key}:" stands below the first segment; move it above, or start the line with a backslash '
            "to make it a prompt."
        )
    if key in headers:
        raise StoryError(f'"{key}:" is given twice; keep one of them.')
    if key == "seed":
        headers[key] = _parse_seed(value)
    else:
        limit = MAX_TITLE_CHARACTERS if key == "title" else MAX_STYLE_CHARACTERS
        headers[key] = _clean_text(value, f"the {key}", limit)


def _read_bracket_line(line: str) -> Segment:
    bracket = _BRACKET.fullmatch(line)
    if bracket is None:
        raise StoryError(
            f'"{_shorten(line)}" never closes its bracket; write "[4s] ..." or put a backslash before it.'
        )
    inside, prompt = bracket.groups()
    shown = f"[{_shorten(inside)}]"
    timing = _TIMING.fullmatch(inside)
    if timing is None:
        raise StoryError(
            f'"{shown}" is not understood; write "[4s]" or "[4s seed=11]", or put a backslash before it '
            "to keep it as text."
        )
    seconds = _check_seconds(float(timing.group(1)), f'"{shown}" asks for')
    seed = None if timing.group(2) is None else _parse_seed(timing.group(2))
    if not prompt.strip():
        raise StoryError(f'"{shown}" has no prompt after it; write what happens in this segment.')
    return Segment(prompt, seconds, seed)


def _parse_seed(text: str) -> int:
    if _WHOLE_NUMBER.fullmatch(text) is None:
        raise StoryError(f'the seed "{_shorten(text)}" is not a whole number; give one from 0 to 2^63-1.')
    if len(text) > 100:  # int() refuses endless strings
        raise StoryError("the seed is out of range; give one from 0 to 2^63-1.")
    return _check_seed(int(text))


def _check_seed(seed: object) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise StoryError(f"the seed {_shown(seed)} is not a whole number; give one from 0 to 2^63-1.")
    if not 0 <= seed <= MAX_SEED:
        raise StoryError(f"the seed {_shown(seed)} is out of range; give one from 0 to 2^63-1.")
    return seed


def _check_seconds(seconds: object, asks: str = "the segment asks for") -> float:
    """``seconds`` as a float inside the limits. Raises StoryError, opening with ``asks``."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or math.isnan(seconds):
        raise StoryError(
            f"the seconds {_shown(seconds)} are not a number; give {MIN_SECONDS} to {MAX_SECONDS:g}."
        )
    if seconds < MIN_SECONDS:
        what = "zero seconds" if seconds == 0 else "a negative time" if seconds < 0 else "too short a time"
        raise StoryError(f"{asks} {what}; give at least {MIN_SECONDS}.")
    if seconds > MAX_SECONDS:
        raise StoryError(f"{asks} too long a time; give at most {MAX_SECONDS:.0f}.")
    return float(seconds)


def _check_size(segments: int, seconds: float) -> None:
    if segments > MAX_SEGMENTS:
        raise StoryError(f"the story has more than {MAX_SEGMENTS} segments; split it into several films.")
    if seconds > MAX_FILM_SECONDS:
        raise StoryError("the film is longer than two hours; shorten it or split it into several films.")


def _clean_text(text: object, what: str, limit: int) -> str:
    """``text`` on one line with white space collapsed. Raises StoryError naming ``what``."""
    if not isinstance(text, str):
        raise StoryError(f"{what} {_shown(text)} is not text; write it as a string.")
    text = " ".join(text.split())
    if len(text) > limit:
        raise StoryError(f"{what} has {len(text):,} characters; at most {limit:,} fit, so shorten it.")
    for character in text:
        # Control characters and lone surrogates: they cannot be shown, and the latter cannot be saved.
        if character < " " or "\x7f" <= character <= "\x9f" or "\ud800" <= character <= "\udfff":
            raise StoryError(f"{what} holds the unprintable character U+{ord(character):04X}; remove it.")
    return text


def _shown(value: object) -> str:
    if isinstance(value, int) and abs(value) >= 10**30:
        return "of more than 30 digits"
    return _shorten(repr(value))


def _shorten(text: str, limit: int = 40) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."
