from __future__ import annotations

import json

import av
import numpy as np
import pytest

from arlon_core.media.frames import to_rgb
from arlon_core.world import export
from arlon_core.world.renderer import StoryworldRenderer
from arlon_core.world.script import sample_script


@pytest.fixture(autouse=True)
def small_pages(monkeypatch):
    monkeypatch.setattr(
        export, "StoryworldRenderer", lambda device="cpu": StoryworldRenderer(64, 112, device)
    )


def test_films_and_json_of_episodes(tmp_path):
    paths = export.export_episodes(2, 1, 5, tmp_path / "new")
    assert [path.name for path in paths] == [
        "episode-000005.mp4", "episode-000005.json", "episode-000006.mp4", "episode-000006.json",
    ]  # fmt: skip
    assert len(list((tmp_path / "new").iterdir())) == 4
    script = sample_script(6, 13)
    facts = json.loads(paths[3].read_text(encoding="utf-8"))
    assert facts["seed"] == 6
    assert facts["fps"] == 12
    assert facts["frames"] == 13
    assert [s["caption"] for s in facts["segments"]] == [s.caption for s in script.segments]
    assert facts["segments"][0]["attributes"]["subject"] == script.segments[0].attributes.subject
    with av.open(str(paths[2])) as film:
        assert film.streams.video[0].codec_context.pix_fmt == "yuv420p"
        pictures = [to_rgb(frame) for frame in film.decode(video=0)]
    assert len(pictures) == 13
    drawn = export.pictures(StoryworldRenderer(64, 112), script, 10, 1)[0]
    assert np.abs(pictures[10].astype(int) - drawn).mean() < 6


@pytest.mark.parametrize(("seconds", "frames"), [(0.01, 1), (1, 13), (5, 61), (5.1, 61), (5.2, 65)])
def test_episode_lengths_are_4n_minus_3(seconds, frames):
    assert export.episode_frames(seconds) == frames


@pytest.mark.parametrize(
    ("count", "seconds"), [(0, 5), (1, 0), (1, -2), (1, float("nan")), (1, float("inf"))]
)
def test_impossible_requests_write_nothing(tmp_path, count, seconds):
    with pytest.raises(ValueError, match=r"episode|second|count"):
        export.export_episodes(count, seconds, 0, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_contact_sheet(tmp_path):
    path = export.contact_sheet(tmp_path / "docs" / "sheet.webp", range(3), columns=2, frames=5, width=64)
    assert path.stat().st_size > 1000
