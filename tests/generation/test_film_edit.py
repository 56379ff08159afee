"""film.json and renders: it shapes the film alone, and what it cannot shape is told beforehand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from arlon_core.errors import FilmError
from arlon_core.generation.events import Event, FilmReady, SegmentReady, StepDone, WarningRaised
from arlon_core.generation.render import render
from arlon_core.media.clips import count_frames
from arlon_core.media.film_settings import (
    FILE_NAME,
    FilmSettings,
    Join,
    Sound,
    read_film_settings,
    write_film_settings,
)
from arlon_core.story import Segment, Story
from tests.media.sounds import tone, write_wav

STORY = Story((Segment("A red balloon rises.", 1.0), Segment("Then night falls. 雪", 1.0)), seed=5)


def film(pipe, project: Path) -> Iterator[Event]:
    return render(pipe, STORY, project, with_animatic=False)


def test_film_json_shapes_the_film_and_no_key_or_frame_depends_on_it(tiny_pipeline, tmp_path: Path):
    plain = list(film(tiny_pipeline, tmp_path / "plain"))
    project = tmp_path / "edited"
    write_wav(tmp_path / "a.wav", tone(0.3))
    sound = Sound(str(tmp_path / "a.wav"))
    write_film_settings(project, FilmSettings(Join("crossfade", 0.25), captions="burned", sound=sound))
    edited = list(film(tiny_pipeline, project))
    clips = [[each for each in events if isinstance(each, SegmentReady)] for events in (plain, edited)]
    assert [each.path.name for each in clips[0]] == [each.path.name for each in clips[1]], "the same keys"
    assert [each.frame_hash for each in clips[0]] == [each.frame_hash for each in clips[1]]
    ends = [events[-1] for events in (plain, edited)]
    assert all(isinstance(end, FilmReady) for end in ends)
    assert [count_frames(end.path) for end in ends] == [24, 21] == [end.report["frames"] for end in ends]
    assert ends[1].report["seconds_of_video"] == 21 / 12
    assert [end.report["edited"] for end in ends] == [False, True]
    with av.open(str(project / "film.mp4")) as container:
        assert len(container.streams.audio) == 1
    (note,) = [each for each in edited if isinstance(each, WarningRaised) and each.segment is None]
    assert "雪" in note.message

    write_film_settings(project, FilmSettings(Join("fade", 0.5), captions="srt"))
    again = list(film(tiny_pipeline, project))
    assert not [each for each in again if isinstance(each, StepDone)], "nothing is rendered again"
    assert not again[-1].report["cache_misses"]
    assert again[-1].report["frames"] == count_frames(project / "film.mp4") == 24
    assert again[-1].subtitles == project / "film.srt"
    assert (project / "film.srt").exists()
    assert [end.subtitles for end in ends] == [None, None], "none are asked for"


def test_settings_are_read_at_the_end_and_remember_the_segments(tiny_pipeline, tmp_path: Path):
    for event in film(tiny_pipeline, tmp_path):
        if isinstance(event, StepDone):
            (tmp_path / FILE_NAME).write_text(json.dumps({"joins": {"s2": {"kind": "crossfade"}}}))
    assert count_frames(tmp_path / "film.mp4") == 24 - 6
    settings = read_film_settings(tmp_path)
    assert settings is not None
    assert [(each.id, each.prompt) for each in settings.segments] == [
        ("s1", STORY.segments[0].prompt),
        ("s2", STORY.segments[1].prompt),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"default_join": {"kind": "wipe"}}', "use cut, crossfade or fade"),
        ('{"default_join": {"kind": "crossfade", "seconds": 5}}', r"at most 0\.833 s"),
        ('{"sound": {"path": "gone.mp3"}}', r"gone\.mp3 does not exist"),
    ],
)
def test_what_could_not_be_made_is_told_before_the_work_begins(tiny_pipeline, tmp_path: Path, text, says):
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(FilmError, match=says):
        film(tiny_pipeline, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
