"""The story editor's value: text and cards agree, a bad line is named, and nothing typed is lost."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from app.handlers.editing import current_story, current_text, editor_value, export_story, import_story, settle
from app.handlers.planning import Grid, read_grid, read_known_words
from arlon_core.errors import StoryError
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
    known = read_known_words(str(SHIPPED))
    text = "A red whale rises over the sea at dawn.\nA wizard joins the wale.\n"
    value = editor_value(text, GRID, known_words=known)
    assert value["hints"] == ["", 'The model has never seen "wizard" and "wale" (near: whale).']
    half_typed = settle({**value, "from": "text", "text": "[4x"}, GRID, known)
    assert half_typed["hints"] == value["hints"], "the last good story's"
    assert editor_value(text, GRID)["hints"] == ["", ""], "where no words are known, none are missing"


def test_what_the_first_prompt_leaves_open_is_told_at_it():
    known = read_known_words(str(SHIPPED))
    value = editor_value("A red wale rises over the sea.\nIt sinks.\n", GRID, known_words=known)
    told, later = value["hints"]
    assert later == ""
    assert told.startswith('The model has never seen "wale" (near: whale). This leaves something open;')
    assert "A red whale rises over the sea" in told
    assert editor_value("A whale.", GRID)["hints"] == [""], "another world's model may take it as it is"


@pytest.mark.parametrize("content", [None, "{", "[]", "{}", '{"known_words": 3}'])
def test_a_model_without_a_list_of_words_has_none(tmp_path: Path, content: str | None):
    if content is not None:
        (tmp_path / "tokenizer").mkdir()
        (tmp_path / "tokenizer" / "tokenizer_config.json").write_text(content)
    assert read_known_words(str(tmp_path)) == frozenset()


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
