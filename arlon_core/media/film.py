"""The film: segments joined by moviepy into one file that plays everywhere, memory flat at any length."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from moviepy import VideoClip
from moviepy.video.io.ffmpeg_writer import FFMPEG_VideoWriter

from arlon_core.errors import OutputError
from arlon_core.media.captions import as_pixels, undrawable, with_captions
from arlon_core.media.clips import SegmentClip, count_frames
from arlon_core.media.edit_plan import EditPlan, plan_edit
from arlon_core.media.editing import EditedFilm
from arlon_core.media.film_settings import CUTS, Edit
from arlon_core.media.sound import sound_track
from arlon_core.media.subtitles import format_subtitles
from arlon_core.store.atomic import os_reason, replacing

MAX_COMMENT_BYTES = 100_000  # Linux takes 128 KiB in one argument of a command

# BT.709, converted to and tagged, as the segments are.
_COLOUR = ["-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,setparams=colorspace=bt709:"
           "color_primaries=bt709:color_trc=bt709:range=tv"]  # fmt: skip
_GIF = (
    "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1"  # a palette a frame: flat memory
)

NO_SOUND = "a gif has no sound; write the film as .mp4 or .webm to hear it."
UNDRAWN = (
    "the captions hold letters that the built-in font cannot draw ({letters}); "
    "write them as .srt or .vtt beside the film to read them."
)

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Format:
    """How films of one suffix are encoded. sound_codec: None where there is none."""

    codec: str
    options: tuple[str, ...]
    pixel_format: str | None
    sound_codec: str | None = None
    sound_options: tuple[str, ...] = ()


FORMATS = {
    ".mp4": Format(
        "libx264",
        (*_COLOUR, "-crf", "18", "-movflags", "+faststart"),
        "yuv420p",
        "aac",
        ("-b:a", "192k"),
    ),
    ".webm": Format(
        "libvpx-vp9",
        (*_COLOUR, "-crf", "28", "-b:v", "0", "-deadline", "realtime", "-cpu-used", "6", "-row-mt", "1"),
        "yuv420p",
        "libopus",
        ("-b:a", "128k"),
    ),
    ".gif": Format("gif", ("-filter_complex", _GIF, "-loop", "0"), None),
}


@dataclass(frozen=True)
class FilmInfo:
    """What was written.

    comment_kept: False when the comment was too long for the file and was left out. subtitles: the file of
    captions beside the film, if one was asked for. notes: what could not be done as asked, a sentence each.
    """

    path: Path
    frames: int
    fps: int
    comment_kept: bool
    subtitles: Path | None = None
    notes: tuple[str, ...] = ()

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
    edit: Edit = CUTS,
) -> FilmInfo:
    """Join segment clips into one film, by cuts or as `edit` says: exactly the frames of `plan_edit`.

    path: .mp4 (H.264, AAC), .webm (VP9, Opus) or .gif; written beside it and put in place when whole, and so
    is the file of captions, `path` with the suffix .srt or .vtt.
    title, comment (as JSON): kept in the file's metadata, not in a gif.
    progress: called with (frames written, frames in all) after every frame; it may raise to cancel.
    Raises OutputError when ``path`` cannot be written or a segment cannot be read, FilmError when the joins
    do not fit the segments or the sound is none; what was there stays.
    """
    if not segments:
        raise ValueError("Got no segments; a film has at least one.")
    path = Path(path)
    kind = _format_of(path)
    with ExitStack() as stack:
        clips = [SegmentClip(segment, fps) for segment in segments]
        for clip in clips:
            stack.callback(clip.close)
        sizes = {clip.size for clip in clips}
        if len(sizes) > 1:
            raise OutputError(f"the segments differ in size ({sorted(sizes)}); render the film again.")
        plan = plan_edit([clip.frames for clip in clips], edit.joins, fps)
        film: VideoClip = EditedFilm(clips, plan)
        notes = []
        if edit.captions == "burned":
            film = with_captions(film, plan, edit.texts)
            if letters := undrawable(edit.texts):
                notes.append(UNDRAWN.format(letters=letters[:12]))
        if edit.sound is not None and kind.sound_codec is None:
            notes.append(NO_SOUND)
        with _writing(path):
            sound = stack.enter_context(_sound(edit, plan, path, progress)) if kind.sound_codec else None
            subtitles = stack.enter_context(_subtitles(edit, plan, path))
            info = encode_film(film, plan.frames, path, fps, title, comment, progress, sound)
    return replace(info, subtitles=subtitles, notes=tuple(notes))


def encode_film(
    film: VideoClip,
    frames: int,
    path: str | Path,
    fps: int,
    title: str = "",
    comment: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    sound: Path | None = None,
) -> FilmInfo:
    """Encode the first ``frames`` frames of any moviepy clip; arguments and errors as in write_film.

    sound: a sound file as long as these frames, for a format that has sound.
    """
    path = Path(path)
    kind = _format_of(path)
    metadata, comment_kept = _metadata(title, comment)
    options = [*kind.options, *metadata, *(kind.sound_options if sound else ())]
    with _writing(path), replacing(path) as partial:
        writer = _open_writer(partial, film.size, fps, kind, options, sound)
        _encode(film, frames, fps, writer, progress)
        if kind.codec != "gif" and count_frames(partial) != frames:
            raise OutputError(f"{path} was not written whole; check the disk and try again.")
    return FilmInfo(path, frames, fps, comment_kept)


def _format_of(path: Path) -> Format:
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise OutputError(f"{path} has no known film suffix; name it .mp4, .webm or .gif.")
    return kind


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn a failing disk inside the block into an OutputError about `path`."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {os_reason(error)}.") from None


@contextmanager
def _sound(edit: Edit, plan: EditPlan, path: Path, progress: Progress | None) -> Iterator[Path | None]:
    """The sound of the whole film as a file beside it, which goes when the block ends."""
    if edit.sound is None:
        yield None
        return

    def heard() -> None:
        if progress is not None:
            progress(0, plan.frames)

    with sound_track(edit.sound, plan.frames, plan.fps, path.parent, heard) as track:
        yield track


@contextmanager
def _subtitles(edit: Edit, plan: EditPlan, path: Path) -> Iterator[Path | None]:
    """The file of captions, put in place when the block, which writes the film, ends well."""
    if edit.captions not in ("srt", "vtt"):
        yield None
        return
    beside = path.with_suffix(f".{edit.captions}")
    with replacing(beside) as partial:
        partial.write_text(format_subtitles(edit.captions, plan, edit.texts), encoding="utf-8")
        yield beside


def _open_writer(
    path: Path, size: Sequence[int], fps: int, kind: Format, options: Sequence[str], sound: Path | None
) -> FFMPEG_VideoWriter:
    """moviepy's writer, which runs ffmpeg. Raises OutputError when there is none to run."""
    pixels = ["-pix_fmt", kind.pixel_format] if kind.pixel_format is not None else []
    try:
        return FFMPEG_VideoWriter(
            str(path),
            size,
            fps,
            codec=kind.codec,
            preset="veryfast",
            audiofile=None if sound is None else str(sound),
            audio_codec=kind.sound_codec,
            ffmpeg_params=[*options, *pixels],
        )
    except (FileNotFoundError, PermissionError):
        raise OutputError("ffmpeg cannot be started; install the package imageio-ffmpeg again.") from None


def _encode(
    film: VideoClip, frames: int, fps: int, writer: FFMPEG_VideoWriter, progress: Progress | None
) -> None:
    """Run the writer over the frames. Raises OSError when the encoder stops before its end."""
    process, writer.proc = writer.proc, None  # ours: moviepy's close() does not look at how the encoder ended
    try:
        for index in range(frames):
            # The middle of each frame's time, so that no rounding of seconds can miss a frame or a border.
            picture = as_pixels(film.get_frame((index + 0.5) / fps))
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
