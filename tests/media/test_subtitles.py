"""Subtitle files, parsed back: exact times, and no prompt can break the file or become a tag."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arlon_core.media.edit_plan import plan_edit
from arlon_core.media.film_settings import Join
from arlon_core.media.subtitles import format_subtitles

TIME = r"(\d\d):([0-5]\d):([0-5]\d)[,.](\d{3})"
FORMS = ["srt", "vtt"]
PROMPTS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=60)


def parse(text: str, form: str) -> list[tuple[Fraction, Fraction, str]]:
    """The cues of a file by the rules of its format: blocks apart by empty lines, one line of text each."""
    blocks = text.removesuffix("\n").split("\n\n")
    if form == "vtt":
        assert blocks.pop(0).rstrip("\n") == "WEBVTT"
    cues = []
    for number, block in enumerate(filter(None, blocks), start=1):
        lines = block.strip("\n").split("\n")
        if form == "srt":
            assert lines.pop(0) == str(number)
        times, line = lines
        match = re.fullmatch(f"{TIME} --> {TIME}", times)
        assert match is not None, times
        assert ("," in times) == (form == "srt")
        values = [int(each) for each in match.groups()]
        start, stop = (
            Fraction(((h * 60 + m) * 60 + s) * 1000 + ms, 1000) for h, m, s, ms in (values[:4], values[4:])
        )
        cues.append((start, stop, line))
    return cues


def unescaped(text: str) -> str:
    return text.replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("fps", [7, 12, 24, 30])
def test_times_are_those_of_the_frames_to_the_millisecond(form: str, fps: int):
    joins = [Join(), Join("crossfade", 1), Join("fade", 1), Join()]
    plan = plan_edit([101, 67, 50, 400_000], joins, fps)
    cues = parse(format_subtitles(form, plan, ["a", "b", "c", "d"]), form)
    assert [text for *_, text in cues] == ["a", "b", "c", "d"]
    for (start, stop, _), (first, last) in zip(cues, plan.caption_frames(), strict=True):
        assert abs(start - Fraction(first, fps)) <= Fraction(1, 2000)
        assert abs(stop - Fraction(last, fps)) <= Fraction(1, 2000)
    assert all(before[1] == after[0] for before, after in pairwise(cues))


@given(st.lists(PROMPTS, min_size=1, max_size=5))
def test_any_prompts_come_back_from_vtt(texts):
    plan = plan_edit([12] * len(texts), [], 12)
    cues = parse(format_subtitles("vtt", plan, texts), "vtt")
    assert all("-->" not in text and "<" not in text for *_, text in cues)
    lines = [" ".join(text.split()) for text in texts]
    assert [unescaped(text) for *_, text in cues] == [line for line in lines if line]


@given(st.lists(PROMPTS, min_size=1, max_size=5))
def test_any_prompts_come_back_from_srt(texts):
    plan = plan_edit([12] * len(texts), [], 12)
    cues = parse(format_subtitles("srt", plan, texts), "srt")
    lines = [" ".join(text.split()) for text in texts]
    back = [text.replace("\N{WORD JOINER}", "").replace("→", "-->") for *_, text in cues]
    same = [line.replace("\N{WORD JOINER}", "").replace("→", "-->") for line in lines if line]
    assert back == same


def test_tags_and_arrows_stay_text():
    evil = "<b>bold</b> {\\an8} 00:00 --> 00:01 a < b & c"
    plan = plan_edit([12], [], 12)
    (srt,) = parse(format_subtitles("srt", plan, [evil]), "srt")
    assert not re.search(r"<[a-z/]|\{\\|-->", srt[2])
    assert "a < b & c" in srt[2]
    (vtt,) = parse(format_subtitles("vtt", plan, [evil]), "vtt")
    assert vtt[2] == "&lt;b&gt;bold&lt;/b&gt; {\\an8} 00:00 --&gt; 00:01 a &lt; b &amp; c"
