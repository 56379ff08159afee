"""Small pictures for the page, as data URIs: they travel with the update that shows them."""

from __future__ import annotations

import base64
from io import BytesIO
from pathlib import Path

import av
import numpy as np
from PIL import Image

_QUALITY = 80


def picture_uri(picture: np.ndarray) -> str:
    """A JPEG of one picture, uint8 [H, W, 3]."""
    file = BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def strip_uri(pictures: np.ndarray) -> str:
    """A JPEG of pictures [T, H, W, 3], side by side."""
    return picture_uri(np.concatenate(list(pictures), axis=1))


def first_picture(path: Path) -> np.ndarray | None:
    """The first frame of a video file, uint8 [H, W, 3]; None when it cannot be read."""
    try:
        with av.open(str(path)) as container:
            return next(container.decode(video=0)).to_ndarray(format="rgb24")
    except (OSError, av.FFmpegError, StopIteration, IndexError):
        return None
