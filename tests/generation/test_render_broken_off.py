"""Renders that are cut off, killed or cancelled, and go on later."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from arlon_core.generation.chunks import Cancelled
from arlon_core.generation.events import (
    ChunkReady,
    Event,
    SegmentReady,
    StepDone,
    TokensReady,
)
from arlon_core.story import format_story
from tests.generation.rendering import STORY, film, hashes

ROOT = Path(__file__).parents[2]


# -- broken off -----------------------------------------------------------------------------------------


def cut_after(events: Iterator[Event], kind: type[Event], count: int) -> None:
    """Take events up to the `count`-th of a kind, then drop the render as a crash would."""
    for event in events:
        count -= isinstance(event, kind)
        if count == 0:
            events.close()
            return
    raise AssertionError("the render ended before it was cut")


@pytest.mark.parametrize(
    ("kind", "count"), [(TokensReady, 1), (StepDone, 3), (ChunkReady, 1), (SegmentReady, 1), (ChunkReady, 3)]
)
def test_resumed_equals_unbroken(tiny_pipeline, tmp_path: Path, kind: type[Event], count: int):
    unbroken = hashes(film(tiny_pipeline, STORY, tmp_path / "a"))
    cut_after(film(tiny_pipeline, STORY, tmp_path / "b"), kind, count)
    resumed = list(film(tiny_pipeline, STORY, tmp_path / "b"))
    assert hashes(iter(resumed)) == unbroken
    assert resumed[-1].report["cache_hits"]


@pytest.mark.slow
def test_killed_and_resumed_equals_never_killed(tiny_pipeline, tiny_folder: Path, tmp_path: Path):
    """A real process, killed outright while it denoises."""
    story = tmp_path / "story.txt"
    story.write_text(format_story(STORY))
    command = [sys.executable, "-m", "arlon_core", "render", str(story), "-o", str(tmp_path / "film.mp4")]
    command += ["--model", str(tiny_folder), "--project", str(tmp_path / "p"), "--device", "cpu"]
    command += ["--steps", "40"]
    # The same number of threads as here: bits are promised for one number of threads only.
    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, **quiet)
    try:
        deadline = time.monotonic() + 120
        while not list((tmp_path / "p").glob("artefacts/latents/*/[0-9a-f]*.safetensors")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.005)
    finally:
        process.kill()
        process.wait()
    assert not (tmp_path / "film.mp4").exists()
    resumed = list(film(tiny_pipeline, STORY, tmp_path / "p", steps=40))
    assert hashes(iter(resumed)) == hashes(film(tiny_pipeline, STORY, steps=40))
    assert resumed[-1].report["cache_hits"]["latents"] >= 1


@pytest.mark.parametrize("kind", ["latents", "tokens", "clip"])
def test_a_damaged_artefact_is_made_again(tiny_pipeline, tmp_path: Path, kind: str):
    first = hashes(film(tiny_pipeline, STORY, tmp_path))
    for path in (tmp_path / "artefacts" / kind).rglob("*.*"):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    assert hashes(film(tiny_pipeline, STORY, tmp_path)) == first


# -- cancelled ------------------------------------------------------------------------------------------


def test_cancel_stops_within_one_step(tiny_pipeline, tmp_path: Path):
    cancel, seen = threading.Event(), []
    events = film(tiny_pipeline, STORY, tmp_path, steps=8, cancel=cancel)

    def follow() -> None:
        for event in events:
            seen.append(event)
            if isinstance(event, StepDone) and event.step == 3:
                cancel.set()

    with pytest.raises(Cancelled):
        follow()
    assert isinstance(seen[-1], StepDone)
    assert seen[-1].step == 3


def test_cancel_stops_before_tokens_too(tiny_pipeline):
    with pytest.raises(Cancelled):
        list(film(tiny_pipeline, STORY, cancel=lambda: True))
