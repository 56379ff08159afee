"""The film panel's handlers: choices are kept, lengths told exactly, exports run behind the page."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from app import words
from app.handlers import desk as desks
from app.handlers import exporting
from app.handlers.editing import editor_value, settle
from app.handlers.filming import cancel_export, choose, choose_sound, export, film_controls
from app.handlers.page import FAST, SLOW, page_values
from arlon_core.errors import ArlonError, FilmError
from arlon_core.media.clips import count_frames
from arlon_core.media.film_settings import (
    FILE_NAME,
    FilmSettings,
    Join,
    read_film_settings,
    write_film_settings,
)
from tests.app.fake_engine import GRID, FakeEngine
from tests.app.studio_desk import Bench, open_bench
from tests.media.sounds import tone, write_wav

TEXT = "title: The fox\n\n[2s] A fox sits.\n[2.5s] It runs.\n[2s] Night falls.\n"
STORY = editor_value(TEXT, GRID)
FOX, OWL = "the-fox-0000000000000001", "the-owl-0000000000000002"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield stack.enter_context(open_bench(tmp_path, FakeEngine()))


def shown(bench: Bench, project: str = FOX, editor: object = STORY) -> dict:
    """The page's values, after a journey over the wire."""
    return json.loads(json.dumps(page_values(bench.desk, project, editor)))


def rendered(bench: Bench) -> Bench:
    desks.submit(bench.desk, "render", STORY, FOX)
    bench.until(lambda: all(job.settled for job in desks.project_jobs(bench.desk, FOX)), "the render ends")
    return bench


def folder(bench: Bench) -> Path:
    return bench.desk.projects.absolute() / FOX


def crossfade(bench: Bench, seconds: float = 0.5) -> None:
    choose(bench.desk, FOX, STORY, "crossfade", seconds, "none", 1.0)


def until_exported(bench: Bench) -> dict:
    bench.until(lambda: shown(bench)["exported"]["state"] in ("done", "bad"), "the export ends")
    return shown(bench)


def test_the_length_is_told_before_anything_is_rendered(bench: Bench):
    assert shown(bench)["length"]["line"] == words.length_to_be("6.5 s, 78 frames")
    crossfade(bench)
    said = "5.5 s, 66 frames: two crossfades of 0.5 s shorten it by 1 s"
    assert shown(bench)["length"] == {"state": "note", "line": words.length_to_be(said)}
    assert shown(bench, OWL)["length"]["line"] == words.length_to_be("6.5 s, 78 frames"), "others keep theirs"
    assert shown(bench, "../etc")["length"]["line"] == ""


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif"])
def test_an_export_has_the_frames_that_the_page_said(bench: Bench, suffix: str):
    rendered(bench)
    crossfade(bench)
    said = shown(bench)["length"]["line"]
    assert said == "5.5 s, 66 frames: two crossfades of 0.5 s shorten it by 1 s"
    assert export(bench.desk, FOX, suffix) == ""
    values = until_exported(bench)
    assert values["exported"] == {"state": "done", "line": words.exported("5.5 s, 66 frames")}
    (link,) = values["export_links"]
    assert link["name"] == f"the-fox{suffix}"
    path = folder(bench) / "exports" / link["name"]
    assert str(path) in link["url"]
    if suffix != ".gif":
        assert count_frames(path) == 66


def test_captions_beside_the_film_are_a_link_of_their_own(bench: Bench):
    rendered(bench)
    choose(bench.desk, FOX, STORY, "cut", None, "srt", 1.0)
    export(bench.desk, FOX, ".mp4")
    assert [link["name"] for link in until_exported(bench)["export_links"]] == ["the-fox.mp4", "the-fox.srt"]


def test_choices_are_kept_with_the_project_and_shown_again(bench: Bench, tmp_path: Path):
    assert film_controls(bench.desk, FOX)["join"] == "cut"
    choose(bench.desk, FOX, STORY, "fade", 1.5, "burned", 1.0)
    upload = write_wav(tmp_path / "sea.wav", tone(0.2))
    choose_sound(bench.desk, FOX, STORY, str(upload))
    choose(bench.desk, FOX, STORY, "fade", 1.5, "burned", 0.7)
    assert (folder(bench) / "sound" / "sea.wav").read_bytes() == upload.read_bytes()
    assert film_controls(bench.desk, FOX) == {
        "join": "fade",
        "join_seconds": 1.5,
        "captions": "burned",
        "sound": {"there": True, "label": words.sound("sea.wav"), "volume": 0.7},
    }
    settings = read_film_settings(folder(bench))
    assert settings is not None
    assert settings.sound is not None
    assert settings.sound.path == "sound/sea.wav", "a project can be moved"
    assert [each.prompt for each in settings.segments] == ["A fox sits.", "It runs.", "Night falls."]
    choose_sound(bench.desk, FOX, STORY, None)
    assert film_controls(bench.desk, FOX)["sound"]["label"] == words.ADD_SOUND
    assert film_controls(bench.desk, "../etc") == film_controls(bench.desk, OWL)


def test_joins_of_single_segments_stay(bench: Bench):
    write_film_settings(folder(bench), FilmSettings(joins={"s3": Join("fade", 1.0)}))
    crossfade(bench)
    assert "one crossfade of 0.5 s shortens it by 0.5 s; one fade" in shown(bench)["length"]["line"]


def test_bad_choices_are_refused_and_nothing_is_lost(bench: Bench, tmp_path: Path):
    crossfade(bench)
    before = (folder(bench) / FILE_NAME).read_text()
    for join, seconds in (("crossfade", None), ("crossfade", 0), ("fade", 99), ("wipe", 1), ("fade", "x")):
        with pytest.raises(FilmError, match=r"give|use"):
            choose(bench.desk, FOX, STORY, join, seconds, "none", 1.0)
    (tmp_path / "text.mp3").write_text("no sound")
    with pytest.raises(FilmError, match=r"^text\.mp3 holds no sound"):
        choose_sound(bench.desk, FOX, STORY, str(tmp_path / "text.mp3"))
    assert (folder(bench) / FILE_NAME).read_text() == before


def test_joins_that_do_not_fit_are_told_at_once_and_refused(bench: Bench):
    rendered(bench)
    crossfade(bench, 3)
    line = shown(bench)["length"]
    assert line["state"] == "bad"
    assert "is too short for its joins" in line["line"]
    with pytest.raises(FilmError, match="too short"):
        export(bench.desk, FOX, ".mp4")
    assert shown(bench)["exported"]["line"] == ""


def test_a_film_json_that_cannot_be_read_is_told_and_left(bench: Bench):
    crossfade(bench)
    (folder(bench) / FILE_NAME).write_text('{"captions": "loud"}')
    assert "film.json" in shown(bench)["length"]["line"]
    assert film_controls(bench.desk, FOX)["join"] == "cut"
    with pytest.raises(FilmError, match="loud"):
        crossfade(bench)
    assert (folder(bench) / FILE_NAME).read_text() == '{"captions": "loud"}'


def test_nothing_rendered_is_nothing_to_export(bench: Bench):
    with pytest.raises(ArlonError, match="render the story first"):
        export(bench.desk, FOX, ".mp4")
    rendered(bench)
    with pytest.raises(ArlonError, match="no format"):
        export(bench.desk, FOX, ".avi")


def test_an_edited_story_exports_what_is_rendered_and_says_so(bench: Bench):
    rendered(bench)
    edited = settle({**STORY, "from": "text", "text": TEXT.replace("sits", "hops")}, GRID)
    assert shown(bench, editor=edited)["length"]["line"] == words.length_of_before("6.5 s, 78 frames")
    half_typed = settle({**STORY, "from": "text", "text": "[4x"}, GRID)
    assert shown(bench, editor=half_typed)["length"]["line"] == "6.5 s, 78 frames"


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Holds exports after their first frame; call it to let them go on."""
    gate = threading.Event()
    whole = exporting.export_rendered

    def slow(film, path, settings, progress):
        def watched(done: int, total: int) -> None:
            progress(done, total)
            assert gate.wait(60)

        return whole(film, path, settings, watched)

    monkeypatch.setattr(exporting, "export_rendered", slow)
    yield gate.set
    gate.set()


def test_an_export_is_seen_while_it_runs_and_a_second_start_is_refused(bench: Bench, held):
    rendered(bench)
    assert shown(bench)["pace"] == SLOW
    export(bench.desk, FOX, ".mp4")
    bench.until(lambda: shown(bench)["exported"]["line"] == words.exporting(1, 78), "the first frame")
    values = shown(bench)
    assert (values["exported"]["state"], values["pace"], values["export_links"]) == ("running", FAST, [])
    assert export(bench.desk, FOX, ".mp4") == words.EXPORT_RUNS
    assert shown(bench)["exported"]["line"] == words.exporting(1, 78), "the first goes on"
    assert shown(bench, OWL)["exported"]["line"] == ""
    held()
    values = until_exported(bench)
    assert (values["exported"]["state"], values["pace"]) == ("done", SLOW)


def test_a_cancelled_export_leaves_the_one_before_and_can_be_started_again(bench: Bench, held):
    rendered(bench)
    path = folder(bench) / "exports" / "the-fox.mp4"
    path.parent.mkdir()
    path.write_bytes(b"the film before")
    assert cancel_export(bench.desk, FOX) == words.NO_EXPORT
    export(bench.desk, FOX, ".mp4")
    bench.until(lambda: shown(bench)["exported"]["line"] == words.exporting(1, 78), "the first frame")
    assert shown(bench)["cancel_export"]
    assert cancel_export(bench.desk, FOX) == ""
    values = shown(bench)
    assert values["exported"]["line"] == words.EXPORT_CANCELLED
    assert (values["cancel_export"], values["export_links"], values["pace"]) == (False, [], SLOW)
    assert export(bench.desk, FOX, ".gif") == "", "another one waits for its turn"
    held()
    bench.until(lambda: shown(bench)["exported"]["state"] == "done", "the other export ends")
    assert sorted(each.name for each in path.parent.iterdir()) == ["the-fox.gif", "the-fox.mp4"]
    assert path.read_bytes() == b"the film before"


def test_a_cancel_that_comes_too_late_does_not_hide_the_film(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    rendered(bench)
    whole = exporting.export_rendered

    def late(*arguments):
        info = whole(*arguments)
        assert cancel_export(bench.desk, FOX) == ""
        return info

    monkeypatch.setattr(exporting, "export_rendered", late)
    export(bench.desk, FOX, ".mp4")
    bench.until(lambda: shown(bench)["exported"]["state"] == "done", "the film is told")
    assert [link["name"] for link in shown(bench)["export_links"]] == ["the-fox.mp4"]


def test_an_export_cancelled_before_its_turn_writes_nothing(bench: Bench, held):
    rendered(bench)
    export(bench.desk, FOX, ".mp4")
    bench.until(lambda: shown(bench)["exported"]["line"] == words.exporting(1, 78), "the first frame")
    assert cancel_export(bench.desk, FOX) == ""
    assert export(bench.desk, FOX, ".gif") == ""
    assert cancel_export(bench.desk, FOX) == ""
    assert export(bench.desk, FOX, ".webm") == ""
    held()
    bench.until(lambda: shown(bench)["exported"]["state"] == "done", "the last export ends")
    assert [each.name for each in (folder(bench) / "exports").iterdir()] == ["the-fox.webm"]


def test_an_export_that_fails_says_why_and_can_be_started_again(bench: Bench):
    rendered(bench)
    clip = folder(bench) / "clip1.mp4"
    whole = clip.read_bytes()
    clip.unlink()
    export(bench.desk, FOX, ".mp4")
    values = until_exported(bench)
    assert values["exported"]["state"] == "bad"
    assert "segment 2" in values["exported"]["line"]
    clip.write_bytes(whole)
    assert export(bench.desk, FOX, ".mp4") == ""
    bench.until(lambda: shown(bench)["exported"]["state"] == "done", "the second export ends")
