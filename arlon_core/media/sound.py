"""The sound under a film: any file with a sound in it, repeated or cut to the film's exact length.

moviepy's own AudioFileClip takes a file's length to hundredths of a second, so that a repeated sound has
gaps, and it garbles sounds shorter than its buffer; here the samples are counted. Memory is flat.
"""

from __future__ import annotations

import tempfile
import wave
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import av
import numpy as np
from moviepy import AudioClip, afx

from arlon_core.errors import FilmError
from arlon_core.media.film_settings import Sound

RATE = 48_000  # samples a second; Opus knows no higher
CHANNELS = 2
_AT_ONCE = RATE  # samples

Blocks = Generator[np.ndarray, None, None]  # samples [n, 2]


class SoundClip(AudioClip):
    """The sound of a file, over and over, for `samples` samples: stereo, 48 kHz. Read it in order.

    Raises FilmError when the file holds no sound, at the first sample read.
    """

    def __init__(self, path: str | Path, samples: int) -> None:
        super().__init__()
        self.path = Path(path)
        self.nchannels, self.fps = CHANNELS, RATE
        self.duration = self.end = samples / RATE
        self.frame_function = self._samples_at
        self._blocks: Blocks | None = None
        self._next, self._held = 0, np.zeros((0, CHANNELS), np.float32)

    def _samples_at(self, seconds: np.ndarray) -> np.ndarray:
        """Samples [n, 2], -1 to 1, at `seconds` [n], which are consecutive."""
        first, count = round(float(seconds[0]) * RATE), len(seconds)
        if self._blocks is None or first < self._next:
            self.close()
            self._blocks, self._next = _endless(self.path), 0
        self._take(first - self._next)
        return self._take(count)

    def _take(self, count: int) -> np.ndarray:
        assert self._blocks is not None
        parts = [self._held]
        while sum(map(len, parts)) < count:
            parts.append(next(self._blocks))
        samples = np.concatenate(parts)
        self._held = samples[count:]
        self._next += count
        return samples[:count]

    def close(self) -> None:
        """Close the file; a later sample opens it again."""
        if self._blocks is not None:
            self._blocks.close()
            self._blocks = None
        self._held = self._held[:0]


def check_sound(path: str | Path) -> None:
    """Raises FilmError when there is no sound in a file."""
    blocks = _endless(Path(path))
    next(blocks)
    blocks.close()


@contextmanager
def sound_track(
    sound: Sound, frames: int, fps: int, folder: Path, heard: Callable[[], None]
) -> Iterator[Path]:
    """A WAV file of exactly the length of a film, with volume and fades; it goes when the block ends.

    folder: where it may lie. heard: called after every second of it; it may raise to cancel.
    Raises FilmError when there is no sound in the file, OSError when the WAV file cannot be written.
    """
    samples = round(frames * RATE / fps)
    clip = SoundClip(sound.path, samples)
    effects = [afx.MultiplyVolume(sound.volume)]
    if sound.fade_in:
        effects.append(afx.AudioFadeIn(min(sound.fade_in, clip.duration)))
    if sound.fade_out:
        effects.append(afx.AudioFadeOut(min(sound.fade_out, clip.duration)))
    edited = clip.with_effects(effects)
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".arlon-", suffix=".wav") as file:
            with wave.open(file, "wb") as track:
                track.setparams((CHANNELS, 2, RATE, samples, "NONE", ""))
                for start in range(0, samples, _AT_ONCE):
                    seconds = np.arange(start, min(start + _AT_ONCE, samples)) / RATE
                    track.writeframes(edited.to_soundarray(seconds, quantize=True, nbytes=2).tobytes())
                    heard()
            file.flush()
            yield Path(file.name)
    finally:
        clip.close()


def _endless(path: Path) -> Blocks:
    """Blocks of samples [n, 2] of a sound, from its beginning again after its end. Raises FilmError."""
    while True:
        some = False
        for block in _decoded(path):
            some = True
            yield block
        if not some:
            raise _no_sound(path)


def _decoded(path: Path) -> Blocks:
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise _no_sound(path)
            stream = container.streams.audio[0]
            # One channel is put on both sides below: ffmpeg would do so at 0.7 of its volume.
            layout = "mono" if stream.codec_context.channels == 1 else "stereo"
            resampler = av.AudioResampler(format="flt", layout=layout, rate=RATE)
            for packet in container.demux(stream):
                with suppress(av.InvalidDataError):  # a damaged packet is left out, as players do
                    for frame in packet.decode():
                        yield from _blocks(resampler, frame)
            yield from _blocks(resampler, None)
    except FileNotFoundError:
        raise FilmError(f"the sound {path} does not exist; give the path of a sound file.") from None
    except PermissionError:
        raise FilmError(f"the sound {path} cannot be read; check its permissions.") from None
    except (OSError, av.FFmpegError, ValueError):
        raise _no_sound(path) from None


def _blocks(resampler: av.AudioResampler, frame: av.AudioFrame | None) -> Blocks:
    for each in resampler.resample(frame):
        if each.samples:
            channels = each.layout.nb_channels
            yield np.broadcast_to(each.to_ndarray().reshape(-1, channels), (each.samples, CHANNELS))


def _no_sound(path: Path) -> FilmError:
    return FilmError(f"{path} holds no sound; give an mp3, wav, ogg, m4a or another sound file.")
