"""The cost of a film: FLOPs that add up and come out the same, all stages told, stalls that move no ratio."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from arlon_core.cli import main
from arlon_core.errors import ArlonError, StoryError
from arlon_core.evaluation.efficiency import (
    MEASURED,
    Case,
    Cost,
    Efficiency,
    bench_story,
    cases_of,
    in_order,
    measure_efficiency,
)
from arlon_core.evaluation.efficiency_report import efficiency_json, efficiency_markdown, time_saved
from arlon_core.evaluation.random_model import write_random_model
from arlon_core.evaluation.stage_flops import StageFlops
from arlon_core.models.packed_linear import packed_linear
from arlon_core.pipeline import ArlonPipeline, assemble
from arlon_core.presets import PRESETS
from tests.conftest import CAPTIONS

STEPS = (4, 8, 12)


@pytest.fixture(scope="module")
def result(tiny_pipeline) -> Efficiency:
    return measure_efficiency(tiny_pipeline, bench_story(1.0), STEPS, repeats=2)


# -- FLOPs ----------------------------------------------------------------------------------------------


def test_denoising_flops_grow_by_the_step(result: Efficiency):
    """Without F nothing else is in them; with F the coarse latents are decoded and encoded once."""
    plain = [result.flops[Case(False, steps)]["denoise"] for steps in STEPS]
    assert plain == [plain[0], 2 * plain[0], 3 * plain[0]]
    steered = [result.flops[Case(True, steps)]["denoise"] for steps in STEPS]
    assert steered[1] - steered[0] == steered[2] - steered[1] >= plain[0]
    assert steered[0] > steered[1] - steered[0], "F itself"


def test_only_f_costs_tokens_and_nothing_else_depends_on_the_arm(result: Efficiency):
    for case in result.cases:
        flops = result.flops[case]
        assert (flops["tokens"] > 0) == case.use_coarse
        assert flops["text"] > 0
        assert flops["encode"] == 0, "not torch's"
        assert flops["decode"] == result.flops[result.cases[0]]["decode"] > 0
    assert {result.rounds[0][case].by_stage["tokens"] for case in result.cases if not case.use_coarse} == {0}


def test_flops_come_out_the_same_again(tiny_pipeline, result: Efficiency):
    again = measure_efficiency(tiny_pipeline, bench_story(1.0), STEPS[:1], repeats=1)
    assert again.flops == {case: result.flops[case] for case in cases_of(STEPS[:1])}


def test_guidance_doubles_every_pass(tiny_pipeline, result: Efficiency):
    guided = measure_efficiency(tiny_pipeline, bench_story(1.0), STEPS[:1], repeats=1, guidance=2.0)
    case = Case(False, STEPS[0])
    assert 1.8 < guided.flops[case]["denoise"] / result.flops[case]["denoise"] <= 2
    assert guided.settings["guidance_scale"] == 2


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_fused_attention_counts_as_its_products(mode):
    query, key, value = torch.randn(2, 3, 5, 16), torch.randn(2, 3, 7, 16), torch.randn(2, 3, 7, 16)
    report = StageFlops(torch.device("cpu"))
    with mode(), report.timed("denoise"):
        F.scaled_dot_product_attention(query, key, value)
    with mode(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as plain:
        F.scaled_dot_product_attention(query, key, value)
    assert report.flops["denoise"] == plain.get_total_flops() == 2 * 2 * 3 * 5 * 7 * (16 + 16)


def test_a_packed_matrix_counts_as_a_product():
    report = StageFlops(torch.device("cpu"))
    linear = packed_linear(torch.randn(11, 7), rows=5)
    with torch.inference_mode(), report.timed("tokens"):
        linear(torch.randn(2, 5, 7))
    assert report.flops["tokens"] == 2 * (2 * 5) * 7 * 11


# -- seconds --------------------------------------------------------------------------------------------


def test_every_round_renders_every_case_and_begins_elsewhere():
    cases = cases_of((30, 4, 4, 10))
    assert cases == cases_of((4, 10, 30))
    orders = [in_order(cases, number) for number in range(4)]
    assert all(sorted(order, key=cases.index) == list(cases) for order in orders)
    assert len({order[0] for order in orders[:3]}) == 3


def test_a_stalled_round_changes_no_ratio():
    cases = cases_of((10, 30))
    seconds = dict(zip(cases, (2.0, 3.0, 7.0, 8.0), strict=True))

    def costs(slower: float) -> dict[Case, Cost]:
        return {case: Cost(dict.fromkeys(MEASURED, 0.0), slower * seconds[case]) for case in cases}

    result = Efficiency({}, 4.0, cases, {}, (costs(1), costs(8), costs(1.5)))
    assert result.baseline == Case(False, 30)
    assert time_saved(result, Case(True, 10)) == pytest.approx(1 - 2 / 8)
    stalled = costs(1)
    stalled[Case(True, 10)] = replace(stalled[Case(True, 10)], total=16.0)
    assert time_saved(replace(result, rounds=(*result.rounds, stalled)), Case(True, 10)) == pytest.approx(
        0.75
    )


def test_the_report_has_every_case_stage_and_round(result: Efficiency):
    values = json.loads(json.dumps(efficiency_json(result)))
    assert [(case["arm"], case["steps"]) for case in values["cases"]] == [
        (arm, steps) for steps in STEPS for arm in ("with F", "without F")
    ]
    for case in values["cases"]:
        assert len(case["rounds"]) == values["rounds"] == 2
        for each in (case["seconds"], case["flops"], *case["rounds"]):
            assert set(each) == {*MEASURED, "total"}
        assert case["flops"]["total"] == sum(case["flops"][stage] for stage in MEASURED)
        assert case["seconds"]["total"] > 0
    for name in ("model", "device", "processor", "dtype", "threads", "libraries", "commit", "story"):
        assert values["settings"][name]
    assert values["flops_not_counted"]
    text = efficiency_markdown(result)
    assert text.count("\n| with F |") == text.count("\n| without F |") == 2 * len(STEPS)


# -- stories, models, the command -----------------------------------------------------------------------


def test_a_bench_story_has_the_length_asked_for():
    assert [len(bench_story(seconds).segments) for seconds in (1, 4, 8, 30)] == [1, 1, 2, 8]
    assert sum(segment.seconds for segment in bench_story(30).segments) == pytest.approx(30)
    with pytest.raises(StoryError):
        bench_story(0.1)


def test_a_random_model_is_the_same_every_time(tmp_path: Path, tiny_pipeline):
    write_random_model(tmp_path / "again", PRESETS["tiny"], CAPTIONS)
    again = ArlonPipeline.from_pretrained(tmp_path / "again", device="cpu")
    for name in ("tokenizer", "text_encoder", "token_transformer", "transformer", "vae"):
        assert again.fingerprint(name) == tiny_pipeline.fingerprint(name)


def test_the_command_measures_a_model_nobody_trained(tmp_path: Path, capsys):
    path = tmp_path / "r.json"
    command = ["bench", "--random-weights", "tiny", "--steps", "3", "2", "--seconds", "0.6"]
    assert main([*command, "--repeats", "1", "--device", "cpu", "--report", str(path)]) == 0
    values = json.loads(path.read_text())
    assert values["random_weights"] == "tiny"
    assert values["baseline"] == "without F, 3 steps"
    said = capsys.readouterr().out
    assert "| without F | 3 |" in said
    assert "Random weights" in said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--seconds", "601"], "give 0.5 to 600"),
        (["--seconds", "0.1"], "give 0.5 to 600"),
        (["--steps", "4", "1001", "--random-weights", "tiny"], "1 to 1000"),
        (["--model", "no/such/folder"], "does not exist"),
        (["--report", "r.txt"], ".json"),
    ],
)
def test_what_cannot_be_measured_is_said_in_one_sentence(given: list[str], said: str, capsys):
    assert main(["bench", *given]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "given", [["--steps", "0"], ["--repeats", "0"], ["--model", "m", "--random-weights", "tiny"]]
)
def test_what_makes_no_sense_is_refused(given: list[str], capsys):
    with pytest.raises(SystemExit) as end:
        main(["bench", *given])
    assert end.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_an_incomplete_model_names_both_mends(tmp_path: Path, capsys):
    assemble(tmp_path / "model", PRESETS["tiny"])
    assert main(["bench", "--model", str(tmp_path / "model")]) == 2
    said = capsys.readouterr().err
    assert "has no tokenizer" in said
    assert "--random-weights storyworld" in said


def test_a_median_of_nothing_is_refused(tiny_pipeline):
    with pytest.raises(ArlonError, match="at least 1"):
        measure_efficiency(tiny_pipeline, bench_story(1.0), STEPS, repeats=0)
