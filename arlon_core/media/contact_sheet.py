"""Contact sheets: rows of pictures with captions under them, for documents and evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from arlon_core.errors import OutputError
from arlon_core.store.atomic import os_reason, replacing

PAPER, INK, GREY = (250, 249, 246), (38, 38, 42), (105, 105, 112)
MARGIN, GAP, LINE = 20, 10, 1.35  # pixels, pixels, line height in font sizes
_QUALITY = 90  # of formats that lose something: small letters stay sharp


def contact_sheet(
    rows: Sequence[Sequence[np.ndarray]],
    captions: Sequence[Sequence[str]] | None = None,
    row_titles: Sequence[str] | None = None,
    width: int = 224,
    font_size: int = 13,
) -> Image.Image:
    """A sheet of pictures as a PIL image.

    rows: uint8 pictures [H, W, 3]; rows may differ in length, pictures in size.
    captions: under each picture, wrapped; one list a row, which may be shorter than the row.
    row_titles: above each row, wrapped over the sheet.
    width: of each picture on the sheet, in pixels; heights follow.
    Raises ValueError when there is no picture, or captions or titles do not fit the rows.
    """
    if not any(len(row) for row in rows):
        raise ValueError("Got no pictures; a sheet has at least one.")
    captions = captions if captions is not None else [[]] * len(rows)
    row_titles = row_titles if row_titles is not None else [""] * len(rows)
    if len(captions) != len(rows) or len(row_titles) != len(rows):
        raise ValueError(f"Got {len(rows)} rows, {len(captions)} captions, {len(row_titles)} titles.")
    columns = max(len(row) for row in rows)
    inner = columns * width + (columns - 1) * GAP
    font, bold = _font(font_size), _font(font_size + 2)
    strips = [
        strip
        for row, words, title in zip(rows, captions, row_titles, strict=True)
        for strip in (_title_strip(title, inner, bold), _picture_strip(row, words, inner, width, font))
        if strip is not None
    ]
    height = sum(strip.height for strip in strips) + 2 * MARGIN
    sheet = Image.new("RGB", (inner + 2 * MARGIN, height), PAPER)
    top = MARGIN
    for strip in strips:
        sheet.paste(strip, (MARGIN, top))
        top += strip.height
    return sheet


def save_picture(picture: Image.Image | np.ndarray, path: str | Path) -> None:
    """Write a picture (PIL, or uint8 [H, W, 3]) in the format of its suffix, whole or not at all.

    Raises OutputError when it cannot be written; what was there stays.
    """
    path = Path(path)
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    if path.suffix.lower() not in Image.registered_extensions():
        raise OutputError(f"{path} has no known picture suffix; name it .webp or .png.")
    try:
        with replacing(path) as partial:
            image.save(partial, optimize=True, quality=_QUALITY)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {os_reason(error)}.") from None


def wrap_text(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """``text`` in lines of at most ``width`` pixels; a longer word gets a line of its own."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}" if line else word
            if line and font.getlength(longer) > width:
                lines.append(line)
                line = word
            else:
                line = longer
        lines.append(line)
    return lines if text.strip() else []


def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow's wheels come with FreeType"
    return font


def _title_strip(title: str, inner: int, font: ImageFont.FreeTypeFont) -> Image.Image | None:
    lines = wrap_text(title, font, inner)
    if not lines:
        return None
    step = round(font.size * LINE)
    strip = Image.new("RGB", (inner, step * len(lines) + GAP), PAPER)
    _draw_lines(strip, lines, (0, 0), font, INK)
    return strip


def _picture_strip(
    row: Sequence[np.ndarray], captions: Sequence[str], inner: int, width: int, font: ImageFont.FreeTypeFont
) -> Image.Image | None:
    """Pictures side by side, captions below, and the space to the next row."""
    if len(captions) > len(row):
        raise ValueError(f"Got {len(captions)} captions for {len(row)} pictures.")
    if not len(row):
        return None
    pictures = [_scaled(picture, width) for picture in row]
    wrapped = [wrap_text(caption, font, width) for caption in captions]
    tallest = max(picture.height for picture in pictures)
    text_height = round(font.size * LINE) * max((len(lines) for lines in wrapped), default=0)
    strip = Image.new("RGB", (inner, tallest + text_height + (GAP // 2 if text_height else 0) + GAP), PAPER)
    for column, picture in enumerate(pictures):
        strip.paste(picture, (column * (width + GAP), 0))
    for column, lines in enumerate(wrapped):
        _draw_lines(strip, lines, (column * (width + GAP), tallest + GAP // 2), font, GREY)
    return strip


def _scaled(picture: np.ndarray, width: int) -> Image.Image:
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise ValueError(f"Got a {picture.dtype} picture of shape {picture.shape}; give uint8 [H, W, 3].")
    image = Image.fromarray(np.ascontiguousarray(picture))
    height = max(1, round(image.height * width / image.width))
    return image if image.size == (width, height) else image.resize((width, height), Image.Resampling.LANCZOS)


def _draw_lines(
    image: Image.Image,
    lines: Sequence[str],
    at: tuple[int, int],
    font: ImageFont.FreeTypeFont,
    colour: tuple[int, int, int],
) -> None:
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        draw.text((at[0], at[1] + number * round(font.size * LINE)), line, font=font, fill=colour)
