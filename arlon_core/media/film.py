"""The film: segments joined by moviepy into one file that plays everywhere, memory flat at any length."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moviepy import VideoClip, concatenate_videoclips
from moviepy.video.io.ffmpeg_writer import FFMPEG_VideoWriter

from arlon_core.errors import OutputError
from arlon_core.media.clips import SegmentClip, count_frames
from arlon_core.store.atomic import os_reason, replacing

MAX_COMMENT_BYTES = 100_000  # Linux takes 128 KiB in one argument of a command

# BT.709, converted to and tagged, as the segments are.
_COLOUR = ["-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,setparams=colorspace=bt709:"
           "color_primaries=bt709:color_trc=bt709:range=tv"]  # fmt: skip
_GIF = (
    "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1"  # a palette a frame: flat memory
)

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Format:
    """How films of one suffix are encoded."""

    codec: str
    options: tuple[str, ...]
    pixel_format: str | None


FORMATS = {
    ".mp4": Format("libx264", (*_COLOUR, "-crf", "18", "-movflags", "+faststart"), "yuv420p"),
    ".webm": Format(
        "libvpx-vp9",
        (*_COLOUR, "-crf", "28", "-b:v", "0", "-deadline", "realtime", "-cpu-used", "6", "-row-mt", "1"),
        "yuv420p",
    ),
    ".gif": Format("gif", ("-filter_complex", _GIF, "-loop", "0"), None),
}


@dataclass(frozen=True)
class FilmInfo:
    """What was written. comment_kept: False when the comment was too long for the file and was left out."""

    path: Path
    frames: int
    fps: int
    comment_kept: bool

    @property
    def seconds(self) -> float:
        return self.frames / self.fps


def write_film(
    segments: Sequence[str | Path],
    path: str | Path,
    fps: int,
    title: str = "",
    comment: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> FilmInfo:
    """Join segment clips by cuts into one film: exactly the frames of all of them, in order.

    path: .mp4 (H.264), .webm (VP9) or .gif; written beside it and put in place when whole.
    title, comment (as JSON): kept in the file's metadata, not in a gif.
    progress: called with (frames written, frames in all) after every frame; it may raise to cancel.
    Raises OutputError when ``path`` cannot be written or a segment cannot be read; what was there stays.
    """
    if not segments:
        raise ValueError("Got no segments; a film has at least one.")
    with ExitStack() as stack:
        clips = [SegmentClip(segment, fps) for segment in segments]
        for clip in clips:
            stack.callback(clip.close)
        sizes = {clip.size for clip in clips}
        if len(sizes) > 1:
            raise OutputError(f"the segments differ in size ({sorted(sizes)}); render the film again.")
        film = clips[0] if len(clips) == 1 else concatenate_videoclips(clips, method="chain")
        film.size = clips[0].size
        return encode_film(film, sum(clip.frames for clip in clips), path, fps, title, comment, progress)


def encode_film(
    film: VideoClip,
    frames: int,
    path: str | Path,
    fps: int,
    title: str = "",
    comment: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> FilmInfo:
    """Encode the first ``frames`` frames of any moviepy clip; arguments and errors as in write_film."""
    path = Path(path)
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise OutputError(f"{path} has no known film suffix; name it .mp4, .webm or .gif.")
    metadata, comment_kept = _metadata(title, comment)
    try:
        with replacing(path) as partial:
            _encode(film, frames, partial, fps, kind, metadata, progress)
            if kind.codec != "gif" and count_frames(partial) != frames:
                raise OutputError(f"{path} was not written whole; check the disk and try again.")
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {os_reason(error)}.") from None
    return FilmInfo(path, frames, fps, comment_kept)


def _encode(
    film: VideoClip,
    frames: int,
    path: Path,
    fps: int,
    kind: Format,
    metadata: Sequence[str],
    progress: Progress | None,
) -> None:
    """Run moviepy's writer over the frames. Raises OSError when the encoder stops before its end."""
    options = [*kind.options, *metadata]
    if kind.pixel_format is not None:
        options += ["-pix_fmt", kind.pixel_format]
    try:
        writer = FFMPEG_VideoWriter(
            str(path), film.size, fps, codec=kind.codec, preset="veryfast", ffmpeg_params=options
        )
    except (FileNotFoundError, PermissionError):
        raise OutputError("ffmpeg cannot be started; install the package imageio-ffmpeg again.") from None
    process, writer.proc = writer.proc, None  # ours: moviepy's close() does not look at how the encoder ended
    try:
        for index in range(frames):
            # The middle of each frame's time, so that no rounding of seconds can miss a frame or a border.
            picture = film.get_frame((index + 0.5) / fps)
            with suppress(BrokenPipeError):  # the encoder stopped; below we hear why
                process.stdin.write(picture.tobytes())
                if progress is not None:
                    progress(index + 1, frames)
                continue
            break
        _, said = process.communicate()
    except BaseException:
        process.kill()
        process.communicate()
        raise
    if process.returncode != 0:
        raise _encoder_error(process.returncode, said.decode("utf-8", "replace"))


def _encoder_error(code: int, said: str) -> OSError:
    """What ffmpeg said, as the error that the file system would have raised."""
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EROFS):
        if os.strerror(number) in said:
            return OSError(number, os.strerror(number))
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return OSError(f"the encoder stopped ({lines[-1] if lines else f'code {code}'})")


def _metadata(title: str, comment: Mapping[str, Any] | None) -> tuple[list[str], bool]:
    """ffmpeg's arguments, and whether the comment is among them."""
    options = ["-metadata", f"title={title}"] if title else []
    if comment is None:
        return options, True
    text = json.dumps(comment, ensure_ascii=False)
    if len(text.encode("utf-8")) > MAX_COMMENT_BYTES:
        return options, False
    return [*options, "-metadata", f"comment={text}"], True
