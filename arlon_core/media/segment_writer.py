"""Segment clips: fragmented MP4, H.264 yuv420p, written frame by frame with PyAV.

Such a file plays while it grows and can be appended to a MediaSource buffer: no B-frames (decode order is
display order), a key frame and a fragment every second, the moov box first.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np

from arlon_core.errors import OutputError
from arlon_core.media.frame_hash import FrameHash, check_frames
from arlon_core.media.frames import BT709, to_yuv420p
from arlon_core.store.atomic import os_reason, replacing

MOVFLAGS = "frag_keyframe+empty_moov+default_base_moof"


class SegmentWriter:
    """Writes one clip: ``write(frames)`` as they come, then ``close()``; the file appears whole at close.

    path: the .mp4 file; its folder must exist. fps: frames a second. crf: x264's quality, smaller is better;
    18 is near transparent, since the film is encoded once more from the segments (our choice).
    Used as a context manager it closes at the end, and discards when the block raises.
    Raises OutputError when the file cannot be written (unwritable path, full disk); what was there stays.
    """

    def __init__(self, path: str | Path, fps: int, crf: int = 18, preset: str = "veryfast") -> None:
        self.path = Path(path)
        self.frames = 0
        self._fps, self._options = fps, {"crf": str(crf), "preset": preset, "profile": "main", "bf": "0"}
        self._hash = FrameHash()
        self._stream: av.VideoStream | None = None
        self._stack = ExitStack()
        try:
            partial = self._stack.enter_context(replacing(self.path))
            # A Python file, not a path: its OSErrors say what is wrong with the disk.
            self._file = self._stack.enter_context(partial.open("wb"))
        except OSError as error:
            self.discard()
            raise self._failure(error) from None
        self._container = av.open(self._file, "w", format="mp4", options={"movflags": MOVFLAGS})
        self._stack.callback(self._container.close)

    @property
    def frame_hash(self) -> str:
        """Hash of all frames written so far, as media.frame_hash gives it for them together."""
        return self._hash.hexdigest()

    def write(self, frames: np.ndarray) -> None:
        """Append uint8 frames [T, H, W, 3], H and W even, else ValueError. Raises OutputError as above."""
        height, width = check_frames(frames)
        if height % 2 or width % 2:
            raise ValueError(f"Got frames of {height}x{width}; H.264 in yuv420p needs even sizes.")
        self._hash.update(frames)
        if self._stream is None:
            self._stream = self._add_stream(height, width)
        try:
            for picture in frames:
                frame = to_yuv420p(picture)
                frame.pts, frame.time_base = self.frames, Fraction(1, self._fps)
                self._container.mux(self._stream.encode(frame))
                self.frames += 1
        except OSError as error:
            self.discard()
            raise self._failure(error) from None

    def close(self) -> None:
        """Finish the file and put it in its place. Raises OutputError as above; ValueError without frames."""
        if self._stream is None:
            self.discard()
            raise ValueError("Got no frames; a clip has at least one.")
        try:
            self._container.mux(self._stream.encode(None))
            self._stack.close()
        except OSError as error:
            self.discard()
            raise self._failure(error) from None

    def discard(self) -> None:
        """Give up: nothing is left behind, what was at ``path`` stays."""
        with suppress(_DiscardedError, OSError):
            self._stack.__exit__(_DiscardedError, _DiscardedError(), None)

    def _add_stream(self, height: int, width: int) -> av.VideoStream:
        options = {**self._options, "g": str(self._fps)}
        stream = self._container.add_stream("libx264", rate=self._fps, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = Fraction(1, self._fps)
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = context.color_range = BT709
        return stream

    def _failure(self, error: OSError) -> OutputError:
        return OutputError(f"{self.path} cannot be written: {os_reason(error)}.")

    def __enter__(self) -> SegmentWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()


class _DiscardedError(Exception):
    """Tells the open file that it must not take its place."""
