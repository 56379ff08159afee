"""The whole of it: `python app.py` with a real model, driven in Chromium as a person would."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import av
import pytest
from playwright.sync_api import Page, expect

from app import words
from arlon_core.generation.events import SegmentReady
from arlon_core.generation.render import render
from arlon_core.media.frames import to_rgb
from arlon_core.pipeline import ArlonPipeline
from arlon_core.store.journal import Journal
from arlon_core.story import parse_story
from tests.app.real_model import SECONDS, SHIPPED, STEPS, plan_of
from tests.app.studio_page import open_settings
from tests.app.studio_process import StudioProcess
from tests.browser import BrowserLog

pytestmark = pytest.mark.slow

PATIENCE = 900_000  # milliseconds; a render took over five minutes on a machine that was slow and shared
PROMPTS = (
    "A red balloon rises over green hills at dawn.",
    "The sun climbs and the balloon drifts right over the sea.",
    "Night falls and a white bird joins the balloon.",
)

# Notes what the film's player holds, how far the bar is, and whether the job still runs, many times a second.
RECORD = """() => {
  window.seen = [];
  setInterval(() => {
    const { buffered } = document.querySelector('#film video');
    const end = buffered.length ? buffered.end(buffered.length - 1) : 0;
    const { state } = document.querySelector('.progress-display').dataset;
    window.seen.push([end, document.querySelector('.progress-display progress').value, state]);
  }, 50);
}"""
PICTURE = """selector => {
  const canvas = Object.assign(document.createElement('canvas'), {width: 56, height: 32});
  const context = canvas.getContext('2d');
  context.drawImage(document.querySelector(selector), 0, 0, 56, 32);
  return [...context.getImageData(0, 0, 56, 32).data];
}"""


@pytest.fixture
def page(new_page) -> Page:
    return new_page(patience=PATIENCE)


class Visit:
    """One page of a running studio, and what a person does there."""

    def __init__(self, page: Page, studio: StudioProcess) -> None:
        self.page, self.studio = page, studio
        page.goto(studio.url)
        expect(page.locator("#story-choice option").first).to_be_attached()

    @property
    def headline(self):
        return self.page.locator(".headline")

    def write(self, prompts: tuple[str, ...] = PROMPTS) -> None:
        lines = [f"[{SECONDS:g}s] {prompt}" for prompt in prompts]
        self.page.click("#tab-text")
        self.page.fill("#story-text", "\n".join(["title: The balloon", "seed: 3", "", *lines, ""]))
        self.page.click("#tab-cards")
        expect(self.page.locator(".story-cards li")).to_have_count(len(prompts))
        for number, prompt in enumerate(prompts):
            expect(self.page.locator(".story-cards .prompt").nth(number)).to_have_value(prompt)

    def story(self) -> str:
        return self.page.input_value("#story-text")

    def change(self, card: int, prompt: str) -> None:
        """Type another prompt into a card, key by key."""
        area = self.page.locator(".story-cards .prompt").nth(card)
        area.fill("")
        area.press_sequentially(prompt, delay=5)
        self.page.wait_for_function(
            "it => document.getElementById('story-text').value.includes(it)", arg=prompt
        )

    def render(self) -> None:
        steps = self.page.get_by_label(words.SETTING["steps"])
        if not steps.is_visible():
            open_settings(self.page)
        steps.fill(str(STEPS))
        steps.press("Tab")
        self.page.click("#render")

    def wait_for_chunk(self, number: int) -> None:
        """Until the render is in this chunk or a later one."""
        later = f"() => +(/chunk (\\d+)/.exec(document.body.innerText) ?? [0, 0])[1] >= {number}"
        self.page.wait_for_function(later)

    def wait_for_clips(self, log: BrowserLog, count: int) -> set[str]:
        """The films' clips that the page has asked for so far, at least `count` of them."""
        end = time.monotonic() + PATIENCE / 1000
        while len(clips := {url for url in log.requests if "/artefacts/clip/" in url}) < count:
            assert time.monotonic() < end, f"the page has asked for {len(clips)} clips of {count}"
            self.page.wait_for_timeout(100)
        return clips

    def assert_plays(self, player: str) -> None:
        """Time goes on, and with it the pictures."""
        video = f"#{player} video"
        sought = "video => new Promise(done => { video.onseeked = done; video.currentTime = 0; })"
        self.page.eval_on_selector(video, sought)  # until then the picture may be of another moment
        before = self.page.evaluate(PICTURE, video)
        self.page.eval_on_selector(video, "video => video.play()")
        self.page.wait_for_function("it => document.querySelector(it).currentTime > 0.5", arg=video)
        changed = f"([video, before]) => ({PICTURE})(video).some((each, i) => each !== before[i])"
        self.page.wait_for_function(changed, arg=[video, before])
        self.page.eval_on_selector(video, "video => video.pause()")

    def download(self, to: Path) -> Path:
        with self.page.expect_download() as download:
            self.page.click("text=" + words.DOWNLOAD["film"])
        download.value.save_as(to)
        return to

    def project(self) -> Path:
        return next(path for path in self.studio.projects.iterdir() if path.name.startswith("the-balloon-"))

    def events(self, name: str) -> list[dict]:
        """The project's journalled events of one kind, oldest first."""
        lines = Journal(self.project() / "journal.jsonl").read("event")
        return [line["event"] for line in lines if line["event"]["event"] == name]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., StudioProcess]]:
    """Starts studios on one projects folder: `start()`, or `start(port=...)` in the place of a killed one."""
    with ExitStack() as stack:

        def make(**options) -> StudioProcess:
            studio = StudioProcess(tmp_path, "--model", SHIPPED, **options)
            stack.callback(studio.kill)
            return studio.wait()

        yield make


def test_from_a_prompt_to_a_film_that_plays_and_to_another(start, page: Page, browser_log, tmp_path: Path):
    studio = start(guarded=True)
    here = Visit(page, studio)
    here.write()
    page.click("#make-animatic")
    expect(here.headline).to_have_text(words.DONE["animatic"])
    here.assert_plays("animatic")

    page.evaluate(RECORD)
    here.render()
    expect(here.headline).to_have_text(words.DONE["render"])
    running = [(end, percent) for end, percent, state in page.evaluate("window.seen") if state == "running"]
    lengths = sorted({round(end, 1) for end, _ in running})
    assert len(lengths) > 2, f"the film grows while it is rendered: {lengths}"
    assert [end for end, _ in running] == sorted(end for end, _ in running)
    assert len({percent for _, percent in running}) > 2, "the bar moves"
    here.assert_plays("film")

    film = here.download(tmp_path / "film.mp4")
    with av.open(str(film)) as container:
        pictures = [to_rgb(frame) for frame in container.decode(video=0)]
    assert len(pictures) == plan_of(PROMPTS).frames
    assert any((picture != pictures[0]).any() for picture in pictures)
    another_prompt_renders_only_from_there_on(here, browser_log)
    assert browser_log.errors == []
    assert studio.outside == []


def another_prompt_renders_only_from_there_on(here: Visit, log: BrowserLog) -> None:
    """The second of a finished film."""
    first = [event["frame_hash"] for event in here.events("SegmentReady")]
    before = here.wait_for_clips(log, len(PROMPTS))
    here.change(1, "A white bird comes along.")
    states = here.page.locator("#film-timeline li")
    expect(states.nth(1)).not_to_have_attribute("data-state", "done")
    assert states.nth(0).get_attribute("data-state") == "done"
    here.render()
    expect(here.page.locator("#film-timeline li[data-state=done]")).to_have_count(len(PROMPTS))
    expect(here.headline).to_have_text(words.DONE["render"])
    second = here.events("SegmentReady")[len(first) :]
    assert [event["cached"] for event in second] == [True, False, False]
    hashes = [event["frame_hash"] for event in second]
    assert hashes[0] == first[0]
    assert all(old != new for old, new in zip(first[1:], hashes[1:], strict=True))
    clips = here.wait_for_clips(log, len(PROMPTS) + 2)
    assert len(clips - before) == 2, "the page loads the new clips, and leaves the other where it is"


def test_a_render_is_found_again_after_a_reload_and_can_be_cancelled(start, page: Page):
    here = Visit(page, start())
    here.write()
    here.render()
    here.wait_for_chunk(2)
    page.reload()
    expect(here.headline).to_have_text(re.compile("^Rendering segment"))
    expect(page.locator("#story-text")).to_have_value(re.compile("title: The balloon"))
    page.click("#cancel")
    expect(here.headline).to_have_text(words.CANCELLED["render"])
    expect(page.locator(".progress-display .detail")).to_have_text(words.CANCELLED_DETAIL)
    assert here.events("FilmReady") == []
    done = len(here.events("ChunkReady"))
    assert done > 0
    here.render()
    expect(here.headline).to_have_text(words.DONE["render"])
    again = here.events("ChunkReady")[done:]
    assert [event["cached"] for event in again[:done]] == [True] * done, "it went on from what was kept"


def test_a_killed_studio_goes_on_and_the_film_is_the_same(start, page: Page, tmp_path: Path):
    studio = start()
    here = Visit(page, studio)
    here.write()
    here.render()
    expect(page.locator("#film-timeline li[data-state=done]")).not_to_have_count(0)
    studio.kill()
    page.goto("about:blank")  # a page left open would load itself again, in the way of the visit below
    done = len(here.events("ChunkReady"))
    assert 0 < done < len(plan_of(PROMPTS).chunks)
    assert here.events("FilmReady") == []

    here = Visit(page, start(port=studio.port))
    here.render()
    expect(here.headline).to_have_text(words.DONE["render"])
    again = here.events("ChunkReady")[done:]
    assert [event["cached"] for event in again] == [True] * done + [False] * (len(again) - done)
    resumed = [event["frame_hash"] for event in here.events("SegmentReady")[-len(PROMPTS) :]]
    pipe = ArlonPipeline.from_pretrained(SHIPPED, device="cpu")
    unbroken = render(pipe, parse_story(here.story()), tmp_path / "unbroken", steps=STEPS)
    assert resumed == [event.frame_hash for event in unbroken if isinstance(event, SegmentReady)]
