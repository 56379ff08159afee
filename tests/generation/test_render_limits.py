"""What a render costs as a film gets longer, and what cannot begin at all."""

from __future__ import annotations

import subprocess
import sys
from copy import copy
from pathlib import Path

import pytest

from arlon_core.errors import ArlonError, ModelError, OutputError
from arlon_core.generation.latent_tail import LatentTail
from arlon_core.generation.plan import make_plan
from arlon_core.generation.render import render
from tests.generation.rendering import STORY, film

ROOT = Path(__file__).parents[2]


# -- any length -----------------------------------------------------------------------------------------


def test_cost_grows_linearly(tiny_pipeline):
    """Twice the seconds, twice the chunks and blocks; and each chunk is one of bounded size."""
    config = tiny_pipeline.config
    for seconds in (30.0, 60.0, 600.0):
        plan = make_plan([seconds], config.fps, config.max_new, config.overlap)
        assert len(plan.chunks) == -(-plan.latents // config.max_new)
        assert max(chunk.latents + chunk.overlap for chunk in plan.chunks) <= config.max_new + config.overlap


def test_only_the_tail_of_the_latents_is_held():
    import torch

    tail = LatentTail(1, 1, 1, keep=5)
    for start in range(0, 40, 4):
        tail.append(torch.arange(start, start + 4).half().view(1, 4, 1, 1))
        assert tail.latents.shape[1] <= 5
    assert tail.get(36, 39).flatten().tolist() == [36, 37, 38]


@pytest.mark.slow
def test_memory_stays_flat(tiny_folder: Path, tmp_path: Path):
    """The most memory a process ever held, for 300 frames and for four times as many."""
    code = (
        "import sys, resource, torch; torch.set_num_threads(1)\n"
        "from arlon_core.pipeline import ArlonPipeline\n"
        "from arlon_core.generation.render import render\n"
        "from arlon_core.story import Segment, Story\n"
        "pipe = ArlonPipeline.from_pretrained(sys.argv[1], device='cpu')\n"
        "story = Story(tuple(Segment('A red balloon rises.', 12.5) for _ in range(int(sys.argv[2]))))\n"
        "for event in render(pipe, story, steps=1, with_animatic=False): pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)\n"
    )
    peaks = []
    for segments in (2, 8):
        command = [sys.executable, "-c", code, str(tiny_folder), str(segments)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout.split()[-1]))
    assert peaks[1] < peaks[0] + 60, f"MB held: {peaks}"


# -- what cannot begin ----------------------------------------------------------------------------------


def test_a_bad_output_is_refused_before_anything_runs(tiny_pipeline, tmp_path: Path):
    with pytest.raises(OutputError, match="folder does not exist"):
        render(tiny_pipeline, STORY, output=tmp_path / "nowhere" / "film.mp4")
    with pytest.raises(OutputError, match="is a folder"):
        render(tiny_pipeline, STORY, output=tmp_path)


def test_an_untrained_part_is_named(tiny_pipeline):
    # A copy: the library notes an absent part in the pipeline's configuration, and never takes it back.
    pipe = copy(tiny_pipeline)
    pipe.transformer = None
    with pytest.raises(ModelError, match=r"no transformer yet.* train dit"):
        render(pipe, STORY)


@pytest.mark.parametrize("steps", [0, -1, 100_000])
def test_foolish_steps_are_refused(tiny_pipeline, steps: int):
    with pytest.raises(ArlonError, match="denoising steps"):
        render(tiny_pipeline, STORY, steps=steps)


def test_a_full_disk_is_told_and_spares_the_old_film(tiny_pipeline, tmp_path: Path, monkeypatch):
    import errno

    from arlon_core.media import segment_writer

    old = tmp_path / "film.mp4"
    old.write_bytes(b"the film before")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(segment_writer.av.VideoFrame, "from_ndarray", full, raising=False)
    with pytest.raises(ArlonError, match="disk is full"):
        list(film(tiny_pipeline, STORY, output=old))
    assert old.read_bytes() == b"the film before"
