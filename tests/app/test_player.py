"""Laws of the film player: what it shows follows its value, on real clips in a real Chromium."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from playwright.sync_api import Page

from app import words
from app.components.player import film_player
from app.handlers.player import player_value
from app.handlers.urls import file_url
from arlon_core.generation.events import SegmentReady
from arlon_core.generation.plan import make_plan
from tests import browser as browsers
from tests.app.player_stage import BLUE, BUFFERED, GREEN, PLAN, RED, SECONDS, WHITE, YELLOW, Stage, damage

COUNT_APPENDS = """() => {
  const append = SourceBuffer.prototype.appendBuffer;
  window.appends = 0;
  SourceBuffer.prototype.appendBuffer = function (bytes) { append.call(this, bytes); window.appends++; };
}"""


def test_an_empty_player_says_so(stage: Stage):
    stage.wait_for_status(words.PLAYER["film"]["empty"])
    assert stage.page.is_hidden(".film-message")


def test_plays_across_borders(stage: Stage, browser_log: browsers.BrowserLog):
    colours = [RED, GREEN, BLUE]
    stage.write(*colours)
    stage.tell()
    stage.wait("video.currentTime > it", PLAN.segments[2].start_seconds + 0.2)
    stage.assert_shows(*colours)
    assert browser_log.errors == []


def test_grows_while_it_plays(stage: Stage):
    """The playhead waits at the end of what is rendered, and goes on from there, not from the start."""
    stage.clip(0, RED)
    stage.tell()
    first, second = PLAN.segments[0].stop_seconds, PLAN.segments[1].stop_seconds
    stage.wait_for_status(f"{first:.1f} s of {PLAN.seconds:g} s rendered")
    stage.wait("video.currentTime > it", first - 0.3)
    assert stage.page.evaluate("() => document.querySelector('video').duration") == pytest.approx(
        PLAN.seconds
    )
    stage.clip(1, GREEN)
    stage.tell()
    stage.page.evaluate(
        "() => { window.least = 1e9; const v = document.querySelector('video');"
        "v.addEventListener('timeupdate', () => window.least = Math.min(window.least, v.currentTime)) }"
    )
    stage.wait("video.currentTime > it", second - 0.4)
    assert stage.page.evaluate("() => window.least") > first - 0.5
    stage.wait_for_status(f"{second:.1f} s of {PLAN.seconds:g} s rendered")
    stage.assert_shows(RED, GREEN)


@pytest.mark.parametrize("order", [(2, 1, 0), (1, 0, 2), (2, 0, 1)], ids=str)
def test_segments_come_in_any_order(stage: Stage, order: tuple[int, ...], browser_log: browsers.BrowserLog):
    """Whatever the order, the timeline has no hole and every clip is in its place."""
    colours = [RED, GREEN, BLUE]
    for count, segment in enumerate(order, start=1):
        stage.clip(segment, colours[segment])
        stage.tell()
        stage.wait_for_clips(*order[:count])
    ((start, end),) = stage.page.evaluate(BUFFERED)
    assert (start, end) == (0, pytest.approx(PLAN.seconds, abs=1e-3))
    stage.assert_shows(*colours)
    assert browser_log.errors == []


@pytest.mark.parametrize(("playhead", "done"), [(0, False), (1, False), (2, False), (1, True)])
def test_a_replaced_middle_leaves_the_rest(
    stage: Stage, browser_log: browsers.BrowserLog, playhead: int, done: bool
):
    """Only the new clip is loaded, the playhead stays, the picture under it is the new one."""
    stage.write(RED, GREEN, BLUE)
    stage.tell(done=done)
    stage.wait_for_clips(0, 1, 2)
    stage.seek(playhead)
    time, seen = stage.time, len(browser_log.requests)
    stage.page.evaluate(COUNT_APPENDS)
    new = stage.clip(1, YELLOW)
    stage.tell(done=done)
    stage.wait("window.appends == 1")
    stage.wait_for_clips(0, 1, 2)
    stage.wait_for_colour([RED, YELLOW, BLUE][playhead])
    assert stage.time == time
    stage.assert_shows(RED, YELLOW, BLUE)
    loaded = [url for url in browser_log.requests[seen:] if ".mp4" in url]
    assert [url.split("file=")[1] for url in loaded] == [file_url(new.path).split("file=")[1]]
    assert browser_log.errors == []


def test_a_paused_picture_is_renewed_when_its_clip_went_and_a_new_one_came(stage: Stage):
    """As when a story is rendered again: the film is first as short as what stands of it."""
    stage.write(RED, GREEN, BLUE)
    stage.tell(done=True)
    stage.wait_for_clips(0, 1, 2)
    stage.seek(1)
    time = stage.time
    stage.clips = {0: stage.clips[0]}
    stage.tell()
    stage.wait(f"{SECONDS} < it + 0.01", PLAN.segments[0].stop_seconds)
    stage.clip(1, YELLOW)
    stage.tell()
    stage.wait_for_colour(YELLOW)
    assert stage.time == time


def test_a_replacement_arrives_while_playing(stage: Stage, browser_log: browsers.BrowserLog):
    stage.write(RED, GREEN, BLUE)
    stage.tell()
    stage.wait("video.currentTime > 0.2")
    stage.clip(1, YELLOW)
    stage.tell()
    stage.wait("video.currentTime > it", PLAN.segments[2].start_seconds)
    stage.assert_shows(RED, YELLOW, BLUE)
    assert browser_log.errors == []


def test_the_end_of_the_film_ends_the_video(stage: Stage):
    stage.write(RED, GREEN, BLUE)
    stage.tell(film=stage.clips[0].path)
    stage.wait_for_clips(0, 1, 2)
    stage.wait("video.paused")  # a film that was there already does not start by itself
    stage.seek(2)
    stage.play()
    stage.wait("video.ended && Math.abs(video.duration - it) < 0.01", PLAN.seconds)
    stage.wait_for_status(f"{PLAN.seconds:g} s, complete")


def test_a_film_with_joins_is_seen_as_it_is_and_rendered_again_from_its_clips(
    stage: Stage, browser_log: browsers.BrowserLog
):
    """Here it is half as long as its clips, and white: the playhead stays at what it showed."""
    stage.write(RED, GREEN, BLUE)
    stage.tell()
    stage.wait_for_clips(0, 1, 2)
    stage.seek(1)
    time = stage.time
    film = stage.film(WHITE, WHITE, WHITE, plan=make_plan([0.75] * 3, fps=12))
    stage.tell(film=film, seconds=2.25)
    stage.wait_for_colour(WHITE)
    stage.wait("Math.abs(video.currentTime - it) < 0.1 && Math.abs(video.duration - 2.25) < 0.1", time / 2)
    stage.wait_for_status("2.3 s, complete")
    assert stage.page.evaluate("() => document.querySelector('video').paused")
    stage.clip(1, YELLOW)
    stage.tell()
    stage.wait_for_colour(YELLOW)
    stage.wait("Math.abs(video.currentTime - it) < 0.1", time)
    stage.assert_shows(RED, YELLOW, BLUE)
    assert browser_log.errors == []


def test_a_film_with_joins_plays_on_while_it_is_watched(stage: Stage):
    stage.write(RED, GREEN)
    stage.tell()
    stage.wait("video.currentTime > it", PLAN.segments[0].stop_seconds)
    stage.clip(2, BLUE)
    stage.tell(film=stage.film(WHITE, WHITE, WHITE), edited=True)
    stage.wait("video.ended && video.src.includes('/film.mp4?v=')")
    stage.wait_for_colour(WHITE)
    stage.clips = {}
    stage.clip(0, YELLOW)
    stage.tell()  # another story
    stage.wait("video.currentTime < 1.5 && video.buffered.length == 1 && video.buffered.end(0) < 2")
    stage.wait_for_colour(YELLOW)


def test_a_film_with_joins_waits_on_a_reloaded_page_and_its_clips_play_where_it_is_broken(stage: Stage):
    stage.write(RED, GREEN, BLUE)
    film = stage.film(WHITE, WHITE, WHITE)
    stage.tell(film=film, edited=True)
    stage.page.reload()
    stage.wait_for_colour(WHITE)
    stage.wait("video.paused && video.currentTime == 0")
    damage(film, "noise")
    stage.page.reload()
    stage.wait_for_clips(0, 1, 2)
    stage.assert_shows(RED, GREEN, BLUE)


def test_a_cancelled_render_can_be_watched_to_its_end(stage: Stage):
    stage.clip(0, RED)
    stage.tell(done=True)
    stage.play()
    stage.wait("video.ended")
    stage.clip(1, GREEN)
    stage.tell()  # rendering goes on
    stage.wait_for_clips(0, 1)
    stage.assert_shows(RED, GREEN)


def test_a_reloaded_page_finds_the_film_again(stage: Stage, browser_log: browsers.BrowserLog):
    stage.clip(0, RED)
    stage.clip(1, GREEN)
    stage.tell()
    stage.wait_for_clips(0, 1)
    stage.page.reload()
    browser_log.errors.clear()  # gradio's page that is left may complain of its broken connection
    stage.wait_for_clips(0, 1)
    stage.clip(2, BLUE)
    stage.tell()
    stage.wait_for_clips(0, 1, 2)
    stage.assert_shows(RED, GREEN, BLUE)
    assert browser_log.errors == []


def test_another_story_begins_at_its_beginning(stage: Stage):
    stage.write(RED, GREEN, BLUE)
    stage.tell()
    stage.wait_for_clips(0, 1, 2)
    stage.seek(2)
    stage.clips = {}
    stage.clip(0, WHITE)
    stage.tell()
    stage.wait("video.currentTime < 1.5 && video.buffered.length == 1 && video.buffered.end(0) < 2")
    stage.wait_for_colour(WHITE)


def test_a_segment_taken_out_goes_and_the_later_ones_move_up(stage: Stage):
    stage.write(RED, GREEN, BLUE)
    stage.tell()
    stage.wait_for_clips(0, 1, 2)
    stage.seek(0)
    stage.plan = make_plan([1.5, 1.5], fps=12)
    del stage.clips[2]
    stage.clip(1, BLUE)
    stage.tell()
    stage.wait_for_colour(RED)
    stage.wait(
        "Math.abs(video.duration - it) < 0.01 && Math.abs(video.buffered.end(0) - it) < 0.01",
        stage.plan.seconds,
    )
    stage.assert_shows(RED, BLUE)


def test_a_player_made_again_by_the_page_starts_over(
    tmp_path: Path, page: Page, serve: Callable[..., str], browser_log: browsers.BrowserLog
):
    """gradio takes the element away and brings a new one, as in gr.render."""
    stage = Stage(tmp_path)
    stage.clip(0, RED)
    stage.tell()
    with gr.Blocks() as demo:
        count = gr.Number(0, elem_id="count")

        @gr.render(inputs=count)
        def show(number: float) -> None:
            film_player(stage.value, words=words.PLAYER["film"], elem_id="player", key=int(number))

        gr.Button("again", elem_id="update").click(lambda n: n + 1, count, count)
    stage.open(page, serve(demo, allowed_paths=[str(tmp_path)]))
    stage.wait_for_colour(RED)
    page.evaluate("() => { window.old = document.querySelector('video') }")
    page.click("#update")
    stage.wait("video !== window.old")
    stage.wait_for_colour(RED)
    assert browser_log.errors == []


def test_the_value_follows_the_plan(tmp_path: Path):
    plan = make_plan([4, 2.5, 4], fps=12)
    clips = {
        0: SegmentReady(0, tmp_path / "a b.mp4", plan.segments[0].frames, "aa"),
        1: SegmentReady(1, tmp_path / "stale.mp4", plan.segments[1].frames + 4, "bb"),
        2: SegmentReady(2, tmp_path / "c.mp4", plan.segments[2].frames),
        3: SegmentReady(3, tmp_path / "gone.mp4", 48, "dd"),
    }
    value = player_value(plan, clips)
    first, last = value["segments"]
    assert first["url"] == f"/gradio_api/file={tmp_path}/a%20b.mp4"
    assert (first["index"], first["start"], first["version"]) == (0, 0.0, "aa")
    assert (last["index"], last["start"], last["version"]) == (2, plan.segments[2].start_seconds, "c")
    assert last["start"] + last["duration"] == pytest.approx(value["total"])
    assert (value["done"], value["film"]) == (False, None)
    film = tmp_path / "film.mp4"
    film.write_bytes(b"first")
    finished = player_value(plan, clips, film)
    assert finished["done"]
    film.write_bytes(b"second")
    assert player_value(plan, clips, film)["film"] != finished["film"]
    empty = {"segments": [], "total": 0.0, "done": False, "film": None, "edited": False}
    assert player_value(None, clips) == empty


def test_a_film_that_is_more_than_its_clips_says_so_and_how_long_it_is(tmp_path: Path):
    film = tmp_path / "film.mp4"
    film.write_bytes(b"film")

    def told(*given: Path, **options: Any) -> tuple[float, bool]:
        value = player_value(PLAN, {}, *given, **options)
        return value["total"], value["edited"]

    shorter, plain = PLAN.seconds - 0.5, (PLAN.seconds, False)
    assert told(film) == told(film, seconds=PLAN.seconds) == plain
    assert not told(film, seconds=PLAN.seconds + 4e-5)[1], "a report rounds"
    assert told(film, seconds=shorter) == (shorter, True)
    assert told(film, edited=True) == (PLAN.seconds, True), "a fade or a sound leaves the length"
    assert told(seconds=shorter, edited=True) == plain, "until it is there"


def test_scripts_and_styles_survive_gradios_templates():
    """gradio takes the styles for a Handlebars and a JavaScript template; nothing may look like one."""
    player = film_player(words=words.PLAYER["film"])
    assert not any(mark in player.css_template + player.html_template for mark in ("{{", "${", "`", "\\"))
