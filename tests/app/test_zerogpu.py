"""The studio's engine on ZeroGPU, with a stand-in for the package `spaces`, and everywhere else."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest

from app import words
from app.zerogpu import gpu_error, on_zero_gpu, open_engine
from arlon_core.errors import ArlonError
from arlon_core.generation.events import FilmReady
from arlon_core.jobs import JobQueue, JobRequest, JobState, ModelEngine
from arlon_core.jobs.gpu_calls import GpuLostError
from arlon_core.jobs.parted_engine import PartedEngine
from arlon_core.story import Segment, Story
from tests.jobs.lent_gpu import LentGpu

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0  # seconds
STORY = Story((Segment("A red balloon rises.", 1.0), Segment("Then night falls.", 1.0)), seed=5)


@pytest.fixture
def spaces(monkeypatch: pytest.MonkeyPatch) -> LentGpu:
    """This machine is a Space on ZeroGPU."""
    gpu = LentGpu()
    monkeypatch.setitem(sys.modules, "spaces", SimpleNamespace(GPU=gpu.GPU))
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    return gpu


def test_everywhere_else_it_is_the_plain_engine(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    monkeypatch.setitem(sys.modules, "spaces", None)  # importing it would fail
    assert not on_zero_gpu()
    engine = open_engine(str(tiny_folder), "cpu")
    assert type(engine) is ModelEngine
    engine.wait()


def test_a_zero_gpu_space_that_is_told_to_use_the_cpu_does(tiny_folder: Path, spaces: LentGpu):
    engine = open_engine(str(tiny_folder), "cpu")
    assert type(engine) is ModelEngine
    engine.wait()


def test_on_zero_gpu_a_film_is_made_in_calls(tiny_folder: Path, tmp_path: Path, spaces: LentGpu):
    engine = open_engine(str(tiny_folder), "auto")
    assert type(engine) is PartedEngine
    assert engine.ready(), "the model is loaded in the main thread, before the page is launched"
    events = list(engine.run(JobRequest("render", STORY, tmp_path, steps=2), threading.Event()))
    assert isinstance(events[-1], FilmReady)
    assert [seconds for _, seconds in spaces.calls] == [call.seconds for (call,), _ in spaces.calls]
    assert len(spaces.calls) >= 2


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            gr.Error("You have exceeded your free ZeroGPU quota.", title="ZeroGPU quota exceeded"),
            words.GPU_REFUSED.format(reason="You have exceeded your free ZeroGPU quota"),
        ),
        (gr.Error("GPU task aborted", title="ZeroGPU worker error"), words.GPU_LOST),
        (gr.Error("KeyError", title="ZeroGPU worker error"), words.GPU_BROKE.format(error="KeyError")),
        (
            gr.Error("Expired ZeroGPU proxy token", title="ZeroGPU client error"),
            words.GPU_REFUSED.format(reason="Expired ZeroGPU proxy token"),
        ),
    ],
    ids=["quota", "aborted", "bug", "other"],
)
def test_its_errors_are_a_sentence_that_says_nothing_is_lost(
    tiny_folder: Path, tmp_path: Path, spaces: LentGpu, error: gr.Error, said: str
):
    queue = JobQueue(open_engine(str(tiny_folder), "auto"))
    spaces.refuses = [error]
    job = queue.submit(JobRequest("render", STORY, tmp_path, steps=2))
    *_, (_, last) = queue.attach(job)
    assert queue.status(job).state is JobState.FAILED
    assert last.message == said
    assert "what was made is kept" in said
    again = queue.submit(JobRequest("render", STORY, tmp_path, steps=2))
    assert isinstance([event for _, event in queue.attach(again)][-1], FilmReady)
    queue.close()


def test_a_process_that_is_killed_is_a_lost_gpu(tiny_folder: Path, tmp_path: Path, spaces: LentGpu):
    engine = open_engine(str(tiny_folder), "auto")
    spaces.on_start = sys.exit
    with pytest.raises(GpuLostError, match="taken back early"):
        list(engine.run(JobRequest("render", STORY, tmp_path, steps=2), threading.Event()))


def test_an_error_without_a_title_is_told_as_it_is():
    assert type(gpu_error("", "No GPU was available")) is ArlonError
    assert "No GPU was available" in str(gpu_error("", "No GPU was available."))


FORK = """
import gc, multiprocessing, sys
import av
import numpy as np
from app.zerogpu import lent

def leave_a_decoder(path):
    with av.open(path, "w") as made:
        stream = made.add_stream("libx264", rate=12)
        stream.width, stream.height, stream.pix_fmt = 112, 64, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 112, 3), np.uint8), format="rgb24")
        for packet in [*stream.encode(frame), *stream.encode()]:
            made.mux(packet)
    opened = av.open(path)
    opened.streams.video[0].thread_type = "AUTO"
    next(opened.decode(video=0))
    garbage = [opened]
    garbage.append(garbage)  # as an error with its traceback may leave it: only the collector finds it

def forked(duration):
    def decorate(work):
        def call(request):
            child = multiprocessing.get_context("fork").Process(target=gc.collect)
            child.start()
            child.join()
            yield child.exitcode
        return call
    return decorate

gc.disable()
leave_a_decoder(sys.argv[1])
print("the child ended with", *lent(forked, None)(None))
"""


def test_a_decoder_left_as_garbage_does_not_hang_the_process_with_the_gpu(tmp_path: Path):
    """In a process of its own, since what other tests left in this one would be in the child as well."""
    command = [sys.executable, "-c", FORK, str(tmp_path / "film.mp4")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout == "the child ended with 0\n", done.stderr
