"""film.json: lossless, written whole, and refused in one sentence that names file, key and mend."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arlon_core.errors import FilmError
from arlon_core.media.film_settings import (
    CAPTIONS,
    CUTS,
    FILE_NAME,
    JOINS,
    Edit,
    FilmSettings,
    Join,
    Sound,
    read_film_settings,
    settings_from_json,
    settings_to_json,
    write_film_settings,
)
from arlon_core.media.segment_ids import NamedSegment, carry_ids

SECONDS = st.floats(0.001, 60)
JOIN = st.builds(Join, st.sampled_from(JOINS), SECONDS)
IDS = st.integers(1, 10**9 - 1).map("s{}".format)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SOUND = st.builds(
    Sound,
    TEXT.filter(lambda text: text.strip() and "\0" not in text),
    st.floats(0, 4),
    st.floats(0, 600),
    st.floats(0, 600),
)
SETTINGS = st.builds(
    FilmSettings,
    JOIN,
    st.dictionaries(IDS, JOIN, max_size=4),
    st.sampled_from(CAPTIONS),
    st.none() | SOUND,
    st.lists(st.builds(NamedSegment, IDS, TEXT), max_size=4, unique_by=lambda each: each.id).map(tuple),
)


@pytest.mark.parametrize(
    ("edit", "plain"),
    [
        (CUTS, True),
        (Edit((Join("fade"), Join()), "srt"), True),  # no join leads into the first; captions lie beside
        (Edit((Join(), Join("fade"))), False),
        (Edit(captions="burned"), False),
        (Edit(sound=Sound("sea.ogg")), False),
    ],
)
def test_plain_is_what_the_clips_alone_show(edit: Edit, plain: bool):
    assert edit.plain is plain


@given(SETTINGS)
def test_settings_are_lossless_through_json_text(settings: FilmSettings):
    assert settings_from_json(json.loads(json.dumps(settings_to_json(settings)))) == settings


def test_settings_are_lossless_through_a_file_which_replaces_the_old_one(tmp_path: Path):
    project = tmp_path / "new" / "project"
    assert read_film_settings(project) is None
    for settings in (FilmSettings(), FilmSettings(Join("fade", 1.0), {"s2": Join()}, "vtt", Sound("é.ogg"))):
        write_film_settings(project, settings)
        assert read_film_settings(project) == settings
    assert [path.name for path in project.iterdir()] == [FILE_NAME], "nothing half-written stays"
    os.link(project / FILE_NAME, tmp_path / "before")
    write_film_settings(project, FilmSettings())
    assert '"vtt"' in (tmp_path / "before").read_text(), "another file took its place, whole"


def test_an_empty_object_joins_by_cuts():
    assert settings_from_json({}) == FilmSettings(Join("cut"), {}, "none", None, ())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", r"\[\] is no object"),
        ("{", "line 1: this is not JSON"),
        ('{"joints": {}}', '"joints" is not a known key; use default_join, joins'),
        ('{"captions": "none", "captions": "srt"}', '"captions" is given twice'),
        ('{"captions": "loud"}', '"captions" is "loud"; use none, burned, srt or vtt'),
        ('{"default_join": {"kind": "wipe"}}', 'default_join: "kind" is "wipe"; use cut, crossfade or fade'),
        ('{"default_join": "fade"}', 'default_join: "fade" is no object; write one with kind, seconds'),
        ('{"joins": []}', r"joins: \[\] is no object"),
        ('{"joins": {"s2": {"seconds": "long"}}}', 'joins, s2: "seconds" is "long", not a number'),
        ('{"joins": {"s2": {"seconds": NaN}}}', 'joins, s2: "seconds" is NaN, not a number'),
        ('{"joins": {"s2": {"seconds": true}}}', '"seconds" is true, not a number'),
        ('{"joins": {"s2": {"seconds": 0}}}', 'joins, s2: "seconds" is 0; give more than 0'),
        ('{"joins": {"s2": {"seconds": -1}}}', '"seconds" is -1; give 0 to 60'),
        ('{"joins": {"s2": {"length": 1}}}', 'joins, s2: "length" is not a known key'),
        ('{"joins": {"third": {}}}', '"third" is no name of a segment'),
        ('{"sound": {"volume": 1}}', 'sound: there is no "path"'),
        ('{"sound": {"path": ""}}', 'sound: "path" is ""'),
        ('{"sound": {"path": "a.mp3", "volume": 40}}', 'sound: "volume" is 40; give 0 to 4'),
        ('{"sound": {"path": "a.mp3", "fade_out": -1}}', 'sound: "fade_out" is -1'),
        ('{"segments": {}}', "segments: {} is no list"),
        ('{"segments": [{"id": "s1"}]}', 'segments: there is no "prompt"'),
        ('{"segments": [{"id": "s1", "prompt": 1}]}', 'segments: "prompt" is 1, not text'),
        ('{"segments": [{"id": "x", "prompt": ""}]}', '"x" is no name of a segment'),
        ('{"segments": [{"id": "s1", "prompt": ""}, {"id": "s1", "prompt": ""}]}', "one name twice"),
        ("[" * 100_000, "holds no film settings"),
    ],
)
def test_a_bad_file_is_refused_by_file_key_and_mend(tmp_path: Path, text: str, says: str):
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(FilmError, match=says) as caught:
        read_film_settings(tmp_path)
    assert str(caught.value).startswith(str(tmp_path / FILE_NAME))
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_file_that_cannot_be_read_or_written_says_why(tmp_path: Path):
    (tmp_path / FILE_NAME).write_bytes(b"\xff\xfe{")
    with pytest.raises(FilmError, match="not UTF-8"):
        read_film_settings(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(FilmError, match=r"file.film\.json cannot be written: "):
        write_film_settings(tmp_path / "file", FilmSettings())


def test_joins_follow_their_segments_through_an_edit(tmp_path: Path):
    fade, crossfade = Join("fade", 1.0), Join("crossfade", 0.5)
    settings = FilmSettings(crossfade, {"s3": fade}, segments=carry_ids((), ["a", "b", "c"]))
    assert settings.edit(["a", "b", "c"], tmp_path).joins == (crossfade, crossfade, fade)
    assert settings.edit(["a", "new", "b", "C!"], tmp_path).joins == (crossfade,) * 3 + (fade,)
    removed = settings.named(["a", "b"])
    assert removed.named(["a", "b", "other"]).edit(["a", "b", "other"], tmp_path).joins == (crossfade,) * 3


def test_a_file_written_by_hand_counts_the_segments(tmp_path: Path):
    settings = settings_from_json({"joins": {"s2": {"kind": "fade"}}})
    assert [join.kind for join in settings.edit(["a", "b", "c"], tmp_path).joins] == ["cut", "fade", "cut"]


def test_sounds_lie_beside_film_json_or_anywhere(tmp_path: Path):
    for path, found in (("sound/a.mp3", tmp_path / "sound/a.mp3"), ("/x/b.ogg", Path("/x/b.ogg"))):
        sound = FilmSettings(sound=Sound(path)).edit(["a"], tmp_path).sound
        assert sound is not None
        assert Path(sound.path) == found


@pytest.mark.parametrize(("seconds", "frames"), [(0.5, 6), (0.01, 1), (0.12, 1), (0.13, 2), (1.0, 12)])
def test_a_join_takes_whole_frames_and_at_least_one(seconds: float, frames: int):
    assert Join("fade", seconds).frames(12) == frames
    assert Join("cut", seconds).frames(12) == 0
