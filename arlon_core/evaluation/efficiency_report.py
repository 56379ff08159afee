"""The efficiency of a model as JSON and as tables. Ratios are taken inside a round, then their median."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Any

from arlon_core.evaluation.efficiency import MEASURED, Case, Efficiency
from arlon_core.evaluation.stage_flops import NOT_COUNTED, NOTES


def efficiency_json(result: Efficiency) -> dict[str, Any]:
    """Everything: each case's medians and ratios, the seconds of every round, the FLOPs of every stage."""
    return {
        "settings": dict(result.settings),
        "seconds_of_video": result.seconds_of_video,
        "rounds": len(result.rounds),
        "baseline": _name(result.baseline),
        "flops_not_counted": list(NOT_COUNTED),
        "flops_notes": list(NOTES),
        "cases": [_case(result, case) for case in result.cases],
    }


def _case(result: Efficiency, case: Case) -> dict[str, Any]:
    flops, other = result.flops[case], Case(not case.use_coarse, case.steps)
    total, all_flops = _total(result, case), sum(flops.values())
    return {
        "arm": case.arm,
        "steps": case.steps,
        "seconds": {**{stage: _seconds(result, case, stage) for stage in MEASURED}, "total": total},
        "seconds_per_second_of_video": total / result.seconds_of_video,
        "time_saved": time_saved(result, case),
        "total_against_other_arm": _ratio(result, case, other),
        "flops": {**flops, "total": all_flops},
        "flops_per_second_of_video": all_flops / result.seconds_of_video,
        "flops_saved": flops_saved(result, case),
        "rounds": [{**costs[case].by_stage, "total": costs[case].total} for costs in result.rounds],
    }


def time_saved(result: Efficiency, case: Case) -> float:
    """The part of the baseline's seconds that this case does without; below 0 where it takes longer."""
    return 1 - _ratio(result, case, result.baseline)


def flops_saved(result: Efficiency, case: Case) -> float:
    """The same of its FLOPs, which no machine's mood can change."""
    return 1 - sum(result.flops[case].values()) / sum(result.flops[result.baseline].values())


def _ratio(result: Efficiency, case: Case, other: Case) -> float:
    return median(costs[case].total / costs[other].total for costs in result.rounds)


def _seconds(result: Efficiency, case: Case, stage: str) -> float:
    return median(costs[case].by_stage[stage] for costs in result.rounds)


def _total(result: Efficiency, case: Case) -> float:
    return median(costs[case].total for costs in result.rounds)


def _name(case: Case) -> str:
    return f"{case.arm}, {case.steps} steps"


# -- tables ---------------------------------------------------------------------------------------------


def efficiency_markdown(result: Efficiency) -> str:
    """Two tables, seconds and FLOPs, with what they were measured on above and what they leave out below."""
    settings, rounds = result.settings, len(result.rounds)
    on = settings["device"] if settings["device"] != "cpu" else f"cpu ({settings['processor']})"
    lines = [
        f"{settings['model']} on {on}, {settings['threads']} threads, {settings['dtype']}, torch "
        f"{settings['libraries']['torch']}, commit {settings['commit']}: {settings['frames']} frames of "
        f"{settings['width']}x{settings['height']} ({result.seconds_of_video:g} s at {settings['fps']} a "
        f"second), guidance {settings['guidance_scale']:g}.",
        "",
        f"Seconds, medians of {rounds} round{'s' if rounds > 1 else ''}; encoding goes on beside the rest. "
        f"Time saved is against {_name(result.baseline)}.",
        "",
        *_table(result, _seconds_row, "time saved"),
        "",
        "GFLOPs of one render.",
        "",
        *_table(result, _flops_row, "saved"),
        "",
        f"Not counted: {'; '.join(NOT_COUNTED)}. And {'; '.join(NOTES)}.",
    ]
    return "\n".join(lines)


def _table(result: Efficiency, row: Callable[[Efficiency, Case], list[str]], last: str) -> list[str]:
    head = ["arm", "steps", *MEASURED, "total", "a second of film", last]
    rows = [[case.arm, str(case.steps), *row(result, case)] for case in result.cases]
    lines = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    return [lines[0], "|---" + "|---:" * (len(head) - 1) + "|", *lines[1:]]


def _seconds_row(result: Efficiency, case: Case) -> list[str]:
    total = _total(result, case)
    seconds = [*(_seconds(result, case, stage) for stage in MEASURED), total, total / result.seconds_of_video]
    return [*(f"{value:.2f}" for value in seconds), f"{time_saved(result, case):.0%}"]


def _flops_row(result: Efficiency, case: Case) -> list[str]:
    stages = list(result.flops[case].values())
    flops = [*stages, sum(stages), sum(stages) / result.seconds_of_video]
    return [*(f"{value / 1e9:,.1f}" for value in flops), f"{flops_saved(result, case):.0%}"]
