"""The story editor's value: text and cards agree, a bad line is named, and nothing typed is lost."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from app.handlers.editing import current_story, current_text, editor_value, export_story, import_story, settle
from app.handlers.planning import UNKNOWN, Grid, Reader, read_grid, read_reader
from arlon_core.errors import StoryError
from arlon_core.generation.story_texts import story_captions
from arlon_core.story import parse_story

SHIPPED = Path(__file__).parents[2] / "assets" / "models" / "storyworld"
GRID = Grid(fps=12, max_new=12, overlap=4)
TEXT = "title: The fox\n\n[4s] A fox sits.\n# then\n[6s seed=11] Night falls.\n"


def typed(text: str, before: dict | None = None) -> dict:
    before = before or editor_value(TEXT, GRID)
    return settle({**before, "rev": before["rev"] + 1, "from": "text", "text": text}, GRID)


def carded(before: dict, **changes: dict) -> dict:
    """`before` after a change of cards: their number to what changes."""
    cards = [{**card, **changes.get(f"card{n}", {})} for n, card in enumerate(before["sheet"]["cards"])]
    return settle({**before, "from": "cards", "sheet": {**before["sheet"], "cards": cards}}, GRID)


def test_an_opened_story_has_cards_and_a_plan_with_its_true_borders():
    value = editor_value(TEXT, GRID)
    assert value["text"] == TEXT
    assert [card["prompt"] for card in value["sheet"]["cards"]] == ["A fox sits.", "Night falls."]
    assert value["problem"] is None
    plan = value["plan"]
    assert (plan["frames"], plan["seconds"], plan["fps"]) == (120, 10.0, 12)
    # 48 frames end inside the latent frame that covers frames 45 .. 48, so the border lies at frame 49.
    assert [(row["start"], row["stop"]) for row in plan["segments"]] == [(0.0, 49 / 12), (49 / 12, 10.0)]
    assert [row["chunks"] for row in plan["segments"]] == [2, 2]
    assert plan["chunks"] == 4


def test_typing_text_changes_the_cards_and_typing_cards_changes_the_text():
    value = typed(TEXT.replace("sits", "runs"))
    assert value["sheet"]["cards"][0]["prompt"] == "A fox runs."
    value = carded(value, card1={"prompt": "Dawn breaks.", "seconds": "2.5", "seed": ""})
    assert value["text"] == "title: The fox\n\n[4s] A fox runs.\n# then\n[2.5s] Dawn breaks.\n"
    assert value["plan"]["seconds"] == 6.5


def test_words_that_the_model_has_never_seen_are_told_at_their_segment():
    text = "A red whale rises over the sea at dawn.\nA wizard joins the wale.\n"
    value = editor_value(text, GRID, reader=read_reader(str(SHIPPED)))
    assert value["hints"] == ["", 'The model has never seen "wizard" and "wale" (near: whale).']
    assert editor_value(text, GRID)["hints"] == ["", ""], "where no words are known, none are missing"


def test_what_the_film_will_show_is_told_of_each_segment():
    text = "A red wale rises over the sea at dawn.\nNight falls and a white owl joins.\n"
    value = editor_value(text, GRID, reader=read_reader(str(SHIPPED)))
    assert value["shows"] == [
        "Shows: A red whale rises over the sea at dawn.",
        "Shows: A red whale rises over the sea at night, with a white owl beside it.",
    ]
    assert editor_value(text, GRID)["shows"] == ["", ""], "another model is told something else"


@pytest.mark.parametrize("head", ["", "seed: 5\n", "style: over snowy peaks at night\n"])
def test_what_the_first_prompt_leaves_open_is_told_as_the_film_takes_it(head: str):
    text = f"{head}A dragon flies.\nIt sinks.\n"
    first, second = editor_value(text, GRID, reader=Reader(of_storyworld=True))["shows"]
    taken, then = story_captions(parse_story(text))
    assert first == f"Shows: {taken} The prompt leaves some of this open."
    assert second == f"Shows: {then}"


def test_of_a_text_that_is_no_story_nothing_is_told_and_of_one_that_cannot_be_planned_all():
    reader = Reader(of_storyworld=True)
    half_typed = editor_value("A red whale.\n[4x", GRID, reader=reader)
    assert (half_typed["shows"], half_typed["hints"]) == (None, None)
    too_short = editor_value("[0.5s] One.\n[0.5s] Two.\n[0.5s] Three.\n", Grid(2, 12, 4), reader=reader)
    assert too_short["problem"]
    assert len(too_short["shows"]) == len(too_short["hints"]) == 3


OTHER_ATTRIBUTES = '{"attributes": {"subject": 14}}'


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("tokenizer/tokenizer_config.json", '{"known_words": 3}'),
        *(("tokenizer/tokenizer_config.json", content) for content in ("{", "[]", "{}")),
        ("attribute_reader/config.json", OTHER_ATTRIBUTES),
        *(("attribute_reader/config.json", content) for content in ("{", "[]", '{"attributes": 3}')),
    ],
)
def test_of_a_model_of_another_kind_nothing_is_known(tmp_path: Path, part: str, content: str):
    assert read_reader(str(tmp_path)) == read_reader("somebody/some-model") == UNKNOWN
    (tmp_path / part).parent.mkdir()
    (tmp_path / part).write_text(content)
    assert read_reader(str(tmp_path)) == UNKNOWN


def test_a_bad_line_is_one_sentence_and_the_last_good_story_stays():
    good = editor_value(TEXT, GRID)
    bad = typed(TEXT.replace("[4s]", "[4x]"), good)
    assert bad["problem"]["line"] == 3
    assert bad["problem"]["message"].startswith("The story, line 3: ")
    assert bad["text"] == TEXT.replace("[4s]", "[4x]"), "what was typed stays"
    assert bad["sheet"] == good["sheet"]
    assert bad["plan"] == good["plan"]
    with pytest.raises(StoryError, match="line 3"):
        current_story(bad, GRID)
    assert typed(TEXT, bad)["problem"] is None


def test_a_card_without_a_prompt_stays_as_it_is_and_is_pointed_at():
    value = carded(editor_value(TEXT, GRID), card1={"prompt": ""})
    assert value["text"].splitlines()[-1] == "[6s seed=11] "
    assert value["sheet"]["cards"][1]["prompt"] == ""
    assert (value["problem"]["line"], value["problem"]["card"]) == (5, 1)


def test_a_segment_too_short_for_the_model_is_pointed_at():
    slow = Grid(fps=2, max_new=12, overlap=4)
    value = editor_value("[0.5s] One.\n[0.5s] Two.\n[0.5s] Three.\n[8s] Four.\n", slow)
    assert "too short" in value["problem"]["message"]
    assert value["problem"]["card"] is not None


def test_without_a_grid_the_times_are_those_asked_for():
    plan = editor_value(TEXT, None)["plan"]
    assert [(row["start"], row["stop"]) for row in plan["segments"]] == [(0.0, 4.0), (4.0, 10.0)]
    assert plan["frames"] is None


def test_the_story_is_read_from_the_cards_before_the_text_has_followed():
    value = editor_value(TEXT, GRID)
    cards = [{**card, "prompt": "A bear sits."} for card in value["sheet"]["cards"]]
    value = {**value, "from": "cards", "sheet": {**value["sheet"], "cards": cards}}
    assert current_story(value, GRID).segments[1].prompt == "A bear sits."


@pytest.mark.parametrize(
    "value", [None, 7, [], {}, {"from": "cards"}, {"text": 3}, {"rev": True, "sheet": "x"}]
)
def test_any_value_is_settled_into_a_problem(value: object):
    settled = settle(value, GRID)
    assert settled["problem"]["message"]
    assert current_text(settled) == settled["text"]


def test_export_and_import_return_the_same_story():
    value = editor_value(TEXT, GRID)
    for form in ("txt", "json"):
        content = export_story(value, form)
        text = import_story(f"story.{form}", base64.b64encode(content.encode()).decode())
        assert parse_story(text) == parse_story(TEXT)
    assert json.loads(export_story(value, "json"))["segments"][1]["seed"] == 11
    assert import_story("story.txt", base64.b64encode(TEXT.encode()).decode()) == TEXT, "comments and all"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", b"[4x] one", "a.txt, line 1"),
        ("a.json", b"{", "a.json, line 1"),
        ("a.txt", "[4s] one".encode("utf-16"), "UTF-8"),
        ("../../../etc/x.json", b"{}", "x.json"),
        ("\0" * 300 + "é" * 300, b"\0", "not a text file"),
    ],
)
def test_a_file_that_is_no_story_is_named_with_its_line(name: str, content: bytes, said: str):
    with pytest.raises(StoryError, match=said):
        import_story(name, base64.b64encode(content).decode())
    with pytest.raises(StoryError, match="again"):
        import_story("a.txt", "no base64!")


def test_the_grid_comes_from_the_model_folder_without_loading_it(tiny_folder: Path, tmp_path: Path):
    assert read_grid(str(tiny_folder)) is not None
    assert read_grid(str(tmp_path)) is None
    assert read_grid("somebody/some-model") is None
