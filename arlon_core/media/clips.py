"""Segment files as moviepy clips: opened when first needed, closed after the last frame, one frame in memory.

moviepy's own VideoFileClip keeps a decoder process for every file it was given; a film of 500 segments would
start 500 of them. It also rounds durations to hundredths of a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from moviepy import VideoClip

from arlon_core.errors import OutputError
from arlon_core.media.frames import to_rgb


class SegmentClip(VideoClip):
    """A clip of ``frames`` frames at ``fps``; frame n is shown from n/fps to (n+1)/fps.

    Reading in order decodes each frame once; going back decodes from the start again.
    Raises OutputError when the file is no video, here or at the frame where it is damaged.
    """

    def __init__(self, path: str | Path, fps: int) -> None:
        self.path = Path(path)
        self.frames, self.size = _inspect(self.path)
        self._reader: _Reader | None = None
        size = self.size
        super().__init__(duration=self.frames / fps)
        self.size, self.fps = size, fps
        self.frame_function = self._frame_at

    def _frame_at(self, seconds: float) -> np.ndarray:
        """The frame [H, W, 3] shown at ``seconds``."""
        index = min(max(int(seconds * self.fps + 1e-6), 0), self.frames - 1)
        if self._reader is None or index < self._reader.index:
            self.close()
            self._reader = _Reader(self.path)
        picture = self._reader.read(index)
        if index == self.frames - 1:
            self.close()
        return picture

    def close(self) -> None:
        """Close the file; a later frame opens it again."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None


class _Reader:
    """Frames of a file in order. index: of the frame read last, -1 before the first."""

    def __init__(self, path: Path) -> None:
        self.index = -1
        self._path = path
        self._container = av.open(str(path))
        self._frames: Iterator[av.VideoFrame] = self._container.decode(video=0)
        self._picture: np.ndarray | None = None

    def read(self, index: int) -> np.ndarray:
        try:
            while self.index < index:
                frame = next(self._frames)
                self.index += 1
                if self.index == index:
                    self._picture = to_rgb(frame)
        except (av.FFmpegError, StopIteration):
            raise OutputError(f"{self._path} ends before frame {index}; render this segment again.") from None
        assert self._picture is not None
        return self._picture

    def close(self) -> None:
        self._container.close()


def count_frames(path: str | Path) -> int:
    """How many video frames a file holds, without decoding them. Raises OutputError when it is no video."""
    return _inspect(Path(path))[0]


def _inspect(path: Path) -> tuple[int, tuple[int, int]]:
    """Frames, and (width, height)."""
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            frames = sum(1 for packet in container.demux(stream) if packet.size)
            size = (stream.codec_context.width, stream.codec_context.height)
    except (OSError, av.FFmpegError, IndexError):
        raise OutputError(f"{path} is no whole video file; render this segment again.") from None
    if not frames:
        raise OutputError(f"{path} holds no frames; render this segment again.")
    return frames, size
