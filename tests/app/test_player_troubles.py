"""Laws of the film player where things go wrong: bad clips, old browsers, little memory, odd addresses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from app import words
from arlon_core.generation.plan import make_plan
from tests import browser as browsers
from tests.app.player_stage import BLUE, GREEN, PLAN, RED, WHITE, YELLOW, Stage, damage

NO_MEDIA_SOURCE = "delete window.MediaSource; delete window.ManagedMediaSource"
# Safari on an iPhone: no MediaSource, and its own one never opens where a film could go to another screen.
IPHONE = """
  window.ManagedMediaSource = class extends MediaSource {};
  delete window.MediaSource;
  const {get, set} = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, 'src');
  Object.defineProperty(HTMLMediaElement.prototype, 'src', {get, set(url) {
    if (this.disableRemotePlayback) set.call(this, url);
  }});
"""

# WebKit with GStreamer: the clock runs on while the playhead waits, so a clip that comes late is left out.
RUNS_ON = """
  window.seeked = [];
  const append = SourceBuffer.prototype.appendBuffer;
  SourceBuffer.prototype.appendBuffer = function (bytes) {
    const video = document.querySelector('video');
    const late = () => {
      video.addEventListener('seeked', () => window.seeked.push(video.currentTime));
      video.currentTime = this.buffered.end(0) - 0.05;
    };
    if (video.currentTime > 1) this.addEventListener('update', late, { once: true });
    append.call(this, bytes);
  };
"""

# The playhead at a time, where it waits for more to come.
STOPS = """time => {
  const video = document.querySelector('video');
  const wait = () => {
    Object.defineProperty(video, 'readyState', { get: () => HTMLMediaElement.HAVE_CURRENT_DATA });
    video.dispatchEvent(new Event('waiting'));
  };
  video.addEventListener('seeked', wait, { once: true });
  video.play();
  video.currentTime = time;
}"""


@pytest.mark.parametrize("how", ["noise", "empty", "boxes", "cut", "pictures", "slices", "gone"])
def test_a_damaged_clip_is_named_and_the_rest_plays(stage: Stage, how: str):
    """The message names the segment; the clips around it play; a new clip in its place mends the film."""
    stage.clip(0, RED)
    damage(stage.clip(1, GREEN).path, how)
    stage.clip(2, BLUE)
    stage.tell()
    word = "unreachable" if how == "gone" else "damaged"
    stage.page.wait_for_selector(".film-message:not([hidden])")
    assert stage.page.inner_text(".film-message") == words.PLAYER["film"][word].format(number=2)
    stage.wait("video.currentTime > it", PLAN.segments[2].start_seconds)  # it plays on behind the hole
    stage.assert_shows(RED)
    stage.clip(1, YELLOW)
    stage.tell()
    stage.wait_for_clips(0, 1, 2)
    stage.page.wait_for_selector(".film-message", state="hidden")
    stage.assert_shows(RED, YELLOW, BLUE)


def test_playing_that_stops_some_frames_before_a_damaged_clip_goes_on_behind_it(stage: Stage):
    """Decoders keep back frames that they may yet reorder, and stop where the last they gave ends."""
    stage.page.evaluate("() => { document.querySelector('video').defaultPlaybackRate = 0 }")  # it stays put
    stage.clip(0, RED)
    damage(stage.clip(1, GREEN).path, "empty")
    stage.clip(2, BLUE)
    stage.tell()
    stage.wait_for_clips(0, 2)
    stage.page.evaluate(STOPS, PLAN.segments[1].start_seconds - 0.3)
    stage.wait("video.currentTime >= it", PLAN.segments[2].start_seconds - 0.01)


def test_without_media_source_the_clips_play_one_after_another(
    tmp_path: Path, new_page: Callable[..., Page], serve: Callable[..., str]
):
    stage = Stage(tmp_path)
    stage.open(new_page(init_script=NO_MEDIA_SOURCE), serve(stage.app(), allowed_paths=[str(tmp_path)]))
    stage.clip(0, RED)
    stage.tell()
    stage.wait_for_colour(RED)
    stage.wait("video.ended")
    stage.clip(1, GREEN)
    stage.tell()
    stage.wait_for_colour(GREEN)
    stage.wait("video.ended")
    stage.clip(2, BLUE)
    stage.tell(film=stage.film(RED, GREEN, BLUE))
    stage.wait("!video.paused && video.currentTime > it", PLAN.segments[2].start_seconds)  # it goes on
    stage.wait_for_colour(BLUE)
    assert "/film.mp4?v=" in stage.page.evaluate("() => document.querySelector('video').src")
    stage.wait("video.ended")
    stage.assert_shows(RED, GREEN, BLUE)


def test_a_paused_clip_becomes_the_film_where_it_stood_without_media_source(
    tmp_path: Path, new_page: Callable[..., Page], serve: Callable[..., str]
):
    stage = Stage(tmp_path)
    stage.open(new_page(init_script=NO_MEDIA_SOURCE), serve(stage.app(), allowed_paths=[str(tmp_path)]))
    stage.clip(0, RED)
    stage.tell()
    stage.wait("video.ended")
    stage.clip(1, GREEN)
    stage.tell()
    stage.wait("video.currentTime > 0 && !video.ended")
    stage.pause()
    time = stage.time
    stage.clip(2, BLUE)
    stage.tell(film=stage.film(RED, GREEN, BLUE))
    stage.wait("Math.abs(video.currentTime - it) < 0.01", PLAN.segments[1].start_seconds + time)
    stage.wait_for_colour(GREEN)
    assert stage.page.evaluate("() => document.querySelector('video').paused")


@pytest.mark.parametrize("finished", [True, False])
def test_another_story_takes_the_place_of_the_film_without_media_source(
    tmp_path: Path, new_page: Callable[..., Page], serve: Callable[..., str], finished: bool
):
    """Also one with nothing to show yet, and while the film or a clip of before plays."""
    stage = Stage(tmp_path)
    stage.open(new_page(init_script=NO_MEDIA_SOURCE), serve(stage.app(), allowed_paths=[str(tmp_path)]))
    stage.write(RED, GREEN, BLUE)
    stage.tell(film=stage.film(RED, GREEN, BLUE) if finished else None)
    stage.wait_for_colour(RED)
    stage.play()
    stage.clips = {}
    stage.tell()
    stage.wait("!video.src && !video.videoWidth")
    stage.clip(0, WHITE)
    stage.tell()
    stage.wait_for_colour(WHITE)
    stage.play()
    stage.clips = {}
    stage.clip(0, YELLOW)
    stage.tell()
    stage.wait_for_colour(YELLOW)


def test_with_the_media_source_of_iphones_the_film_is_streamed(
    tmp_path: Path, new_page: Callable[..., Page], serve: Callable[..., str], browser_log: browsers.BrowserLog
):
    stage = Stage(tmp_path)
    stage.open(new_page(init_script=IPHONE), serve(stage.app(), allowed_paths=[str(tmp_path)]))
    stage.write(RED, GREEN, BLUE)
    stage.tell()
    stage.wait_for_clips(0, 1, 2)
    stage.assert_shows(RED, GREEN, BLUE)
    assert browser_log.errors == []


def test_a_clip_that_was_waited_for_is_seen_from_its_beginning(
    tmp_path: Path, new_page: Callable[..., Page], serve: Callable[..., str]
):
    stage = Stage(tmp_path)
    stage.open(new_page(init_script=RUNS_ON), serve(stage.app(), allowed_paths=[str(tmp_path)]))
    stage.clip(0, RED)
    stage.tell()
    end = PLAN.segments[0].stop_seconds
    stage.wait("!video.paused && video.readyState < 3 && video.currentTime > it - 0.4", end)
    stage.clip(1, GREEN)
    stage.tell()
    stage.wait("window.seeked.length")
    assert -0.4 < stage.page.evaluate("() => window.seeked.at(-1)") - end < 0.05


def test_a_film_larger_than_the_browsers_memory_plays_to_its_end_and_again(
    tmp_path: Path, chromium: Browser, serve: Callable[..., str]
):
    """What was played makes room for what comes, and is loaded again when the viewer goes back."""
    colours = [RED, GREEN, BLUE, YELLOW, RED, GREEN, BLUE, YELLOW]
    stage = Stage(tmp_path, plan=make_plan([1.0] * len(colours), fps=12))
    for segment, colour in enumerate(colours):
        stage.clip(segment, colour, scale=3)
    size = sum(clip.path.stat().st_size for clip in stage.clips.values())
    assert size > 1.3 * 2**20, "all fits; the test says nothing"
    stage.tell(done=True)
    small = chromium.browser_type.launch(
        executable_path=browsers.find_chromium(),
        args=[*browsers.ARGUMENTS, "--mse-video-buffer-size-limit-mb=1"],
    )
    log = browsers.BrowserLog()
    stage.open(browsers.new_page(small, log), serve(stage.app(), allowed_paths=[str(tmp_path)]))
    stage.wait("video.readyState >= 2")
    stage.page.evaluate("() => { document.querySelector('video').playbackRate = 3 }")
    stage.play()
    stage.wait("video.ended")
    stage.assert_shows(RED)
    stage.play()
    stage.wait("video.ended")
    loads = [url for url in log.requests if ".mp4" in url]
    assert len(loads) < 3 * len(colours), "clips push each other out of the buffer"
    assert log.errors == []
    small.close()


def test_served_below_a_path_and_behind_a_login(
    tmp_path: Path, page: Page, serve: Callable[..., str], browser_log: browsers.BrowserLog
):
    """As behind a reverse proxy; the folder's name needs quoting in a URL."""
    folder = tmp_path / "öl & 100% #1?"
    folder.mkdir()
    stage = Stage(folder)
    stage.clip(0, RED)
    stage.tell()
    url = serve(stage.app(), allowed_paths=[str(tmp_path)], root_path="/studio", auth=("me", "secret"))
    page.goto(url.rstrip("/") + "/studio/")
    page.fill("input[type=text], label:has-text('username') input", "me")
    page.fill("input[type=password]", "secret")
    page.click("button:has-text('Login')")
    page.wait_for_selector("#player video")
    stage.page = page
    stage.wait_for_colour(RED)
    clips = [url for url in browser_log.requests if ".mp4" in url]
    assert clips
    assert all("/studio/gradio_api/" in url for url in clips)
