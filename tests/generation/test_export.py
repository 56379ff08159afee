"""Exports of what a project has rendered: found without a model, told beforehand, equal to the frame."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import av
import pytest

from arlon_core.errors import FilmError, OutputError, ProjectError
from arlon_core.generation.events import FilmReady, event_record
from arlon_core.generation.export import export_film
from arlon_core.generation.rendered import last_rendered
from arlon_core.media.clips import count_frames
from arlon_core.media.film_settings import FilmSettings, Join, write_film_settings
from arlon_core.store import Store
from arlon_core.story import format_story
from tests.generation.rendered_project import story_of, write_rendered

ROOT = Path(__file__).parents[2]
STORY = story_of("A fox sits.", "It runs.", "Night falls.")
CROSSFADES = FilmSettings(Join("crossfade", 0.5))


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif"])
def test_an_export_is_as_long_as_was_said_before(tmp_path: Path, suffix: str):
    write_rendered(tmp_path / "p", STORY)
    before = last_rendered(tmp_path / "p").plan(CROSSFADES)
    calls: list[tuple[int, int]] = []
    out = tmp_path / f"film{suffix}"
    info = export_film(tmp_path / "p", out, CROSSFADES, progress=lambda *call: calls.append(call))
    assert (info.frames, info.seconds) == (before.frames, before.seconds) == (60, 5.0)
    with av.open(str(out)) as container:
        assert sum(1 for _ in container.decode(video=0)) == before.frames
        if suffix != ".gif":
            metadata = {key.lower(): value for key, value in container.metadata.items()}
            assert metadata["title"] == "The fox"
            assert json.loads(metadata["comment"])["story"] == format_story(STORY)
    assert calls[-1] == (60, 60)


def test_film_json_is_the_default_and_given_settings_go_before_it(tmp_path: Path):
    write_rendered(tmp_path, STORY)
    assert export_film(tmp_path, tmp_path / "cuts.mp4").frames == 72
    write_film_settings(tmp_path, CROSSFADES)
    assert export_film(tmp_path, tmp_path / "film.mp4").frames == 60
    assert export_film(tmp_path, tmp_path / "cuts.mp4", FilmSettings()).frames == 72


def test_the_last_whole_render_counts(tmp_path: Path):
    first, second = (
        story_of("A fox sits.", "It runs."),
        story_of("An owl sits.", "It flies.", title="The owl"),
    )
    write_rendered(tmp_path, first)
    write_rendered(tmp_path, second, frames=30, salt="b")
    write_rendered(tmp_path, story_of("A whale.", "It dives."), until=1, salt="c")
    journal = tmp_path / "journal.jsonl"
    journal.write_text(
        journal.read_text() + '{"record": "plan"}\n{"record": "event", "event": 3}\n{"record": "sto\n'
    )
    film = last_rendered(tmp_path)
    assert film.story == second
    assert [clip.frames for clip in film.clips] == [30, 30]


def test_the_film_is_told_as_its_render_told_it_and_that_of_another_render_never(tmp_path: Path):
    captions = tmp_path / "film.srt"
    for name in ("film.mp4", "film.srt"):
        (tmp_path / name).write_text(name)
    write_rendered(tmp_path, STORY)
    film = last_rendered(tmp_path)
    assert (film.path, film.subtitles, film.report) == (None, None, {}), "a file there is another's"
    journal = Store(tmp_path).journal
    ready = event_record(
        FilmReady(Path("/moved/from/film.mp4"), {"frames": 72}, Path("/moved/from/film.srt"))
    )
    journal.append("event", event=ready)
    film = last_rendered(tmp_path)
    assert (film.path, film.subtitles, film.report) == (tmp_path / "film.mp4", captions, {"frames": 72})
    captions.unlink()
    assert (last_rendered(tmp_path).path, last_rendered(tmp_path).subtitles) == (tmp_path / "film.mp4", None)
    for broken in ({"path": 3}, {}):
        journal.append("event", event={"event": "FilmReady", **broken})
    assert last_rendered(tmp_path).path == tmp_path / "film.mp4", "what no render writes is passed over"
    write_rendered(tmp_path, STORY, salt="b")
    film = last_rendered(tmp_path)
    assert (film.path, film.subtitles, film.report) == (None, None, {}), "broken off before it was joined"


def test_an_animatic_after_a_render_changes_nothing(tmp_path: Path, tiny_pipeline):
    from arlon_core.generation.render import animatic, render

    story = replace(story_of("A red balloon rises.", "Then night falls."), seed=3)
    list(render(tiny_pipeline, story, tmp_path, with_animatic=False, steps=1))
    list(animatic(tiny_pipeline, replace(story, seed=4), tmp_path))
    film = last_rendered(tmp_path)
    assert (film.story, film.path) == (story, tmp_path / "film.mp4")
    assert film.report["frames"] == 48
    info = export_film(tmp_path, tmp_path / "film.webm", CROSSFADES)
    assert info.frames == film.plan(CROSSFADES).frames == count_frames(info.path) == 48 - 6


def test_a_project_can_be_moved(tmp_path: Path):
    write_rendered(tmp_path / "a", STORY)
    (tmp_path / "a").rename(tmp_path / "b")
    assert export_film(tmp_path / "b", tmp_path / "film.mp4").frames == 72


def test_what_is_not_rendered_is_told(tmp_path: Path):
    with pytest.raises(ProjectError, match="is no project"):
        export_film(tmp_path / "none", tmp_path / "film.mp4")
    assert not (tmp_path / "none").exists()
    (tmp_path / "empty").mkdir()
    with pytest.raises(ProjectError, match="holds no rendered segments; render the story first"):
        export_film(tmp_path / "empty", tmp_path / "film.mp4")
    write_rendered(tmp_path / "half", STORY, until=2)
    with pytest.raises(ProjectError, match="segment 3 of 3 is not rendered"):
        export_film(tmp_path / "half", tmp_path / "film.mp4")


def test_a_clip_that_is_not_whole_a_bad_place_and_a_bad_join_write_nothing(tmp_path: Path):
    clips = write_rendered(tmp_path / "p", STORY)
    with pytest.raises(FilmError, match=r"segment 2 .* too short"):
        export_film(tmp_path / "p", tmp_path / "film.mp4", FilmSettings(Join("crossfade", 1.5)))
    with pytest.raises(OutputError, match=r"name it \.mp4, \.webm or \.gif"):
        export_film(tmp_path / "p", tmp_path / "film.avi")
    clips[1].write_bytes(clips[0].read_bytes()[: len(clips[0].read_bytes()) // 3])
    with pytest.raises((ProjectError, OutputError), match="render"):
        export_film(tmp_path / "p", tmp_path / "film.mp4")
    clips[1].unlink()
    with pytest.raises(ProjectError, match="the clip of segment 2"):
        export_film(tmp_path / "p", tmp_path / "film.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_an_export_loads_no_model_library(tmp_path: Path):
    write_rendered(tmp_path / "p", STORY)
    code = (
        "import sys\n"
        "from arlon_core.generation.export import export_film\n"
        "assert not {'torch', 'moviepy', 'av'} & set(sys.modules)\n"
        "export_film(sys.argv[1], sys.argv[2])\n"
        "assert 'torch' not in sys.modules\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "p"), str(tmp_path / "film.mp4")]
    subprocess.run(command, cwd=ROOT, check=True)
