"""Downloads: the file of now, under the story's name, and never two of them."""

from __future__ import annotations

import os
from pathlib import Path

from app.handlers.downloads import download_file


def test_a_download_is_the_file_itself_under_another_name(tmp_path: Path):
    film = tmp_path / "film.mp4"
    film.write_bytes(b"one")
    named = download_file(film, "the-fox.mp4")
    assert named.name == "the-fox.mp4"
    assert named.samefile(film), "no copy: films are large"
    assert download_file(film, "the-fox.mp4") == named


def test_a_film_written_again_or_renamed_takes_the_place_of_the_old_one(tmp_path: Path):
    film, animatic = tmp_path / "film.mp4", tmp_path / "animatic.mp4"
    film.write_bytes(b"one")
    animatic.write_bytes(b"small")
    small = download_file(animatic, "the-fox-animatic.mp4")
    download_file(film, "the-fox.mp4")
    (tmp_path / "new").write_bytes(b"two")
    os.replace(tmp_path / "new", film)
    assert download_file(film, "the-fox.mp4").read_bytes() == b"two"
    named = download_file(film, "the-owl.mp4")
    assert [each.name for each in named.parent.iterdir()] == ["the-owl.mp4"], "old films hold no disk space"
    assert small.read_bytes() == b"small"


def test_a_film_and_its_captions_lie_side_by_side(tmp_path: Path):
    for suffix in ("mp4", "srt"):
        (tmp_path / f"film.{suffix}").write_text(suffix)
    named = [download_file(tmp_path / f"film.{suffix}", f"the-fox.{suffix}") for suffix in ("mp4", "srt")]
    assert [path.read_text() for path in named] == ["mp4", "srt"]


def test_without_hard_links_the_file_is_given_as_it_is(tmp_path: Path, monkeypatch):
    film = tmp_path / "film.mp4"
    film.write_bytes(b"one")

    def refuse(*_: object) -> None:
        raise OSError("no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    assert download_file(film, "the-fox.mp4") == film
