"""Laws of the film: exactly the frames of its segments, in order; whole or what was there before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from arlon_core.errors import OutputError
from arlon_core.media.clips import SegmentClip, count_frames
from arlon_core.media.film import write_film
from arlon_core.media.frames import to_rgb
from arlon_core.media.segment_writer import SegmentWriter

ROOT = Path(__file__).parents[2]
LENGTHS = [49, 1, 7, 12]  # odd remainders and a single frame


def numbered(first: int, frames: int) -> np.ndarray:
    """Frames that carry their number as ten black or white blocks."""
    film = np.zeros((frames, 32, 160, 3), np.uint8)
    for index in range(frames):
        for bit in range(10):
            film[index, :, 16 * bit : 16 * bit + 16] = 220 if (first + index) >> bit & 1 else 30
    return film


def number_of(picture: np.ndarray) -> int:
    return sum(int(picture[16, 16 * bit + 8].mean() > 128) << bit for bit in range(10))


@pytest.fixture
def segments(tmp_path: Path) -> list[Path]:
    paths, first = [], 0
    for index, frames in enumerate(LENGTHS):
        paths.append(tmp_path / f"segment{index}.mp4")
        with SegmentWriter(paths[-1], 12) as writer:
            writer.write(numbered(first, frames))
        first += frames
    return paths


def decode(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_a_film_is_its_segments_frame_for_frame(tmp_path: Path, segments: list[Path], suffix: str):
    out = tmp_path / f"film{suffix}"
    calls: list[tuple[int, int]] = []
    info = write_film(segments, out, 12, progress=lambda done, total: calls.append((done, total)))
    total = sum(LENGTHS)
    frames = decode(out)
    assert [number_of(to_rgb(frame)) for frame in frames] == list(range(total))
    assert {frame.format.name for frame in frames} == {"yuv420p"}
    assert (info.frames, info.seconds, count_frames(out)) == (total, total / 12, total)
    assert calls == [(done, total) for done in range(1, total + 1)]
    if suffix == ".mp4":
        assert [frame.pts * frame.time_base for frame in frames] == [Fraction(i, 12) for i in range(total)]
        data = out.read_bytes()
        assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("fps", [7, 12, 24, 30])
def test_no_frame_is_lost_or_shown_twice_at_any_rate(tmp_path: Path, fps: int):
    """Borders at times that no binary number holds exactly."""
    paths = []
    for index in range(40):
        paths.append(tmp_path / f"{index}.mp4")
        with SegmentWriter(paths[-1], fps) as writer:
            writer.write(numbered(3 * index, 3))
    write_film(paths, tmp_path / "film.mp4", fps)
    numbers = [number_of(to_rgb(frame)) for frame in decode(tmp_path / "film.mp4")]
    assert numbers == list(range(120))


def test_a_gif_has_the_frames_too(tmp_path: Path, segments: list[Path]):
    write_film(segments[1:3], tmp_path / "film.gif", 12)
    with Image.open(tmp_path / "film.gif") as image:
        assert (image.n_frames, image.size) == (8, (160, 32))
        numbers = []
        for index in range(8):
            image.seek(index)
            numbers.append(number_of(np.asarray(image.convert("RGB"))))
    assert numbers == list(range(49, 57))


def test_title_and_comment_are_kept(tmp_path: Path, segments: list[Path]):
    comment = {"seed": 7, "prompts": ["a fox; \"quoted\" = 'x' \\", "# é\n"], "model": "storyworld"}
    info = write_film(segments[:1], tmp_path / "film.mp4", 12, title="The café = x", comment=comment)
    assert info.comment_kept
    with av.open(str(tmp_path / "film.mp4")) as container:
        assert container.metadata["title"] == "The café = x"
        assert json.loads(container.metadata["comment"]) == comment
    info = write_film(segments[1:2], tmp_path / "long.mp4", 12, title="x", comment={"prompt": "x" * 200_000})
    assert not info.comment_kept
    assert count_frames(tmp_path / "long.mp4") == 1


def test_the_colours_are_those_of_the_segments(tmp_path: Path):
    film = np.zeros((6, 64, 64, 3), np.uint8)
    film[:, :32], film[:, 32:] = (220, 30, 40), (30, 60, 200)
    with SegmentWriter(tmp_path / "a.mp4", 12) as writer:
        writer.write(film)
    for suffix in (".mp4", ".webm"):
        write_film([tmp_path / "a.mp4"], tmp_path / f"film{suffix}", 12)
        picture = to_rgb(decode(tmp_path / f"film{suffix}")[3]).astype(int)
        assert np.abs(picture[16, 16] - (220, 30, 40)).max() <= 6
        assert np.abs(picture[48, 16] - (30, 60, 200)).max() <= 6


def test_clips_open_only_what_is_being_read(segments: list[Path]):
    clip = SegmentClip(segments[0], 12)
    assert clip._reader is None
    assert number_of(clip.get_frame(5.5 / 12)) == 5
    assert clip._reader is not None
    assert number_of(clip.get_frame(5.9 / 12)) == 5
    assert number_of(clip.get_frame(2.5 / 12)) == 2  # back again
    assert number_of(clip.get_frame(48.5 / 12)) == 48
    assert clip._reader is None


@pytest.mark.parametrize("where", ["none/film.mp4", "file/film.mp4", ".", "film.avi", "film"])
def test_places_that_cannot_be_written(tmp_path: Path, segments: list[Path], where: str):
    (tmp_path / "file").touch()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(
        OutputError, match=r"its folder does not|is a file|known film suffix|is a folder"
    ) as caught:
        write_film(segments, tmp_path / where, 12)
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_damaged_or_missing_segment_names_it(tmp_path: Path, segments: list[Path]):
    whole = segments[0].read_bytes()
    out = tmp_path / "film.mp4"
    out.write_bytes(b"old")
    for damaged in (b"", b"x" * 1000, whole[: len(whole) // 8]):
        segments[0].write_bytes(damaged)
        with pytest.raises(OutputError, match=r"segment0\.mp4 .*render this segment again"):
            write_film(segments, out, 12)
    segments[0].unlink()
    with pytest.raises(OutputError, match=r"segment0\.mp4"):
        write_film(segments, out, 12)
    assert out.read_bytes() == b"old"


def test_segments_of_two_sizes_are_refused(tmp_path: Path, segments: list[Path]):
    with SegmentWriter(tmp_path / "other.mp4", 12) as writer:
        writer.write(np.zeros((2, 64, 64, 3), np.uint8))
    with pytest.raises(OutputError, match="differ in size"):
        write_film([*segments, tmp_path / "other.mp4"], tmp_path / "film.mp4", 12)


def test_cancelling_leaves_what_was_there(tmp_path: Path, segments: list[Path]):
    out = tmp_path / "film.mp4"
    out.write_bytes(b"old")
    before = sorted(tmp_path.iterdir())

    def cancel(done: int, total: int) -> None:
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_film(segments, out, 12, progress=cancel)
    assert sorted(tmp_path.iterdir()) == before
    assert out.read_bytes() == b"old"


LIMITED = """
import resource, sys
from arlon_core.errors import OutputError
from arlon_core.media.film import write_film
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    write_film(sys.argv[2:], sys.argv[1], 12)
except OutputError as error:
    print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs limits on file sizes")
def test_an_encoder_that_cannot_write_on_is_one_sentence(tmp_path: Path):
    """A limit on file sizes stands for the full disk: the encoder, a process of its own, fails midway."""
    segments = [tmp_path / "noise.mp4"]
    with SegmentWriter(segments[0], 12) as writer:
        writer.write(np.random.default_rng(0).integers(0, 255, (60, 64, 96, 3), np.uint8))
    out = tmp_path / "film.mp4"
    out.write_bytes(b"old")
    before = sorted(tmp_path.iterdir())
    command = [sys.executable, "-c", LIMITED, str(out), *map(str, segments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    assert said.startswith(f"{out} cannot be written: ")
    assert said.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before
    assert out.read_bytes() == b"old"


MEMORY = """
import resource, sys
from arlon_core.media.film import write_film
write_film(sys.argv[2:], sys.argv[1], 12)
for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
    print(resource.getrusage(who).ru_maxrss)
"""


@pytest.mark.slow
def test_memory_stays_flat(tmp_path: Path):
    """Twenty times the segments, no more memory (kB; 20 MB of room for the allocator)."""
    with SegmentWriter(tmp_path / "a.mp4", 12) as writer:
        writer.write(np.random.default_rng(0).integers(0, 255, (48, 256, 448, 3), np.uint8))
    peaks = []
    for count in (1, 20):
        command = [
            sys.executable,
            "-c",
            MEMORY,
            str(tmp_path / "film.mp4"),
            *[str(tmp_path / "a.mp4")] * count,
        ]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        said = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
        peaks.append([int(word) for word in said.split()])
    assert peaks[1][0] < peaks[0][0] + 20_000
    assert peaks[1][1] < peaks[0][1] + 20_000
