"""Sounds for tests, made on the spot."""

from __future__ import annotations

import wave
from pathlib import Path

import av
import numpy as np

CODECS = {".mp3": "libmp3lame", ".ogg": "libopus", ".m4a": "aac", ".flac": "flac"}


def tone(seconds: float, rate: int = 48_000, hertz: float = 440.0, loud: float = 0.5) -> np.ndarray:
    """Samples [n] of a sine, -1 to 1."""
    return loud * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def write_wav(path: Path, samples: np.ndarray, rate: int = 48_000) -> Path:
    """A WAV file of samples [n] (mono) or [n, 2], -1 to 1."""
    with wave.open(str(path), "wb") as file:
        file.setparams((samples.ndim, 2, rate, 0, "NONE", ""))
        file.writeframes(np.rint(samples * 32767).astype("<i2").tobytes())
    return path


def write_sound(path: Path, samples: np.ndarray, rate: int = 48_000) -> Path:
    """A mono sound file in the format of its suffix."""
    if path.suffix == ".wav":
        return write_wav(path, samples, rate)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(CODECS[path.suffix], rate=rate, layout="mono")
        pcm = np.rint(samples * 32767).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
        frame.sample_rate = rate
        frame.pts = 0
        resampler = av.AudioResampler(stream.format, "mono", rate, stream.codec_context.frame_size or None)
        for each in [*resampler.resample(frame), *resampler.resample(None), None]:
            container.mux(stream.encode(each))
    return path


def read_sound(path: Path) -> tuple[str, np.ndarray]:
    """The codec of a file's sound, and its samples [n, 2] at 48 kHz as a player hears them."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler(format="flt", layout="stereo", rate=48_000)
        heard = []
        for frame in container.decode(stream):
            begins = round(frame.pts * frame.time_base * 48_000)
            for each in resampler.resample(frame):
                heard.append(each.to_ndarray().reshape(-1, 2)[max(0, -begins) :])
                begins = 0
        return stream.codec_context.name, np.concatenate(heard)
