"""Too little memory is one sentence that says what would fit, and nothing is lost; memory is given back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from app import words
from arlon_core.errors import ArlonError
from arlon_core.generation.events import ChunkReady, FilmReady, SegmentReady
from arlon_core.generation.memory import (
    OutOfMemoryError,
    Shortage,
    bytes_asked,
    fitting_chunk,
    is_out_of_memory,
    memory_given_back,
    shortage_sentence,
)
from arlon_core.generation.render import render
from arlon_core.media.clips import count_frames
from arlon_core.story import Segment, Story

STORY = Story((Segment("A red balloon rises.", 1.5), Segment("Then night falls.", 0.8)), seed=5)

GPU = torch.OutOfMemoryError(
    "CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of ..."
)
CPU = RuntimeError(
    "DefaultCPUAllocator: can't allocate memory: you tried to allocate 64000000 bytes. Error 12"
)
WORDS = RuntimeError("[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: not enough memory")


@pytest.mark.parametrize("error", [GPU, CPU, WORDS, MemoryError()], ids=["gpu", "cpu", "words", "python"])
def test_a_render_out_of_memory_says_what_fits_and_goes_on_later(
    tiny_pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
):
    forward, calls = tiny_pipeline.transformer.forward, []

    def third_fails(*args, **options):
        calls.append(None)
        if len(calls) == 3:  # in the second chunk
            raise error
        return forward(*args, **options)

    monkeypatch.setattr(tiny_pipeline.transformer, "forward", third_fails)
    with pytest.raises(OutOfMemoryError) as caught:
        list(render(tiny_pipeline, STORY, tmp_path, with_animatic=False))
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert "out of memory" in sentence
    assert "--chunk 2" in sentence  # half of the tiny model's four
    assert isinstance(caught.value, ArlonError)

    monkeypatch.undo()
    events = list(render(tiny_pipeline, STORY, tmp_path, with_animatic=False))
    assert isinstance(events[-1], FilmReady)
    assert ChunkReady(0, 0, cached=True) in events
    fresh = list(render(tiny_pipeline, STORY, with_animatic=False))
    assert _hashes(events) == _hashes(fresh)


def _hashes(events: list) -> list[str]:
    return [event.frame_hash for event in events if isinstance(event, SegmentReady)]


def test_other_errors_stay_what_they_are(tiny_pipeline, monkeypatch: pytest.MonkeyPatch):
    def broken(*args, **options):
        raise RuntimeError("sizes of tensors must match")

    monkeypatch.setattr(tiny_pipeline.transformer, "forward", broken)
    with pytest.raises(RuntimeError, match="sizes of tensors"):
        list(render(tiny_pipeline, STORY, with_animatic=False))


def test_shorter_chunks_are_a_film_of_the_same_length(tiny_pipeline, tmp_path: Path):
    """What the sentence names can be done."""
    events = list(render(tiny_pipeline, STORY, tmp_path, with_animatic=False, chunk=2))
    plan = events[0].plan
    assert max(chunk.latents for chunk in plan.chunks) == 2
    assert count_frames(events[-1].path) == plan.frames == round(12 * 2.3)
    for foolish in (0, 5):
        with pytest.raises(ArlonError, match="give 1 to 4"):
            render(tiny_pipeline, STORY, chunk=foolish)


# -- the sentence ---------------------------------------------------------------------------------------

SHORT = Shortage(
    place="the GPU (X)",
    stage="denoise",
    free=4_000_000_000,
    needed=8_000_000_000,
    new=12,
    overlap=4,
    guided=False,
    on_gpu=True,
)


def test_the_chunk_that_fits_is_computed_from_sizes():
    assert fitting_chunk(SHORT) == int(0.8 * 16 * 4 / 8) - 4 == 2
    assert fitting_chunk(replace(SHORT, free=6_000_000_000)) == 5
    assert fitting_chunk(replace(SHORT, free=7_999_000_000)) == 8  # the sizes are a lower bound
    assert fitting_chunk(replace(SHORT, free=1_000_000_000)) == 0  # the overlap alone is too much
    for unknown in ({"needed": None}, {"free": None}, {"free": 80_000_000_000}):
        assert fitting_chunk(replace(SHORT, **unknown)) == 6
    for frames in range(1, 13):
        assert 0 <= fitting_chunk(replace(SHORT, new=frames)) < frames


def test_the_sentence_names_only_what_helps():
    plain = shortage_sentence(SHORT)
    for said in ("the GPU (X)", "more than 8.0 GB", "4.0 GB are free", "--chunk 2", "--device cpu"):
        assert said in plain
    assert "guidance" not in plain
    assert "guidance 1 takes half" in shortage_sentence(replace(SHORT, guided=True))
    assert "--chunk" not in shortage_sentence(replace(SHORT, free=1_000_000_000))
    assert "--chunk" not in shortage_sentence(replace(SHORT, stage="decode", guided=True))
    assert "--device" not in shortage_sentence(replace(SHORT, on_gpu=False))
    unknown = shortage_sentence(replace(SHORT, needed=None))
    assert "GB" not in unknown
    assert "take about half of it (--chunk 6, " in unknown


def test_the_sentence_names_the_setting_as_the_pages_field_does():
    assert f"2 {words.SETTING['chunk'].lower()} would fit" in shortage_sentence(SHORT)


def test_what_was_asked_for_is_read_from_the_error():
    assert [bytes_asked(error) for error in (GPU, CPU, WORDS)] == [int(2.5 * 2**30), 64_000_000, 0]
    assert not is_out_of_memory(RuntimeError("CUDA error: an illegal memory access"))
    assert not is_out_of_memory(ValueError("not enough memory"))


@pytest.mark.parametrize("error", [None, ArlonError("cancelled."), KeyError("x")])
def test_the_gpu_is_emptied_however_it_ends(monkeypatch: pytest.MonkeyPatch, error: Exception | None):
    emptied = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append(True))

    def block(device: str) -> None:
        with memory_given_back(torch.device(device)):
            if error is not None:
                raise error

    for device, count in (("cpu", 0), ("cuda", 1)):
        if error is None:
            block(device)
        else:
            with pytest.raises(type(error)):
                block(device)
        assert len(emptied) == count
