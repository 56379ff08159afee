"""Laws of contact sheets: every picture where it belongs, words under it, whole files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFont

from arlon_core.errors import OutputError
from arlon_core.media.contact_sheet import GAP, MARGIN, PAPER, contact_sheet, save_picture, wrap_text


def flat(colour: tuple[int, int, int], height: int = 32, width: int = 56) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def test_pictures_stand_in_rows_and_columns():
    colours = [[(200, 0, 0), (0, 200, 0)], [(0, 0, 200)]]
    sheet = np.asarray(contact_sheet([[flat(c) for c in row] for row in colours], width=56))
    for r, row in enumerate(colours):
        for c, colour in enumerate(row):
            y, x = MARGIN + r * (32 + GAP), MARGIN + c * (56 + GAP)
            assert (sheet[y : y + 32, x : x + 56] == colour).all()
    assert (sheet[:MARGIN] == PAPER).all()


def test_captions_stand_under_their_pictures_and_titles_above_the_row():
    rows = [[flat((200, 0, 0)), flat((0, 200, 0))]]
    plain = contact_sheet(rows, width=100)
    titled = contact_sheet(rows, row_titles=["A title"], width=100)
    captioned = np.asarray(contact_sheet(rows, [["", "a caption of several words that wraps"]], width=100))
    assert titled.height > plain.height
    below = captioned[plain.height - MARGIN - GAP + 3 :]
    assert (below[:, : MARGIN + 100] == PAPER).all()
    assert not (below[:, MARGIN + 100 + GAP :] == PAPER).all()
    assert captioned.shape[1] == plain.width


def test_words_wrap_inside_the_width():
    font = ImageFont.load_default(13)
    lines = wrap_text("night falls and snow begins to fall over the hills", font, 100)
    assert " ".join(lines) == "night falls and snow begins to fall over the hills"
    assert len(lines) > 2
    assert all(font.getlength(line) <= 100 for line in lines)
    assert wrap_text("one\ntwo", font, 100) == ["one", "two"]
    assert wrap_text(" ", font, 100) == []


@pytest.mark.parametrize(
    ("rows", "captions", "titles"),
    [
        ([], None, None),
        ([[]], None, None),
        ([[flat((0, 0, 0))]], [["a"], ["b"]], None),
        ([[flat((0, 0, 0))]], [["a", "b"]], None),
        ([[flat((0, 0, 0))]], None, ["a", "b"]),
        ([[np.zeros((4, 4, 3), np.float32)]], None, None),
    ],
)
def test_what_does_not_fit_is_refused(rows: list, captions: list | None, titles: list | None):
    with pytest.raises(ValueError, match="Got"):
        contact_sheet(rows, captions, titles)


def test_pictures_are_saved_whole_or_not_at_all(tmp_path: Path):
    save_picture(contact_sheet([[flat((9, 9, 9))]]), tmp_path / "sheet.png")
    save_picture(flat((200, 0, 0)), tmp_path / "one.png")
    with Image.open(tmp_path / "one.png") as image:
        assert (np.asarray(image) == (200, 0, 0)).all()
    before = sorted(tmp_path.iterdir())
    for where, mend in [
        ("none/a.png", "folder does not exist"),
        ("a.xyz", "picture suffix"),
        ("a", "picture suffix"),
    ]:
        with pytest.raises(OutputError, match=mend):
            save_picture(flat((0, 0, 0)), tmp_path / where)
    assert sorted(tmp_path.iterdir()) == before
