"""Contact sheets small enough to keep in a repository."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from arlon_core.media.contact_sheet import save_picture

MAX_BYTES = 4_000_000
_SMALLER = 0.85  # of the sides, where fewer colours are not enough


def save_sheet(sheet: Image.Image, path: Path, max_bytes: int = MAX_BYTES) -> None:
    """Write a PNG below `max_bytes`: as it is, else in 256 colours, else smaller and smaller.

    Raises OutputError when it cannot be written.
    """
    save_picture(sheet, path)
    scale = 1.0
    while path.stat().st_size > max_bytes and min(sheet.size) * scale > 1:
        size = (max(1, round(sheet.width * scale)), max(1, round(sheet.height * scale)))
        smaller = sheet if scale == 1 else sheet.resize(size, Image.Resampling.LANCZOS)
        save_picture(smaller.quantize(256), path)
        scale *= _SMALLER
