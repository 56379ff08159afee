"""`export` as a stranger meets it: the length before and after, options before film.json, errors."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from arlon_core.cli import main
from arlon_core.media.clips import count_frames
from arlon_core.media.film_settings import FILE_NAME, FilmSettings, Join, Sound, write_film_settings
from tests.generation.rendered_project import story_of, write_rendered
from tests.media.sounds import tone, write_wav


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A rendered project of three segments of 24 frames, at 12 a second."""
    write_rendered(tmp_path / "p", story_of("A fox sits.", "It runs.", "Night falls."))
    return tmp_path / "p"


def export(*args: object) -> int:
    return main(["export", *map(str, args)])


def refusal(capsys: pytest.CaptureFixture[str], *args: object) -> str:
    """The one sentence that an export is refused with."""
    try:
        code: object = export(*args)
    except SystemExit as end:
        code = end.code
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    return err


def test_the_length_is_told_before_and_after(project: Path, tmp_path: Path, capsys):
    out = tmp_path / "film.webm"
    write_wav(tmp_path / "a.wav", tone(0.5))
    options = ["--join", "crossfade", "--join-seconds", 0.25, "--captions", "srt"]
    assert export(project, "-o", out, *options, "--sound", tmp_path / "a.wav", "--volume", 0.5) == 0
    said, err = capsys.readouterr()
    assert err == ""
    before, after = said.splitlines()
    assert before == "3 segments, 5.5 s, 66 frames: two crossfades of 0.25 s shorten it by 0.5 s"
    assert after == f"{out}: 5.5 s, 66 frames, captions in {tmp_path / 'film.srt'}"
    assert count_frames(out) == 66
    with av.open(str(out)) as container:
        assert len(container.streams.audio) == 1
    assert not (project / FILE_NAME).exists(), "options hold for this export only"


def test_options_go_before_film_json_and_what_is_not_given_comes_from_it(
    project: Path, tmp_path: Path, capsys
):
    settings = FilmSettings(Join("fade", 0.75), {"s3": Join("crossfade", 0.5)}, "burned")
    write_film_settings(project, settings)
    text = (project / FILE_NAME).read_text()
    lengths = []
    for options in ([], ["--join", "cut"], ["--join", "crossfade"], ["--join-seconds", 0.25]):
        assert export(project, "-o", tmp_path / "film.mp4", *options) == 0
        lengths.append(count_frames(tmp_path / "film.mp4"))
    assert lengths == [72 - 6, 72, 72 - 18, 72 - 3]
    assert (
        "one crossfade of 0.5 s shortens it by 0.5 s; one fade through black of 0.75 s"
        in capsys.readouterr().out
    )
    assert (project / FILE_NAME).read_text() == text


def test_a_gif_says_that_it_has_no_sound(project: Path, tmp_path: Path, capsys):
    sound = Sound(str(write_wav(tmp_path / "a.wav", tone(0.5))))
    write_film_settings(project, FilmSettings(sound=sound))
    assert export(project, "-o", tmp_path / "film.gif") == 0
    assert "note: a gif has no sound" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["-o", "film.avi"], "does not end in .mp4 or .webm or .gif"),
        (["-o", "none/film.mp4"], "its folder does not exist"),
        (["-o", "film.mp4", "--join", "wipe"], "invalid choice: 'wipe'"),
        (["-o", "film.mp4", "--join-seconds", "0"], "0 is not above 0"),
        (["-o", "film.mp4", "--join-seconds", "61"], '"seconds" is 61'),
        (["-o", "film.mp4", "--volume", "5"], "5 is not from 0 to 4"),
        (["-o", "film.mp4", "--volume", "1"], "give --sound as well"),
        (
            ["-o", "film.mp4", "--join", "crossfade", "--join-seconds", "1.5"],
            "give its joins at most 0.916 s",
        ),
        ([], "-o/--output"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    project: Path, tmp_path: Path, capsys, monkeypatch, options: list[str], says: str
):
    monkeypatch.chdir(tmp_path)
    assert says in refusal(capsys, "p", *options)
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_a_project_without_a_film_or_with_a_bad_film_json_is_refused(tmp_path: Path, project: Path, capsys):
    assert "is no project" in refusal(capsys, tmp_path / "none", "-o", tmp_path / "film.mp4")
    (project / FILE_NAME).write_text('{"captions": "loud"}')
    assert "film.json" in refusal(capsys, project, "-o", tmp_path / "film.mp4")


def test_a_sound_that_is_none_is_refused(project: Path, tmp_path: Path, capsys):
    (tmp_path / "a.mp3").write_text("no sound")
    assert export(project, "-o", tmp_path / "film.mp4", "--sound", tmp_path / "a.mp3") == 2
    assert "a.mp3 holds no sound" in capsys.readouterr().err
    assert not (tmp_path / "film.mp4").exists()


def test_a_stopped_export_says_so_and_leaves_the_old_film(project: Path, tmp_path: Path, capsys, monkeypatch):
    from arlon_core.cli import export as command

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "export_rendered", stopped)
    assert export(project, "-o", tmp_path / "film.mp4") == 1
    assert capsys.readouterr().err == "stopped; what was there before is untouched.\n"
