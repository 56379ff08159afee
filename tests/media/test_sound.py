"""Sounds: counted to the sample, repeated without a gap, of any format, refused in one sentence."""

from __future__ import annotations

import wave
from pathlib import Path

import av
import numpy as np
import pytest

from arlon_core.errors import FilmError
from arlon_core.media.film_settings import Sound
from arlon_core.media.sound import RATE, SoundClip, check_sound, sound_track
from tests.media.sounds import CODECS, tone, write_sound, write_wav


def track(sound: Sound, frames: int, fps: int, folder: Path) -> np.ndarray:
    """The samples [n, 2] under a film, -1 to 1."""
    with sound_track(sound, frames, fps, folder, lambda: None) as path, wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (
            2,
            RATE,
            round(frames * RATE / fps),
        )
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2) / 32768


@pytest.mark.parametrize("length", [70, 1000, 48_000, 100_001])
def test_a_sound_is_repeated_without_a_gap(tmp_path: Path, length: int):
    pattern = np.random.default_rng(0).uniform(-0.9, 0.9, length)
    heard = track(Sound(str(write_wav(tmp_path / "a.wav", pattern)), fade_out=0), 31, 12, tmp_path)
    expected = np.resize(pattern, len(heard))
    assert np.abs(heard[:, 0] - expected).max() < 1e-3
    assert np.array_equal(heard[:, 0], heard[:, 1])
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"], "the track goes when it was used"


def test_volume_and_fades_shape_the_sound(tmp_path: Path):
    path = str(write_wav(tmp_path / "a.wav", np.full(48_000, 0.5)))
    heard = track(Sound(path, volume=0.5, fade_in=1.0, fade_out=2.0), 60, 12, tmp_path)[:, 0]
    assert heard[RATE // 2] == pytest.approx(0.125, abs=1e-3)
    assert np.abs(heard[RATE : 3 * RATE] - 0.25).max() < 1e-3
    assert heard[4 * RATE] == pytest.approx(0.125, abs=1e-3)
    assert abs(heard[-1]) < 1e-3
    loud = track(Sound(path, volume=4.0, fade_out=0), 12, 12, tmp_path)
    assert loud.max() == pytest.approx(0.99, abs=1e-3), "too loud is cut off, not wrapped round"
    short = track(Sound(path, fade_out=600.0), 12, 12, tmp_path)[:, 0]
    assert short[0] == pytest.approx(0.5, abs=1e-3)
    assert short[RATE // 2] == pytest.approx(0.25, abs=1e-3)


def test_going_back_reads_from_the_beginning_again(tmp_path: Path):
    pattern = np.linspace(-0.9, 0.9, 5000)
    clip = SoundClip(write_wav(tmp_path / "a.wav", pattern), RATE)
    for start in (0, 100, 50, 7000):
        heard = clip.get_frame(np.arange(start, start + 10) / RATE)[:, 0]
        assert np.abs(heard - pattern[np.arange(start, start + 10) % 5000]).max() < 1e-3
    clip.close()


@pytest.mark.parametrize("suffix", [".wav", *CODECS])
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_any_format_is_heard(tmp_path: Path, suffix: str, rate: int):
    if suffix == ".ogg" and rate != 48_000:
        pytest.skip("Opus knows no 44.1 kHz")
    path = write_sound(tmp_path / f"a{suffix}", tone(2.0, rate), rate)
    check_sound(path)
    heard = track(Sound(str(path), fade_out=0), 12, 12, tmp_path)[:, 0]
    spectrum = np.abs(np.fft.rfft(heard))
    assert np.argmax(spectrum) == pytest.approx(440, abs=2), "one second: a bin is a hertz"
    assert np.abs(heard).max() == pytest.approx(0.5, abs=0.05)


def test_what_is_no_sound_is_refused_in_one_sentence(tmp_path: Path):
    (tmp_path / "text.mp3").write_text("not a sound " * 1000)
    (tmp_path / "empty.wav").touch()
    write_wav(tmp_path / "silent.wav", np.zeros(0))
    (tmp_path / "folder").mkdir()
    for name in ("text.mp3", "empty.wav", "silent.wav", "folder", "gone.mp3"):
        with pytest.raises(FilmError, match=name) as caught:
            check_sound(tmp_path / name)
        assert "\n" not in str(caught.value)
        assert str(caught.value).endswith(".")


def test_a_damaged_middle_is_passed_over(tmp_path: Path):
    path = write_sound(tmp_path / "a.mp3", tone(5.0))
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 1000] = bytes([255] * 1000)
    path.write_bytes(data)
    with av.open(str(path)) as container, pytest.raises(av.FFmpegError):
        list(container.decode(audio=0))
    assert np.abs(track(Sound(str(path), fade_out=0), 48, 12, tmp_path)[-48_000:]).max() > 0.4
