"""Held-out stories: never seen, all shown, the right frames, and one request but for F."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from arlon_core.cli import main
from arlon_core.errors import ArlonError
from arlon_core.evaluation import held_out, stories
from arlon_core.evaluation.held_out import FIRST_STORY, held_out_story
from arlon_core.evaluation.sheets import MAX_SIDE, save_sheet
from arlon_core.generation.plan import make_plan
from arlon_core.generation.render import render
from arlon_core.media.contact_sheet import GAP, MARGIN
from arlon_core.media.segment_writer import SegmentWriter
from arlon_core.world.renderer import StoryworldRenderer
from arlon_core.world.script import HELD_OUT

WIDTH = 192


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stories of a few latent frames, rendered in few steps."""
    monkeypatch.setattr(held_out, "_LEAST_LATENTS", 6)
    monkeypatch.setattr(held_out, "_MOST_LATENTS", 7)
    monkeypatch.setattr(stories, "STEPS_WITHOUT_F", 3)


# -- which stories --------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(FIRST_STORY, FIRST_STORY + 8))
def test_a_story_has_the_borders_and_captions_of_its_script(number: int):
    held = held_out_story(number, fps=12)
    script, plan = held.script, make_plan([s.seconds for s in held.story.segments], fps=12)
    assert 3 <= len(script.segments) <= 6
    assert [s.stop_frame for s in plan.segments] == [s.stop_frame for s in script.segments]
    assert plan.frames == script.frames
    assert [s.prompt for s in held.story.segments] == [s.caption for s in script.segments]
    for frame, segment in zip(held.shown, script.segments, strict=True):
        length = segment.stop_frame - segment.start_frame
        assert segment.start_frame + length * 2 / 3 <= frame < segment.stop_frame


def test_stories_are_held_out_and_in_order():
    seeds = [held_out_story(FIRST_STORY + i, 12).script.seed for i in range(20)]
    assert seeds == list(range(HELD_OUT + FIRST_STORY, HELD_OUT + FIRST_STORY + 20))
    lengths = [len(held_out_story(i, 12).script.segments) for i in range(8)]
    assert sorted(set(lengths)) == [3, 4, 5, 6]


def test_a_story_that_is_not_held_out_is_refused():
    with pytest.raises(ArlonError, match="no held-out story"):
        held_out_story(-1, 12)


# -- which frames ---------------------------------------------------------------------------------------


def test_the_shown_picture_is_the_frame_asked_for(tmp_path: Path):
    frames = (
        np.arange(0, 240, 10, dtype=np.uint8)[:, None, None, None].repeat(32, 1).repeat(32, 2).repeat(3, 3)
    )
    writer = SegmentWriter(tmp_path / "clip.mp4", 12, crf=1)
    writer.write(frames)
    writer.close()
    for frame in range(24):
        assert abs(float(stories._picture(tmp_path / "clip.mp4", frame).mean()) - 10 * frame) < 4


def test_true_pictures_are_the_scripts_frames(tiny_pipeline):
    held = held_out_story(FIRST_STORY, 12)
    pictures = stories._true_pictures(tiny_pipeline, held)
    renderer = StoryworldRenderer(tiny_pipeline.config.height, tiny_pipeline.config.width)
    drawn = renderer.render([held.script], held.shown[1], 2).frames[0]
    assert len(pictures) == len(held.script.segments)
    assert np.array_equal(pictures[1], drawn[0].permute(1, 2, 0).numpy())


# -- the whole ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_sheets_and_json_show_every_story(tiny_pipeline, tmp_path: Path, short: None, monkeypatch):
    monkeypatch.setattr(stories, "_ON_A_SHEET", 2)
    result = stories.evaluate_stories(tiny_pipeline, tmp_path, count=3, films=2, without_f=1)
    files = ["animatics-1.webp", "animatics-2.webp", "films", "films-1.webp", "stories.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == files
    assert json.loads((tmp_path / "stories.json").read_text()) == result
    assert result["steps_with_f"] == tiny_pipeline.config.num_inference_steps
    assert result["steps_without_f"] == 3
    assert [story["script_seed"] - HELD_OUT - FIRST_STORY for story in result["stories"]] == [0, 1, 2]
    for number, story in enumerate(result["stories"]):
        held = held_out_story(FIRST_STORY + number, 12)
        assert [s["prompt"] for s in story["segments"]] == [s.caption for s in held.script.segments]
        assert all(s["text"].endswith((s["prompt"], s["prompt"] + ".")) for s in story["segments"])
        films = ["film_with_f", "film_without_f"][: 2 - number]
        assert list(story["times"]) == ["animatic", *films]
        assert story["times"]["animatic"]["seconds"]["tokens"] > 0
        assert story["times"]["animatic"]["seconds"]["denoise"] == 0
    with Image.open(tmp_path / "animatics-2.webp") as sheet:
        most = len(result["stories"][2]["segments"])
        assert sheet.width == most * WIDTH + (most - 1) * GAP + 2 * MARGIN


@pytest.mark.slow
def test_a_run_that_was_cut_goes_on_and_times_only_what_it_makes(
    tiny_pipeline, tmp_path: Path, short: None, monkeypatch
):
    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    options = {"count": 2, "films": 2, "without_f": 1, "steps": 2}
    with monkeypatch.context() as patched:
        patched.setattr(stories, "_film_sheets", cut_off)
        with pytest.raises(KeyboardInterrupt):
            stories.evaluate_stories(tiny_pipeline, tmp_path, **options | {"films": 1})
    result = stories.evaluate_stories(tiny_pipeline, tmp_path, **options)
    assert [list(story["times"]) for story in result["stories"]] == [[], ["film_with_f"]]


@pytest.mark.slow
def test_films_differ_in_f_alone(tiny_pipeline, tmp_path: Path, short: None, monkeypatch):
    """Both films of a story are asked for with one story and one project; only steps and F change."""
    asked, frames = [], []
    picture = stories._picture

    def watched(pipe, story, project, **options):
        asked.append((story, project, options))
        return render(pipe, story, project, **options)

    def watched_picture(clip: Path, frame: int) -> np.ndarray:
        frames.append(frame)
        return picture(clip, frame)

    monkeypatch.setattr(stories, "render", watched)
    monkeypatch.setattr(stories, "_picture", watched_picture)
    stories.evaluate_stories(tiny_pipeline, tmp_path, count=1, films=1, steps=2)
    (story, project, with_f), (same_story, same_project, without_f) = asked
    assert (story, project) == (same_story, same_project)
    assert with_f == {"steps": 2, "with_animatic": False, "use_coarse": True}
    assert without_f == {"steps": 3, "with_animatic": False, "use_coarse": False}
    held = held_out_story(FIRST_STORY, 12)
    places = zip(held.shown, held.script.segments, strict=True)
    assert frames == [shown - segment.start_frame for shown, segment in places] * 3


# -- sheets ---------------------------------------------------------------------------------------------


def test_a_large_sheet_keeps_its_colours_and_gets_smaller_only_to_fit(tmp_path: Path):
    """In 256 colours yellows looked orange."""
    pixels = np.random.default_rng(0).integers(0, 256, (192, 288, 3), dtype=np.uint8)
    y, x = np.mgrid[0:96, 0:288]
    pixels[:96] = np.stack([255 - y, 255 - 2 * y, x * 200 // 288], -1)  # many colours, and all yellows
    drawn, path, sizes = Image.fromarray(pixels), tmp_path / "sheet.webp", []
    for limit in (1_000_000, 20_000):
        save_sheet(drawn, path, limit)
        assert path.stat().st_size <= limit
        with Image.open(path) as sheet:
            sizes.append(sheet.size)
            shown, wanted = (
                np.asarray(each, int) for each in (sheet.convert("RGB"), drawn.resize(sheet.size))
            )
        smooth = sheet.height * 3 // 8
        assert np.abs(shown[:smooth] - wanted[:smooth]).mean() < 3
    assert sizes[0] == (288, 192)
    assert sizes[1] < sizes[0]


def test_a_sheet_taller_than_webp_can_be_is_written_whole(tmp_path: Path):
    save_sheet(Image.new("RGB", (40, MAX_SIDE + 1000), "white"), tmp_path / "sheet.webp")
    with Image.open(tmp_path / "sheet.webp") as sheet:
        assert sheet.height == MAX_SIDE
        assert 36 <= sheet.width < 40


# -- the command ----------------------------------------------------------------------------------------


def test_the_command_hands_its_options_on(tiny_folder: Path, tmp_path: Path, monkeypatch, capsys):
    called = {}

    def evaluate(pipe, out, **options) -> None:
        called.update(options, model=pipe.name, out=out)

    monkeypatch.setattr(stories, "evaluate_stories", evaluate)
    place = ["--model", str(tiny_folder), "--out", str(tmp_path / "new" / "folder"), "--device", "cpu"]
    options = ["--count", "4", "--films", "2", "--without-f", "1", "--steps", "5", "--first-seed", "12"]
    assert main(["evaluate", "stories", *place, *options]) == 0
    out = tmp_path / "new" / "folder"
    assert called == {
        "count": 4, "films": 2, "without_f": 1, "steps": 5, "first": 12,
        "model": str(tiny_folder), "out": out,
    }  # fmt: skip
    assert "4 stories" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--model", "nowhere/at/all"], "does not exist"),
        (["--first-seed", str(1 << 61)], "too large"),
        (["--out", "file"], "cannot be written"),
    ],
    ids=["model", "seed", "out"],
)
def test_what_cannot_begin_is_refused(
    options: list[str], said: str, tiny_folder: Path, tmp_path: Path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("in the way")
    assert main(["evaluate", "stories", "--model", str(tiny_folder), *options]) == 2
    assert said in capsys.readouterr().err
    assert Path("file").read_text() == "in the way"
