"""What a render cost: wall seconds by stage, peak memory, settings. It becomes the JSON of `--report`."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

STAGES = ("load", "text", "tokens", "denoise", "decode", "encode")
FOUND = ("tokens", "preview", "latents", "clip")  # kinds of artefacts that are looked for
_ON_DEVICE = ("text", "tokens", "denoise", "decode")


@dataclass
class RenderReport:
    """Filled while rendering. Seconds are of the wall clock, and include waiting for the device.

    Clips are encoded beside the rest: "encode" says how long the encoder worked, and `beside` how much of it
    cost the render no time, because other stages went on meanwhile.
    """

    device: torch.device
    stage: str = "load"  # the one that runs, or ran last
    beside: float = 0.0
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    hits: dict[str, int] = field(default_factory=dict)
    misses: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time of the block to `stage`; never wrap a `yield` in it."""
        self.stage = stage
        started = time.perf_counter()
        try:
            yield
        finally:
            if self.device.type == "cuda" and stage in _ON_DEVICE:
                torch.cuda.synchronize(self.device)
            self.seconds[stage] += time.perf_counter() - started

    def add_encoding(self, seconds: float, *, waited: float) -> None:
        """Note that clips were encoded in another thread for `seconds`, `waited` of them waited for."""
        self.seconds["encode"] += seconds
        self.beside += max(0.0, seconds - waited)

    def count(self, kind: str, *, cached: bool) -> None:
        """Note an artefact that was found in the project, or that had to be made."""
        counts = self.hits if cached else self.misses
        counts[kind] = counts.get(kind, 0) + 1

    def as_dict(self, *, frames: int, fps: int, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Plain JSON values. settings (model, steps, seed and so on) are taken over as they are."""
        video = frames / fps
        total = sum(self.seconds.values()) - self.beside
        return {
            "frames": frames,
            "fps": fps,
            "seconds_of_video": round(video, 4),
            "seconds": {stage: round(value, 3) for stage, value in self.seconds.items()},
            "seconds_encoded_beside": round(self.beside, 3),
            "seconds_total": round(total, 3),
            "seconds_per_second_of_video": round(total / video, 3),
            "peak_memory_gb": round(peak_memory_gb(), 3),
            "peak_device_memory_gb": round(peak_device_memory_gb(self.device), 3),
            "device": device_name(self.device),
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
            "cache_hits": dict(self.hits),
            "cache_misses": dict(self.misses),
            **settings,
        }


def joined_reports(reports: Sequence[Mapping[str, Any]], joining: float, frames: int) -> dict[str, Any]:
    """The report of a film of `frames` frames that was made in parts (generation.parts).

    joining: seconds of joining its clips. What a part found because an earlier one made it counts as made,
    and as nothing found.
    """
    last = reports[-1]
    seconds = {stage: sum(each["seconds"][stage] for each in reports) for stage in STAGES}
    seconds["load"] = last["seconds"]["load"]
    seconds["encode"] += joining
    beside = sum(each["seconds_encoded_beside"] for each in reports)
    total = sum(seconds.values()) - beside
    video = frames / last["fps"]
    misses = {
        kind: sum(each["cache_misses"].get(kind, 0) for each in reports)
        for kind in {kind for each in reports for kind in each["cache_misses"]}
    }
    there = {kind: last["cache_hits"].get(kind, 0) + last["cache_misses"].get(kind, 0) for kind in FOUND}
    hits = {kind: count - misses.get(kind, 0) for kind, count in there.items() if count > misses.get(kind, 0)}
    return {
        **last,
        "frames": frames,
        "seconds_of_video": round(video, 4),
        "seconds": {stage: round(value, 3) for stage, value in seconds.items()},
        "seconds_encoded_beside": round(beside, 3),
        "seconds_total": round(total, 3),
        "seconds_per_second_of_video": round(total / video, 3),
        "peak_memory_gb": max(each["peak_memory_gb"] for each in reports),
        "peak_device_memory_gb": max(each["peak_device_memory_gb"] for each in reports),
        "cache_hits": hits,
        "cache_misses": misses,
    }


def peak_memory_gb() -> float:
    """The most memory this process has held so far, in GB (10^9 bytes)."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def peak_device_memory_gb(device: torch.device) -> float:
    """The same of the GPU; 0 on a CPU."""
    return torch.cuda.max_memory_allocated(device) / 1e9 if device.type == "cuda" else 0.0


def device_name(device: torch.device) -> str:
    """`cpu`, or the name of the GPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def code_commit() -> str:
    """The commit of the code: ARLON_COMMIT where it is set (a copy without .git), else what git says."""
    if given := os.environ.get("ARLON_COMMIT"):
        return given
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
