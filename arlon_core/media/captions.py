"""Captions burned into the picture: white on a soft dark box, at the bottom, inside safe margins.

Drawn with the font that Pillow brings, so that they look the same on every machine. It has Latin letters
without accents: those with accents lose them, and of letters that stay undrawn `undrawable` tells.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from moviepy import VideoClip
from PIL import Image, ImageDraw, ImageFont

from arlon_core.media.edit_plan import EditPlan

# In parts of the picture's height or width (our choice; television keeps 5% clear at each side).
FONT, SMALLEST = 0.058, 0.034  # font size; long captions shrink down to the second
SIDE, BOTTOM = 0.06, 0.05  # margins outside of the box
TALLEST = 0.42  # a box at most; what does not fit then ends in an ellipsis
LINE = 1.28  # line height in font sizes
INK, EDGE, BOX = (255, 255, 255), (12, 14, 20), (12, 14, 20, 150)
_NOWHERE = "\uffff"  # a code point that no font has
_INSTEAD = str.maketrans(
    {"—": "-", "–": "-", "‐": "-", "−": "-", "×": "x", "ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE"}
    | {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i", "¿": "?", "¡": "!"}
)


@dataclass(frozen=True)
class Overlay:
    """A caption as it lies on the picture. colour: float [h, w, 3], times alpha; alpha: float [h, w, 1]."""

    top: int
    left: int
    colour: np.ndarray
    alpha: np.ndarray

    def put_on(self, picture: np.ndarray) -> np.ndarray:
        """The uint8 picture [H, W, 3] with the caption on it; the one given is left as it is."""
        picture = picture.copy()
        height, width = self.alpha.shape[:2]
        place = picture[self.top : self.top + height, self.left : self.left + width]
        place[:] = np.rint(place * (1 - self.alpha) + self.colour)
        return picture


def with_captions(film: VideoClip, plan: EditPlan, texts: Sequence[str]) -> VideoClip:
    """The film with a caption for each segment. One caption at a time is kept drawn."""
    width, height = film.size
    borders = np.array([start for start, _ in plan.caption_frames()])
    drawn = lru_cache(maxsize=1)(lambda index: draw_caption(texts[index], width, height))

    def picture(get_frame, seconds: float) -> np.ndarray:
        frame = int(seconds * plan.fps + 1e-6)
        overlay = drawn(int(np.searchsorted(borders, frame, side="right")) - 1)
        shown = as_pixels(get_frame(seconds))
        return shown if overlay is None else overlay.put_on(shown)

    return film.transform(picture)


def as_pixels(picture: np.ndarray) -> np.ndarray:
    """A picture as uint8; moviepy's fades give floats, 0 to 255."""
    return picture if picture.dtype == np.uint8 else np.rint(picture).astype(np.uint8)


def draw_caption(text: str, width: int, height: int) -> Overlay | None:
    """A caption for pictures of this size in pixels; None when there is nothing to show."""
    text = _plain(" ".join(text.split()))
    if not text:
        return None
    font, lines = _fitted(text, width, height)
    size = round(font.size)
    step, pad = round(size * LINE), max(2, round(size * 0.45))
    stroke = max(1, round(size / 14))
    wide = min(width, round(max(font.getlength(line) for line in lines)) + 2 * pad + 2 * stroke)
    tall = min(height, step * len(lines) + 2 * pad)
    image = Image.new("RGBA", (wide, tall), (*EDGE, 0))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, wide - 1, tall - 1), radius=pad, fill=BOX)
    for number, line in enumerate(lines):
        place = (wide / 2, pad + (number + 0.5) * step)
        draw.text(place, line, font=font, fill=INK, anchor="mm", stroke_width=stroke, stroke_fill=EDGE)
    pixels = np.asarray(image, np.float32)
    alpha = pixels[..., 3:] / 255
    top = max(0, height - tall - round(BOTTOM * height))
    return Overlay(top, (width - wide) // 2, pixels[..., :3] * alpha, alpha)


def undrawable(texts: Sequence[str]) -> str:
    """The letters that the font cannot draw, a box standing in for each, in order of code points."""
    letters = {letter for text in texts for letter in text if not letter.isspace()}
    return "".join(sorted(letter for letter in letters if not all(map(_is_drawn, _plain(letter)))))


def _plain(text: str) -> str:
    """`text` with letters that the font lacks replaced by what is near them, as far as there is anything."""
    return "".join(letter if _is_drawn(letter) else _near(letter) for letter in text)


def _near(letter: str) -> str:
    parts = unicodedata.normalize("NFKD", letter.translate(_INSTEAD))
    bare = "".join(part for part in parts if not unicodedata.combining(part))
    return bare if all(map(_is_drawn, bare)) else letter


@lru_cache(maxsize=4096)
def _is_drawn(letter: str) -> bool:
    font = _font(24)
    return letter.isspace() or bytes(font.getmask(letter)) != bytes(font.getmask(_NOWHERE))


def _fitted(text: str, width: int, height: int) -> tuple[ImageFont.FreeTypeFont, list[str]]:
    """The largest font in which the caption fits, and its lines."""
    room = round(width * (1 - 2 * SIDE))
    most = max(1, int(TALLEST * height))
    largest, smallest = max(9, round(FONT * height)), max(8, round(SMALLEST * height))
    for size in range(largest, min(largest, smallest) - 1, -1):
        font = _font(size)
        inner = room - 2 * (round(size * 0.45) + max(1, round(size / 14)))
        lines = _wrapped(text, font, max(1, inner))
        rows = max(1, (most - 2 * round(size * 0.45)) // round(size * LINE))
        if len(lines) <= rows:
            return font, lines
    return font, [*lines[: rows - 1], _ended(lines[rows - 1], font, inner)]


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """`text` in lines of at most `width` pixels; a longer word is broken where it must."""
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if font.getlength(longer) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        line = ""
        for letter in word:
            if line and font.getlength(line + letter) > width:
                lines.append(line)
                line = ""
            line += letter
    return [*lines, line]


def _ended(line: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    while line and font.getlength(line + "…") > width:
        line = line[:-1]
    return line.rstrip(" ,;:.") + "…"


@lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow's wheels come with FreeType"
    return font
