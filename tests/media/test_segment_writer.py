"""Laws of segment clips: every frame at its time, playable as it grows, whole or absent."""

from __future__ import annotations

import errno
import os
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from arlon_core.errors import OutputError
from arlon_core.media.frame_hash import frame_hash
from arlon_core.media.frames import to_rgb
from arlon_core.media.segment_writer import SegmentWriter


def moving_square(frames: int, height: int = 64, width: int = 96) -> np.ndarray:
    """uint8 [T, H, W, 3]: a soft background and a square that moves right by one pixel a frame."""
    film = np.empty((frames, height, width, 3), np.uint8)
    film[:] = np.linspace(40, 200, height, dtype=np.uint8)[None, :, None, None]
    for index in range(frames):
        left = index % (width - 16)
        film[index, 20:36, left : left + 16] = (220, 40, 40)
    return film


def write(path: Path, frames: np.ndarray, fps: int = 12, step: int = 5) -> SegmentWriter:
    with SegmentWriter(path, fps) as writer:
        for start in range(0, len(frames), step):
            writer.write(frames[start : start + step])
    return writer


def boxes(path: Path) -> list[str]:
    """Names of the top-level boxes of an MP4 file."""
    data, names, at = path.read_bytes(), [], 0
    while at < len(data):
        size, name = struct.unpack(">I4s", data[at : at + 8])
        names.append(name.decode())
        at += size
    return names


@pytest.mark.parametrize("frames", [1, 2, 49])
def test_every_frame_is_there_at_its_time(tmp_path: Path, frames: int):
    film = moving_square(frames)
    writer = write(tmp_path / "a.mp4", film)
    assert writer.frames == frames
    with av.open(str(tmp_path / "a.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert stream.average_rate == 12 or frames == 1
        decoded = list(container.decode(stream))
    assert [frame.pts * frame.time_base for frame in decoded] == [Fraction(i, 12) for i in range(frames)]
    for frame, truth in zip(decoded, film, strict=True):
        assert np.abs(to_rgb(frame).astype(int) - truth).mean() < 4


def test_colours_survive(tmp_path: Path):
    film = np.zeros((3, 64, 64, 3), np.uint8)
    film[:, :32], film[:, 32:] = (220, 30, 40), (30, 60, 200)
    write(tmp_path / "a.mp4", film)
    with av.open(str(tmp_path / "a.mp4")) as container:
        picture = to_rgb(next(container.decode(video=0))).astype(int)
    assert np.abs(picture[16, 16] - (220, 30, 40)).max() <= 4
    assert np.abs(picture[48, 16] - (30, 60, 200)).max() <= 4


def test_the_file_is_fragmented_with_the_index_first(tmp_path: Path):
    write(tmp_path / "a.mp4", moving_square(36))
    names = boxes(tmp_path / "a.mp4")
    assert names[:2] == ["ftyp", "moov"]
    assert names.count("moof") == 3  # a fragment a second
    with av.open(str(tmp_path / "a.mp4")) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    assert all(packet.dts == packet.pts for packet in packets)
    assert [index for index, packet in enumerate(packets) if packet.is_keyframe] == [0, 12, 24]


def times(path: Path) -> list[int]:
    with av.open(path) as container:
        return sorted(packet.pts for packet in container.demux(video=0) if packet.pts is not None)


def test_how_frames_are_split_over_writes_does_not_matter(tmp_path: Path):
    film = moving_square(20)
    writers = [write(tmp_path / f"{step}.mp4", film, step=step) for step in (1, 7, 20)]
    assert {writer.frame_hash for writer in writers} == {frame_hash(film)}
    # The encoder's own threads may cut its bits differently from run to run; times are exact all the same.
    assert len({tuple(times(tmp_path / f"{step}.mp4")) for step in (1, 7, 20)}) == 1


def test_a_hash_tells_frames_apart():
    film = moving_square(4)
    other = film.copy()
    other[3, 0, 0, 0] ^= 1
    hashes = {frame_hash(x) for x in (film, other, film[:3], film[::-1], film.transpose(0, 2, 1, 3))}
    assert len(hashes) == 5


@pytest.mark.parametrize(
    "frames",
    [
        np.zeros((1, 64, 64, 3), np.float32),
        np.zeros((64, 64, 3), np.uint8),
        np.zeros((1, 63, 64, 3), np.uint8),
    ],
)
def test_frames_of_another_kind_are_refused_and_leave_nothing(tmp_path: Path, frames: np.ndarray):
    with pytest.raises(ValueError, match="Got"), SegmentWriter(tmp_path / "a.mp4", 12) as writer:
        writer.write(frames)
    assert not list(tmp_path.iterdir())


def test_one_clip_has_one_size(tmp_path: Path):
    writer = SegmentWriter(tmp_path / "a.mp4", 12)
    writer.write(moving_square(2))
    with pytest.raises(ValueError, match="one clip has one size"):
        writer.write(moving_square(2, 32, 32))
    writer.discard()


def test_nothing_appears_before_close_and_a_discarded_clip_leaves_the_old_one(tmp_path: Path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"old")
    writer = SegmentWriter(path, 12)
    writer.write(moving_square(30))
    assert path.read_bytes() == b"old"
    writer.discard()
    assert [path] == list(tmp_path.iterdir())
    assert path.read_bytes() == b"old"
    with pytest.raises(ValueError, match="no frames"), SegmentWriter(path, 12):
        pass
    assert [path] == list(tmp_path.iterdir())


def test_places_that_cannot_be_written(tmp_path: Path):
    (tmp_path / "file").touch()
    for path, mend in [
        (tmp_path / "none" / "a.mp4", "its folder does not exist"),
        (tmp_path / "file" / "a.mp4", "a part of its path is a file"),
        (tmp_path, "it is a folder"),
        (tmp_path / ("x" * 300 + ".mp4"), "cannot be written"),
    ]:
        with pytest.raises(OutputError, match=mend):
            SegmentWriter(path, 12)


@pytest.mark.parametrize("when", ["write", "close"])
def test_a_full_disk_is_one_sentence_and_leaves_the_old_clip(tmp_path: Path, when: str):
    """The open file raises as on a full disk: after some bytes, or only when the last are flushed."""
    path = tmp_path / "a.mp4"
    path.write_bytes(b"old")
    writer = SegmentWriter(path, 12)
    noise = np.random.default_rng(0).integers(0, 255, (60, 64, 96, 3), np.uint8)
    full = _FullFile(writer._file, room=20_000 if when == "write" else 10**9)
    writer._container.close()
    writer._container = av.open(full, "w", format="mp4", options={"movflags": "frag_keyframe+empty_moov"})

    def fill() -> None:
        writer.write(noise)
        full.room = 0
        writer.close()

    with pytest.raises(OutputError, match="the disk is full; free some space"):
        fill()
    assert path.read_bytes() == b"old"
    assert [path] == list(tmp_path.iterdir())


class _FullFile:
    """A file on a disk with ``room`` bytes left."""

    def __init__(self, file: object, room: int) -> None:
        self.file, self.room = file, room

    def write(self, data: bytes) -> int:
        self.room -= len(data)
        if self.room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return len(data)
