"""Small pictures for the page, as data URIs: they travel with the update that shows them."""

from __future__ import annotations

import base64
from functools import lru_cache
from io import BytesIO
from itertools import islice
from pathlib import Path

import av
import numpy as np
from PIL import Image

from arlon_core.media.frames import to_rgb

_QUALITY = 80
_WIDTH = 112  # pixels of the timeline's pictures, at least


def picture_uri(picture: np.ndarray) -> str:
    """A JPEG of one picture, uint8 [H, W, 3]."""
    file = BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def strip_uri(pictures: np.ndarray) -> str:
    """A JPEG of pictures [T, H, W, 3], side by side."""
    return picture_uri(np.concatenate(list(pictures), axis=1))


def thumb_uri(picture: np.ndarray) -> str:
    """A JPEG of every n-th pixel of a picture [H, W, 3], so that it is small."""
    stride = max(1, picture.shape[1] // _WIDTH)
    return picture_uri(np.ascontiguousarray(picture[::stride, ::stride]))


def clip_thumb(path: Path, frames: int) -> str | None:
    """The timeline's picture of a clip of so many frames; None when it cannot be read."""
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        return None
    return _clip_thumb(path, frames, changed)


@lru_cache(maxsize=1024)
def _clip_thumb(path: Path, frames: int, changed: int) -> str | None:
    """Every page asks every second; a clip is read again only when it was written again."""
    picture = middle_picture(path, frames)
    return None if picture is None else thumb_uri(picture)


def middle_picture(path: Path, frames: int) -> np.ndarray | None:
    """The middle one of a video file's frames, uint8 [H, W, 3]; None when it cannot be read.

    A segment's first frame still shows what was before.
    """
    try:
        with av.open(str(path)) as container:
            return to_rgb(next(islice(container.decode(video=0), frames // 2, None)))
    except (OSError, av.FFmpegError, StopIteration, IndexError):
        return None
