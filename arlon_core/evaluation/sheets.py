"""Contact sheets small enough to keep in a repository: WebP, numbered, a few stories on each."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from arlon_core.media.contact_sheet import save_picture

MAX_BYTES = 4_000_000
MAX_SIDE = 16_383  # pixels, of any WebP
_SMALLER = 0.85  # of the sides, as often as it takes


def save_sheets(sheets: Iterable[Image.Image], folder: Path, name: str) -> list[Path]:
    """Write `name-1.webp`, `name-2.webp` and so on into `folder`, and give the paths. Raises OutputError."""
    paths = []
    for number, sheet in enumerate(sheets, start=1):
        paths.append(folder / f"{name}-{number}.webp")
        save_sheet(sheet, paths[-1])
    return paths


def save_sheet(sheet: Image.Image, path: Path, max_bytes: int = MAX_BYTES) -> None:
    """Write a WebP of at most `max_bytes` and MAX_SIDE: as large as the sheet, or smaller where it must be.

    Raises OutputError when it cannot be written.
    """
    scale = min(1.0, MAX_SIDE / max(sheet.size))
    while True:
        size = (max(1, round(sheet.width * scale)), max(1, round(sheet.height * scale)))
        save_picture(sheet if scale == 1 else sheet.resize(size, Image.Resampling.LANCZOS), path)
        if path.stat().st_size <= max_bytes or max(size) == 1:
            return
        scale *= _SMALLER
