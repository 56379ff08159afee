"""Laws of the project folder: whole or absent, damage made again, killed writers change nothing."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from arlon_core.errors import ProjectError
from arlon_core.store import MemoryStore, Store, artefact_key
from arlon_core.store.atomic import replacing

ROOT = Path(__file__).parents[2]
KEY = artefact_key("latents", 1, seed=7)
TENSORS = {"x": np.arange(6, dtype=np.float32).reshape(2, 3)}


@pytest.fixture(params=["disk", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path):
    if request.param == "disk":
        yield Store(tmp_path / "film")
    else:
        with MemoryStore() as memory:
            yield memory


def artefact_file(store: Store) -> Path:
    return store.root / "artefacts" / "latents" / KEY[:2] / f"{KEY}.safetensors"


def test_what_is_put_is_got(store: Store | MemoryStore):
    assert store.get("latents", KEY) is None
    assert store.get_artefact("latents", KEY) is None
    store.put("latents", KEY, TENSORS, {"steps": 8})
    got = store.get_artefact("latents", KEY)
    assert got is not None
    assert got.meta == {"steps": 8}
    np.testing.assert_array_equal(got.tensors["x"], TENSORS["x"])
    assert store.get("tokens", KEY) is None
    got.tensors["x"][:] = 9
    np.testing.assert_array_equal(store.get("latents", KEY)["x"], TENSORS["x"])


def test_files_have_a_place(store: Store | MemoryStore):
    path = store.file_path("clip", KEY, ".mp4")
    path.write_bytes(b"clip")
    assert store.file_path("clip", KEY, ".mp4").read_bytes() == b"clip"


def test_memory_forgets_the_oldest_and_its_files():
    with MemoryStore(budget=3000) as memory:
        for index in range(10):
            memory.put("latents", str(index), {"x": np.zeros(1000, np.uint8)})
        assert memory.bytes_kept <= 3000
        assert memory.get("latents", "9") is not None
        assert memory.get("latents", "0") is None
        path = memory.file_path("clip", KEY, ".mp4")
        path.touch()
    assert not path.exists()


def test_a_second_store_finds_it(tmp_path: Path):
    Store(tmp_path).put("latents", KEY, TENSORS)
    assert Store(tmp_path).get("latents", KEY) is not None


def test_files_are_readable_as_the_umask_says(tmp_path: Path):
    old = os.umask(0o022)
    try:
        store = Store(tmp_path)
        store.put("latents", KEY, TENSORS)
    finally:
        os.umask(old)
    assert stat.S_IMODE(artefact_file(store).stat().st_mode) == 0o644


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "foreign"])
def test_a_damaged_artefact_is_noticed_and_made_again(tmp_path: Path, damage: str):
    store = Store(tmp_path)
    store.put("latents", KEY, TENSORS)
    path = artefact_file(store)
    data = bytearray(path.read_bytes())
    data[-3] ^= 16
    path.write_bytes({"flip": data, "cut": data[:-1], "empty": b"", "foreign": b"x" * 500}[damage])
    assert store.get("latents", KEY) is None
    assert path.with_suffix(".damaged").exists()
    assert not path.exists()
    store.put("latents", KEY, TENSORS)
    np.testing.assert_array_equal(store.get("latents", KEY)["x"], TENSORS["x"])


WRITER = """
import sys, numpy as np
from arlon_core.store import Store
store, key = Store(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
for value in range(2, 10**9):
    store.put("latents", key, {"x": np.full(300_000, value, np.int64)}, {"value": value})
"""


def test_a_writer_killed_in_the_middle_leaves_a_whole_artefact(tmp_path: Path):
    store = Store(tmp_path)
    store.put("latents", KEY, {"x": np.full(300_000, 1)}, {"value": 1})
    torn = 0
    for attempt in range(6):
        command = [sys.executable, "-c", WRITER, str(tmp_path), KEY]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
        ) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(0.03 + 0.011 * attempt)
            writer.send_signal(signal.SIGKILL)
        artefact = store.get_artefact("latents", KEY)
        assert artefact is not None
        assert (artefact.tensors["x"] == artefact.meta["value"]).all()
        torn += len([path for path in tmp_path.rglob(".*") if ".partial" in path.name])
    assert not list(tmp_path.rglob("*.damaged"))
    assert torn or artefact.meta["value"] > 1, "the writer never got to write, so nothing was tried"


def test_what_killed_writers_left_is_swept_in_time(tmp_path: Path):
    store = Store(tmp_path)
    folder = store.file_path("latents", KEY, "").parent
    old, new = folder / ".a.0000.partial.safetensors", folder / ".b.0000.partial.safetensors"
    old.touch()
    new.touch()
    os.utime(old, (0, 0))
    Store(tmp_path)
    assert not old.exists()
    assert new.exists()


def test_a_full_disk_is_one_sentence_and_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    store = Store(tmp_path)
    store.put("latents", KEY, TENSORS, {"value": 1})

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ProjectError, match="the disk is full; free some space"):
        store.put("latents", KEY, TENSORS, {"value": 2})
    with pytest.raises(ProjectError, match=r"journal .* the disk is full"):
        store.journal.append("event")
    artefact = store.get_artefact("latents", KEY)
    assert artefact is not None
    assert artefact.meta == {"value": 1}
    assert not [path for path in tmp_path.rglob(".*") if ".partial" in path.name]


def test_places_that_cannot_be_a_project(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(ProjectError, match=r"give the path of a folder|is a file"):
        Store(tmp_path / "file")
    with pytest.raises(ProjectError, match="a part of its path is a file"):
        Store(tmp_path / "file" / "below")
    with pytest.raises(ProjectError, match="cannot be made"):
        Store("/proc/no/such")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(tmp_path: Path):
    (tmp_path / "artefacts").mkdir(mode=0o555)
    with pytest.raises(ProjectError, match="not writable"):
        Store(tmp_path)


def test_replacing_leaves_the_old_file_when_the_block_raises(tmp_path: Path):
    path = tmp_path / "film.mp4"
    path.write_text("old")

    def interrupted() -> None:
        with replacing(path) as partial:
            partial.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    with replacing(path) as partial:
        assert partial.suffix == ".mp4"
        partial.write_text("new")
    assert path.read_text() == "new"
