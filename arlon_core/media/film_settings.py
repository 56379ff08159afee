"""film.json: how the segments of a project become a film. No torch, no moviepy.

Joins, captions and sound belong to the film and not to the story: nothing that is rendered depends on them.
The file, all keys optional::

    {"default_join": {"kind": "crossfade", "seconds": 0.5},
     "joins": {"s3": {"kind": "fade", "seconds": 1.0}},
     "captions": "burned",
     "sound": {"path": "sound/sea.mp3", "volume": 0.8, "fade_in": 0.0, "fade_out": 1.0},
     "segments": [{"id": "s1", "prompt": "A fox sits."}]}

A join stands under the name of the segment that it leads into; `segments` remembers which prompt had which
name (media.segment_ids). Relative sound paths start at the file's folder.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from arlon_core.errors import FilmError
from arlon_core.media.segment_ids import SEGMENT_ID, NamedSegment, carry_ids
from arlon_core.store.atomic import os_reason, replacing

FILE_NAME = "film.json"
JOINS = ("cut", "crossfade", "fade")
CAPTIONS = ("none", "burned", "srt", "vtt")
# Limits and defaults. All of them are our choice.
MAX_JOIN_SECONDS = 60.0
MAX_FADE_SECONDS = 600.0
MAX_VOLUME = 4.0


@dataclass(frozen=True)
class Join:
    """How a segment follows the one before it.

    kind: "cut"; "crossfade", where the two overlap for `seconds`; "fade", out to black and in again, which
    takes `seconds` in all, half from each of the two. seconds: above 0, up to 60; a cut has no use for them.
    Raises FilmError for anything else.
    """

    kind: str = "cut"
    seconds: float = 0.5

    def __post_init__(self) -> None:
        _check_choice(self.kind, JOINS, "kind")
        seconds = _check_number(self.seconds, "seconds", 0.0, MAX_JOIN_SECONDS)
        if seconds == 0:
            raise FilmError(
                f'"seconds" is 0; give more than 0, up to {MAX_JOIN_SECONDS:g}, or make it a cut.'
            )
        object.__setattr__(self, "seconds", seconds)

    def frames(self, fps: int) -> int:
        """How many frames it takes: none for a cut, else at least one."""
        return 0 if self.kind == "cut" else max(1, math.floor(self.seconds * fps + 0.5))


@dataclass(frozen=True)
class Sound:
    """A sound under the whole film: repeated when it is shorter, cut when it is longer.

    path: any file with a sound in it. volume: 0 to 4, 1 leaves it as it is. fade_in, fade_out: seconds.
    Raises FilmError for anything else.
    """

    path: str
    volume: float = 1.0
    fade_in: float = 0.0
    fade_out: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.path, str) or not self.path.strip() or "\0" in self.path:
            raise FilmError(f'"path" is {_shown(self.path)}; give the path of a sound file.')
        for name, most in (
            ("volume", MAX_VOLUME),
            ("fade_in", MAX_FADE_SECONDS),
            ("fade_out", MAX_FADE_SECONDS),
        ):
            object.__setattr__(self, name, _check_number(getattr(self, name), name, 0.0, most))


@dataclass(frozen=True)
class Edit:
    """The settings as they apply to the segments of one film, in order.

    joins: one into each segment, that of the first without effect; empty means cuts. texts: of the captions.
    sound: its path is absolute, or relative to the working folder.
    """

    joins: tuple[Join, ...] = ()
    captions: str = "none"
    texts: tuple[str, ...] = ()
    sound: Sound | None = None

    @property
    def plain(self) -> bool:
        """Whether there is no more to see and to hear than the clips, one after another."""
        cuts = all(join.kind == "cut" for join in self.joins[1:])
        return cuts and self.captions != "burned" and self.sound is None


CUTS = Edit()


@dataclass(frozen=True)
class FilmSettings:
    """What film.json holds; see the head of this file. Raises FilmError naming the key and the mend."""

    default_join: Join = field(default_factory=Join)
    joins: Mapping[str, Join] = field(default_factory=dict)
    captions: str = "none"
    sound: Sound | None = None
    segments: tuple[NamedSegment, ...] = ()

    def __post_init__(self) -> None:
        _check_choice(self.captions, CAPTIONS, "captions")
        names = [each.id for each in self.segments]
        for name in [*self.joins, *names]:
            if not isinstance(name, str) or SEGMENT_ID.fullmatch(name) is None:
                raise FilmError(f'{_shown(name)} is no name of a segment; use "s1", "s2" and so on.')
        if len(set(names)) < len(names):
            raise FilmError('"segments" gives one name twice; give each segment a name of its own.')

    def named(self, prompts: Sequence[str]) -> FilmSettings:
        """The same settings for a story with these prompts: its segments carry their names over.

        Where no segments are remembered, as in a file written by hand, they are s1, s2 and so on.
        """
        reserved = self.joins if self.segments else ()
        return replace(self, segments=carry_ids(self.segments, prompts, reserved))

    def edit(self, prompts: Sequence[str], folder: Path) -> Edit:
        """What they mean for a film of these prompts. folder: where relative sound paths start."""
        joins = tuple(self.joins.get(each.id, self.default_join) for each in self.named(prompts).segments)
        sound = self.sound and replace(self.sound, path=str(folder / self.sound.path))
        return Edit(joins, self.captions, tuple(prompts), sound)


def settings_to_json(settings: FilmSettings) -> dict[str, Any]:
    """Plain JSON values; `settings_from_json` is the inverse."""
    return {
        "default_join": asdict(settings.default_join),
        "joins": {name: asdict(join) for name, join in settings.joins.items()},
        "captions": settings.captions,
        "sound": None if settings.sound is None else asdict(settings.sound),
        "segments": [asdict(each) for each in settings.segments],
    }


def settings_from_json(value: Any, name: str = FILE_NAME) -> FilmSettings:
    """Settings from parsed JSON. Raises FilmError naming `name`, the key and the mend."""
    with _place(name):
        values = _check_object(value, ("default_join", "joins", "captions", "sound", "segments"))
    with _place(f"{name}, default_join"):
        default = _join(values.get("default_join", {}))
    with _place(f"{name}, joins"):
        joins = values.get("joins", {})
        if not isinstance(joins, dict):
            raise FilmError(f"{_shown(joins)} is no object; give a join for each name of a segment.")
    given = {}
    for key, join in joins.items():
        with _place(f"{name}, joins, {_shorten(key)}"):
            given[key] = _join(join)
    with _place(f"{name}, sound"):
        sound = values.get("sound")
        if sound is not None:
            sound = Sound(**_check_object(sound, ("path", "volume", "fade_in", "fade_out"), ("path",)))
    with _place(f"{name}, segments"):
        segments = tuple(_segment(row) for row in _check_list(values.get("segments", [])))
    with _place(name):
        return FilmSettings(default, given, values.get("captions", "none"), sound, segments)


def read_film_settings(project: Path) -> FilmSettings | None:
    """The settings of a project; None when it has no film.json. Raises FilmError naming file and key."""
    path = project / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError:
        raise FilmError(f"{path} is not UTF-8 text; save it as UTF-8.") from None
    except OSError as error:
        raise FilmError(f"{path} cannot be read ({error.strerror}); check its permissions.") from None
    return settings_from_json(_parse(text, str(path)), str(path))


def write_film_settings(project: Path, settings: FilmSettings) -> None:
    """Write film.json whole, in place of an older one; the folder is made when missing. Raises FilmError."""
    path = project / FILE_NAME
    try:
        project.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial:
            text = json.dumps(settings_to_json(settings), indent=2, ensure_ascii=False)
            partial.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise FilmError(f"{path} cannot be written: {os_reason(error)}.") from None


@contextmanager
def _place(place: str) -> Iterator[None]:
    """Put where it happened before the sentence of a FilmError."""
    try:
        yield
    except FilmError as error:
        raise FilmError(f"{place}: {error}") from None


def _parse(text: str, name: str) -> Any:
    """Parsed JSON; refuses repeated keys, of which json.loads would keep the last."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise FilmError(f'{name}: the key "{_shorten(twice)}" is given twice; keep one of them.')
        return values

    try:
        return json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise FilmError(f"{name}, line {error.lineno}: this is not JSON ({error.msg}); mend it.") from None
    except (ValueError, RecursionError):  # a number of thousands of digits, or endless nesting
        raise FilmError(f"{name} holds no film settings; see their form in the README.") from None


def _join(value: Any) -> Join:
    return Join(**_check_object(value, ("kind", "seconds")))


def _segment(value: Any) -> NamedSegment:
    values = _check_object(value, ("id", "prompt"), ("id", "prompt"))
    if not isinstance(values["prompt"], str):
        raise FilmError(f'"prompt" is {_shown(values["prompt"])}, not text; write it as a string.')
    return NamedSegment(**values)


def _check_object(value: Any, known: Sequence[str], required: Sequence[str] = ()) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FilmError(f"{_shown(value)} is no object; write one with {', '.join(known)}.")
    for key in value:
        if key not in known:
            raise FilmError(f'"{_shorten(key)}" is not a known key; use {", ".join(known)}.')
    for key in required:
        if key not in value:
            raise FilmError(f'there is no "{key}"; add it.')
    return value


def _check_list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise FilmError(f"{_shown(value)} is no list; give a list.")
    return value


def _check_choice(value: Any, choices: Sequence[str], key: str) -> None:
    if value not in choices:
        raise FilmError(f'"{key}" is {_shown(value)}; use {", ".join(choices[:-1])} or {choices[-1]}.')


def _check_number(value: Any, key: str, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
        raise FilmError(f'"{key}" is {_shown(value)}, not a number; give {least:g} to {most:g}.')
    if not least <= value <= most:
        raise FilmError(f'"{key}" is {_shown(value)}; give {least:g} to {most:g}.')
    return float(value)


def _shown(value: object) -> str:
    return _shorten(json.dumps(value, ensure_ascii=False, default=repr))


def _shorten(text: str, limit: int = 40) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."
