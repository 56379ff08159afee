"""Burned captions: inside the picture, readable on any picture, whatever the text."""

from __future__ import annotations

import numpy as np
import pytest

from arlon_core.media.captions import BOTTOM, SIDE, TALLEST, draw_caption, undrawable

SHORT = "The sun climbs and the balloon drifts right over the sea."
TEXTS = {
    "short": SHORT,
    "one letter": "A",
    "two thousand letters": " ".join(["the balloon drifts on and on"] * 70)[:2000],
    "one endless word": "x" * 2000,
    "Japanese": "夜になり、雪が静かに降りはじめる。" * 8,
    "Arabic": "يحل الليل ويبدأ الثلج في التساقط",
    "emoji": "🎈 over 🌊 👩‍🚀",
    "accents": "Zażółć gęślą jaźń — “Ångström” naïve façade",
    "braces": "{\\an8} <b>%s</b> & \\N {0}",
}
SIZES = [(448, 256), (1280, 720), (256, 448), (112, 64), (32, 32)]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", TEXTS)
def test_a_caption_stays_inside_the_picture_and_its_margins(name: str, size: tuple[int, int]):
    width, height = size
    caption = draw_caption(TEXTS[name], width, height)
    tall, wide = caption.alpha.shape[:2]
    assert caption.alpha.max() > 0.9, "something is drawn"
    assert caption.left >= 0
    assert caption.left + wide <= width
    assert caption.top >= 0
    assert caption.top + tall <= height
    if min(size) >= 256:
        assert caption.left >= int(SIDE * width) - 2
        assert caption.left + wide <= width - int(SIDE * width) + 2
        assert caption.top + tall <= height - int(BOTTOM * height) + 1
        assert tall <= TALLEST * height + 1
    picture = np.full((height, width, 3), 128, np.uint8)
    shown = caption.put_on(picture)
    assert np.array_equal(picture, np.full((height, width, 3), 128)), "the picture given is left alone"
    assert np.array_equal(shown[: caption.top], picture[: caption.top])


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_letters_stand_out_on_any_picture(shade: int):
    caption = draw_caption(SHORT, 448, 256)
    shown = caption.put_on(np.full((256, 448, 3), shade, np.uint8)).astype(int)
    tall, wide = caption.alpha.shape[:2]
    box = shown[caption.top : caption.top + tall, caption.left : caption.left + wide].mean(2)
    ground = np.median(box)
    assert np.percentile(box, 97) - ground > 100, "white letters on a darkened ground"


def test_a_longer_text_shrinks_before_it_is_cut():
    short, long = draw_caption(SHORT, 448, 256), draw_caption(SHORT * 4, 448, 256)
    assert long.alpha.shape[0] > short.alpha.shape[0]
    assert draw_caption("   ", 448, 256) is None


def test_letters_that_cannot_be_drawn_are_told():
    assert undrawable([SHORT, TEXTS["accents"]]) == ""
    assert undrawable(["雪 a 夜", "b"]) == "夜雪"


def test_accents_are_left_out_where_the_font_has_none():
    with_accents, without = (draw_caption(text, 448, 256) for text in ("À — Łódź", "A - Lodz"))
    assert np.array_equal(with_accents.colour, without.colour)
