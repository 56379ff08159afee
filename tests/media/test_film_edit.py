"""Edited films, really exported: to the frame as planned, with the pictures and sounds asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from arlon_core.errors import FilmError, OutputError
from arlon_core.media import clips as clips_module
from arlon_core.media.clips import count_frames
from arlon_core.media.edit_plan import plan_edit
from arlon_core.media.film import NO_SOUND, write_film
from arlon_core.media.film_settings import Edit, Join, Sound
from arlon_core.media.frames import to_rgb
from arlon_core.media.segment_writer import SegmentWriter
from tests.media.sounds import read_sound, tone, write_wav

ROOT = Path(__file__).parents[2]
FPS = 12
LENGTHS = [13, 24, 9, 30]
SHADES = [60, 220, 100, 180]
CROSSFADE, FADE, CUT = Join("crossfade", 0.5), Join("fade", 0.6), Join()
JOINS = (CUT, CROSSFADE, Join("crossfade", 1 / FPS), FADE)
TEXTS = ("The first segment.", "The second & <i>its</i> caption.", "A third, short.", "The last of them.")


@pytest.fixture
def segments(tmp_path: Path) -> list[Path]:
    """Clips of one shade of grey each."""
    return write_segments(tmp_path, LENGTHS, SHADES)


def write_segments(folder: Path, lengths: list[int], shades: list[int], height: int = 64) -> list[Path]:
    paths = []
    for index, (frames, shade) in enumerate(zip(lengths, shades, strict=True)):
        paths.append(folder / f"segment{index}.mp4")
        with SegmentWriter(paths[-1], FPS) as writer:
            writer.write(np.full((frames, height, 2 * height, 3), shade, np.uint8))
    return paths


def decode(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def shades_of(path: Path) -> list[float]:
    return [float(to_rgb(frame)[:16].mean()) for frame in decode(path)]


def expected_shades() -> list[float]:
    """The brightness of each frame by the plan, without moviepy."""
    plan = plan_edit(LENGTHS, JOINS, FPS)
    film = np.zeros(plan.frames)
    for each, shade in zip(plan.segments, SHADES, strict=True):
        for index in range(each.frames):
            light, rest = shade, each.frames - 1 - index
            if index < each.fade_in:
                light = shade * (index + 0.5) / each.fade_in
            elif rest < each.fade_out:
                light = shade * (rest + 0.5) / each.fade_out
            place = each.start + index
            weight = (index + 0.5) / each.overlap_in if index < each.overlap_in else 1.0
            film[place] = (1 - weight) * film[place] + weight * light
    return list(film)


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif"])
def test_joins_are_exact_to_the_frame_and_look_as_asked(tmp_path: Path, segments: list[Path], suffix: str):
    out = tmp_path / f"film{suffix}"
    before = plan_edit(LENGTHS, JOINS, FPS)
    calls: list[tuple[int, int]] = []
    info = write_film(segments, out, FPS, progress=lambda *call: calls.append(call), edit=Edit(JOINS))
    assert before.frames == sum(LENGTHS) - 6 - 1
    shown = shades_of(out)
    assert (info.frames, info.seconds, len(shown)) == (before.frames, before.seconds, before.frames)
    assert calls == [(done, before.frames) for done in range(1, before.frames + 1)]
    assert np.abs(np.array(shown) - expected_shades()).max() < 8


def test_crossfades_of_all_segments_open_two_files_at_most(tmp_path: Path, monkeypatch):
    paths = write_segments(tmp_path, [6] * 30, [40 + 5 * index for index in range(30)], height=32)
    now_open, most = set(), 0

    class Counted(clips_module._Reader):
        def __init__(self, path: Path) -> None:
            nonlocal most
            super().__init__(path)
            now_open.add(self)
            most = max(most, len(now_open))

        def close(self) -> None:
            now_open.discard(self)
            super().close()

    monkeypatch.setattr(clips_module, "_Reader", Counted)
    info = write_film(paths, tmp_path / "film.mp4", FPS, edit=Edit((Join("crossfade", 0.2),) * 30))
    assert info.frames == 30 * 6 - 29 * 2 == count_frames(info.path)
    assert most == 2
    assert not now_open


def test_joins_that_do_not_fit_write_nothing(tmp_path: Path, segments: list[Path]):
    out = tmp_path / "film.mp4"
    out.write_bytes(b"old")
    with pytest.raises(FilmError, match=r"segment 3 \(0\.75 s\) is too short"):
        write_film(segments, out, FPS, edit=Edit((Join("crossfade", 0.5),) * 4))
    assert out.read_bytes() == b"old"


def test_burned_captions_change_in_the_middle_of_a_crossfade(tmp_path: Path):
    paths = write_segments(tmp_path, [24, 24], [120, 120], height=128)
    edit = Edit((CUT, CROSSFADE), "burned", ("Short.", "A caption that is much, much longer than the first."))
    info = write_film(paths, tmp_path / "film.mp4", FPS, edit=edit)
    pictures = [to_rgb(frame).astype(int) for frame in decode(info.path)]
    dark = [(np.abs(picture - 120) > 30).any(2) for picture in pictures]
    assert info.notes == ()
    assert not any(each[:64].any() for each in dark), "only at the bottom"
    wide = [int(each.any(0).sum()) for each in dark]
    change = plan_edit([24, 24], edit.joins, FPS).caption_frames()[1][0]
    assert change == 18 + 3
    assert max(wide[:change]) + 20 < min(wide[change:])
    foreign = write_film(paths, tmp_path / "film.mp4", FPS, edit=Edit(captions="burned", texts=("雪", "b")))
    assert "(雪)" in foreign.notes[0]


@pytest.mark.parametrize("form", ["srt", "vtt"])
def test_subtitles_lie_beside_the_film(tmp_path: Path, segments: list[Path], form: str):
    info = write_film(segments, tmp_path / "film.webm", FPS, edit=Edit(JOINS, form, TEXTS))
    assert info.subtitles == tmp_path / f"film.{form}"
    assert "The second &" in info.subtitles.read_text(encoding="utf-8")
    stop = f"00:00:0{info.seconds:.3f}".replace(".", "," if form == "srt" else ".")
    assert stop in info.subtitles.read_text(encoding="utf-8")
    left = {path.name for path in tmp_path.iterdir()} - {path.name for path in segments}
    assert left == {"film.webm", f"film.{form}"}


def test_a_film_that_fails_leaves_its_old_subtitles(tmp_path: Path, segments: list[Path]):
    (tmp_path / "film.srt").write_text("old")
    segments[2].write_bytes(segments[2].read_bytes()[:700])

    with pytest.raises(OutputError):
        write_film(segments, tmp_path / "film.mp4", FPS, edit=Edit(JOINS, "srt", TEXTS))
    assert (tmp_path / "film.srt").read_text() == "old"
    (tmp_path / "film.vtt").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        write_film(segments[:2], tmp_path / "film.mp4", FPS, edit=Edit(captions="vtt", texts=TEXTS[:2]))
    assert not (tmp_path / "film.mp4").exists()


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "aac"), (".webm", "opus")])
def test_a_sound_is_as_long_as_the_film_and_moves_no_frame(tmp_path: Path, segments, suffix: str, codec: str):
    path = write_wav(tmp_path / "a.wav", tone(0.7))
    edit = Edit(JOINS, sound=Sound(str(path), volume=0.8, fade_out=1.0))
    info = write_film(segments, tmp_path / f"film{suffix}", FPS, edit=edit)
    frames = decode(info.path)
    assert len(frames) == info.frames == plan_edit(LENGTHS, JOINS, FPS).frames
    starts = [float(frame.pts * frame.time_base) for frame in frames]
    assert starts == pytest.approx([index / FPS for index in range(info.frames)], abs=0.0011)
    if suffix == ".mp4":
        assert [frame.pts * frame.time_base for frame in frames] == [
            Fraction(i, FPS) for i in range(info.frames)
        ]
    name, heard = read_sound(info.path)
    assert name.startswith(codec) or name == f"lib{codec}"
    assert abs(len(heard) / 48_000 - info.seconds) < 0.05
    middle = heard[48_000 : 3 * 48_000, 0]
    assert np.argmax(np.abs(np.fft.rfft(middle))) / 2 == pytest.approx(440, abs=2)
    assert np.abs(middle).max() == pytest.approx(0.4, abs=0.06)
    assert np.abs(heard[round(48_000 * (info.seconds - 0.1)) :]).max() < 0.08, "it fades out"
    assert not list(tmp_path.glob(".*")), "the sound's own file is gone"


def test_a_gif_says_that_it_has_no_sound(tmp_path: Path, segments: list[Path]):
    sound = Sound(str(write_wav(tmp_path / "a.wav", tone(0.1))))
    info = write_film(segments[:1], tmp_path / "film.gif", FPS, edit=Edit(sound=sound))
    assert info.notes == (NO_SOUND,)
    assert len(decode(info.path)) == LENGTHS[0]


def test_a_sound_that_is_none_or_a_cancel_while_it_is_read_write_nothing(
    tmp_path: Path, segments: list[Path]
):
    (tmp_path / "a.mp3").write_text("text")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(FilmError, match=r"a\.mp3 holds no sound"):
        write_film(segments, tmp_path / "film.mp4", FPS, edit=Edit(sound=Sound(str(tmp_path / "a.mp3"))))
    assert sorted(tmp_path.iterdir()) == before

    def cancel(done: int, total: int) -> None:
        assert done == 0, "heard before the first frame"
        raise KeyboardInterrupt

    sound = Sound(str(write_wav(tmp_path / "b.wav", tone(0.1))))
    with pytest.raises(KeyboardInterrupt):
        write_film(segments, tmp_path / "film.mp4", FPS, edit=Edit(sound=sound), progress=cancel)
    assert sorted(tmp_path.iterdir()) == sorted([*before, tmp_path / "b.wav"])


SCRIPT = """
import resource, sys
from arlon_core.errors import OutputError
from arlon_core.media.film import write_film
from arlon_core.media.film_settings import Edit, Join, Sound
out, sound, limit, *segments = sys.argv[1:]
count = len(segments)
edit = Edit((Join("crossfade", 0.25),) * count, "burned", ("A caption.",) * count, Sound(sound))
if int(limit):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
try:
    write_film(segments, out, 12, edit=edit)
except OutputError as error:
    print(error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def run_script(out: Path, sound: Path, limit: int, segments: list[Path]) -> list[str]:
    command = [sys.executable, "-c", SCRIPT, str(out), str(sound), str(limit), *map(str, segments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stdout.splitlines()


@pytest.mark.skipif(os.name != "posix", reason="needs limits on file sizes")
def test_a_disk_that_is_full_of_sound_is_one_sentence(tmp_path: Path, segments: list[Path]):
    """A limit on file sizes stands for the full disk: the sound's own file does not fit."""
    sound = write_wav(tmp_path / "a.wav", tone(0.1))
    out = tmp_path / "film.mp4"
    out.write_bytes(b"old")
    before = sorted(tmp_path.iterdir())
    said, _ = run_script(out, sound, 100_000, segments)
    assert said.startswith(f"{out} cannot be written: ")
    assert sorted(tmp_path.iterdir()) == before
    assert out.read_bytes() == b"old"


@pytest.mark.slow
def test_memory_stays_flat_with_crossfades_captions_and_sound(tmp_path: Path):
    """Twenty times the segments, no more memory (kB; 20 MB of room for the allocator)."""
    sound = write_wav(tmp_path / "a.wav", tone(3.0))
    paths = write_segments(tmp_path, [48] * 20, [100] * 20, height=256)
    peaks = [int(run_script(tmp_path / "film.mp4", sound, 0, paths[:count])[-1]) for count in (1, 20)]
    assert peaks[1] < peaks[0] + 20_000
