"""Reading perturbed prompts: right is counted right, and differences are those of the same prompts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from arlon_core.cli import main
from arlon_core.errors import ModelError
from arlon_core.evaluation import prompts
from arlon_core.evaluation.perturbed import KINDS
from arlon_core.evaluation.prompts import ATTRIBUTES, measure_prompts, prompts_json, prompts_markdown
from arlon_core.evaluation.test_set import benchmark_story
from arlon_core.pipeline import ArlonPipeline
from arlon_core.world.vocabulary import LABELS, label_indices

SHIPPED = Path(__file__).parents[2] / "assets" / "models" / "storyworld"
STORIES = [benchmark_story(number, 12) for number in range(3)]


@pytest.fixture(scope="module")
def shipped() -> ArlonPipeline:
    return ArlonPipeline.from_pretrained(SHIPPED, device="cpu")


def test_the_tables_hold_all_kinds_and_capitals_change_nothing(
    shipped: ArlonPipeline, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(KINDS, "wordless", lambda prompt, rng: "Something happens somewhere.")
    kinds = ("capitals", "everyday-words", "wordless")
    clean, results = measure_prompts(shipped, STORIES, kinds)
    assert set(results) == set(kinds)
    assert set(clean) == set(ATTRIBUTES)
    assert clean["time_of_day"].value > 0.6
    assert all(each.value == 0 for each in results["capitals"].difference.values())
    assert all(results["capitals"].holds(name) for name in ATTRIBUTES)
    assert results["everyday-words"].holds("place"), "the shipped encoder knows people's words"
    wordless = results["wordless"]
    assert wordless.segments == sum(len(held.script.segments) for held in STORIES)
    assert wordless.difference["place"].value < -0.2, "nobody knows where something happens"
    assert not wordless.holds("place")
    for result in results.values():
        for name in ATTRIBUTES:
            change = result.accuracy[name].value - result.clean[name].value
            assert result.difference[name].value == pytest.approx(change)
    record = json.loads(json.dumps(prompts_json(clean, results), allow_nan=False))
    assert record["kinds"]["wordless"]["within"]["place"] is False
    table = prompts_markdown(clean, results).splitlines()
    assert len(table) == 3 + len(kinds)
    assert len({line.count("|") for line in table}) == 1
    assert "no: " in table[-1]


def test_only_texts_that_differ_are_counted(shipped: ArlonPipeline):
    _, results = measure_prompts(shipped, STORIES[:1], ("british",))
    assert results["british"].segments < len(STORIES[0].script.segments)


def test_a_wrong_reading_is_counted_wrong(shipped: ArlonPipeline, monkeypatch: pytest.MonkeyPatch):
    """Against a reader that reads everything right: one that always says the first class."""
    monkeypatch.setattr(prompts, "_read", lambda pipe, texts: {name: [0] * len(texts) for name in LABELS})
    clean, _ = measure_prompts(shipped, STORIES, ())
    now = [segment.attributes for held in STORIES for segment in held.script.segments]
    first = [label_indices(attributes)["colour"] == 0 for attributes in now]
    assert clean["colour"].value == pytest.approx(np.mean(first))


def test_another_worlds_reader_is_refused(tiny_pipeline):
    with pytest.raises(ModelError, match="Storyworld's attributes"):
        measure_prompts(tiny_pipeline, STORIES[:1])


def test_the_command_writes_table_and_report(tmp_path: Path, capsys):
    report = tmp_path / "prompts.json"
    assert (
        main(["evaluate", "prompts", "--count", "1", "--report", str(report), "--model", str(SHIPPED)]) == 0
    )
    assert capsys.readouterr().out.startswith("| kind | segments | subject |")
    assert set(json.loads(report.read_text())["kinds"]) == set(KINDS)
