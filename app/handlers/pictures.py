"""Small pictures for the page, as data URIs: they travel with the update that shows them."""

from __future__ import annotations

import base64
from io import BytesIO
from itertools import islice
from pathlib import Path

import av
import numpy as np
from PIL import Image

from arlon_core.media.frames import to_rgb

_QUALITY = 80


def picture_uri(picture: np.ndarray) -> str:
    """A JPEG of one picture, uint8 [H, W, 3]."""
    file = BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def strip_uri(pictures: np.ndarray) -> str:
    """A JPEG of pictures [T, H, W, 3], side by side."""
    return picture_uri(np.concatenate(list(pictures), axis=1))


def middle_picture(path: Path, frames: int) -> np.ndarray | None:
    """The middle one of a video file's frames, uint8 [H, W, 3]; None when it cannot be read.

    A segment's first frame still shows what was before.
    """
    try:
        with av.open(str(path)) as container:
            return to_rgb(next(islice(container.decode(video=0), frames // 2, None)))
    except (OSError, av.FFmpegError, StopIteration, IndexError):
        return None
