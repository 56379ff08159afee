"""Where the time of training steps goes: a table of a run's dearest operations (`train --profile`)."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch.profiler import ProfilerActivity, profile

WARM_UP = 40  # steps before: compiling, first drawings
STEPS = 12  # steps in the table
_ROWS = 30


def profile_steps(step: Callable[[], object], device: torch.device) -> str:
    """Take WARM_UP steps, then time STEPS of them, and profile as many more into a table.

    The timed ones are others than the profiled ones, since a profiler slows what it looks at.
    """
    for _ in range(WARM_UP):
        step()
    seconds = _timed(step, device)
    activities = [ProfilerActivity.CPU]
    key = "self_cpu_time_total"
    if device.type == "cuda":
        activities.append(ProfilerActivity.CUDA)
        key = "self_cuda_time_total"
    with profile(activities=activities) as profiler:
        for _ in range(STEPS):
            step()
        _wait(device)
    table = profiler.key_averages().table(sort_by=key, row_limit=_ROWS, max_name_column_width=80)
    return f"{1000 * seconds / STEPS:.1f} ms a step, unprofiled, mean of {STEPS}\n{table}\n"


def _timed(step: Callable[[], object], device: torch.device) -> float:
    _wait(device)
    started = time.perf_counter()
    for _ in range(STEPS):
        step()
    _wait(device)
    return time.perf_counter() - started


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
