"""A page with a film player, and clips for it: a colour a segment, so what is seen says which one plays."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from playwright.sync_api import Page

from app import words
from app.components.player import film_player
from app.handlers.player import player_value
from arlon_core.generation.events import SegmentReady
from arlon_core.generation.plan import Plan, make_plan
from arlon_core.media.segment_writer import SegmentWriter

RED, GREEN, BLUE, YELLOW, WHITE = (200, 30, 30), (30, 180, 30), (30, 30, 200), (210, 210, 30), (230, 230, 230)
PLAN = make_plan([1.5, 1.5, 1.5], fps=12)
TOLERANCE = 25  # of 255; the encoder may be off by a little

# The mean colour of what the video shows.
COLOUR = """() => {
  const canvas = Object.assign(document.createElement('canvas'), {width: 8, height: 8});
  const context = canvas.getContext('2d');
  context.drawImage(document.querySelector('video'), 0, 0, 8, 8);
  const data = context.getImageData(0, 0, 8, 8).data;
  return [0, 1, 2].map(c => data.filter((_, i) => i % 4 == c).reduce((a, b) => a + b) / 64);
}"""
SECONDS = """[...Array(video.buffered.length).keys()].reduce(
  (sum, i) => sum + video.buffered.end(i) - video.buffered.start(i), 0)"""
BUFFERED = """() => {
  const ranges = document.querySelector('video').buffered;
  return [...Array(ranges.length).keys()].map(i => [ranges.start(i), ranges.end(i)]);
}"""


@dataclass
class Stage:
    """A page with a player on it, and the clips that it plays."""

    folder: Path
    plan: Plan = PLAN
    clips: dict[int, SegmentReady] = field(default_factory=dict)
    value: dict[str, Any] | None = None
    page: Page = None  # type: ignore[assignment]
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def app(self) -> gr.Blocks:
        with gr.Blocks() as demo:
            player = film_player(words=words.PLAYER["film"], elem_id="player")
            button = gr.Button("update", elem_id="update")
            button.click(lambda: self.value, outputs=player, show_progress="hidden")
            demo.load(lambda: self.value, outputs=player, show_progress="hidden")
        return demo

    def clip(self, segment: int, colour: tuple[int, int, int], scale: int = 1) -> SegmentReady:
        """Write a segment's clip in one colour, as the engine would; scaled, it is large and has noise."""
        frames = self.plan.segments[segment].frames
        path = self.folder / f"{segment}-{'-'.join(map(str, colour))}.mp4"
        with SegmentWriter(path, self.plan.fps) as writer:
            pictures = np.full((frames, 64 * scale, 112 * scale, 3), colour, np.uint8)
            noise = 25 if scale > 1 else 1
            writer.write(pictures + self.random.integers(0, noise, pictures.shape, np.uint8))
        self.clips[segment] = SegmentReady(segment, path, frames, writer.frame_hash)
        return self.clips[segment]

    def write(self, *colours: tuple[int, int, int]) -> None:
        """Clips in these colours for the segments from the first on."""
        for segment, colour in enumerate(colours):
            self.clip(segment, colour)

    def film(self, *colours: tuple[int, int, int], plan: Plan | None = None) -> Path:
        """The finished film: all segments in these colours in one file, as long as in `plan`."""
        path = self.folder / "film.mp4"
        plan = plan or self.plan
        with SegmentWriter(path, plan.fps) as writer:
            for segment, colour in zip(plan.segments, colours, strict=True):
                writer.write(np.full((segment.frames, 64, 112, 3), colour, np.uint8))
        return path

    def tell(self, **options: Any) -> None:
        """Give the page the value that stands for all clips written so far."""
        self.value = player_value(self.plan, self.clips, **options)
        if self.page is not None:
            self.page.click("#update")

    def open(self, page: Page, url: str) -> Stage:
        page.goto(url)
        page.wait_for_selector("#player video")
        self.page = page
        return self

    def wait(self, condition: str, argument: Any = None) -> None:
        """Until a JavaScript expression about `video` (and `it`, the argument) holds."""
        expression = (
            f"it => {{ const video = document.querySelector('video'); return video && {condition}; }}"
        )
        self.page.wait_for_function(expression, arg=argument)

    def wait_for_clips(self, *segments: int) -> None:
        """Until the timeline holds as many seconds as these segments have."""
        total = sum(self.plan.segments[segment].frames for segment in segments) / self.plan.fps
        self.wait(f"{SECONDS} > it - 0.01", total)

    def play(self) -> None:
        self.page.evaluate("() => document.querySelector('video').play()")

    def pause(self) -> None:
        self.page.evaluate("() => document.querySelector('video').pause()")

    def seek(self, segment: int) -> None:
        """Pause in the middle of a segment."""
        planned = self.plan.segments[segment]
        time = (planned.start_seconds + planned.stop_seconds) / 2
        self.page.evaluate(
            "t => { const v = document.querySelector('video'); v.pause(); v.currentTime = t }", time
        )
        self.wait("!video.seeking && video.readyState >= 2")

    def wait_for_colour(self, colour: tuple[int, int, int]) -> None:
        """Until the video shows `colour`; one that plays on may not: a busy browser drops its frames."""
        near = f"video.videoWidth && ({COLOUR})().every((value, c) => Math.abs(value - it[c]) < {TOLERANCE})"
        self.wait(near, list(colour))

    def assert_shows(self, *colours: tuple[int, int, int]) -> None:
        """The segments show these colours, from the first on."""
        for segment, colour in enumerate(colours):
            self.seek(segment)
            self.wait_for_colour(colour)

    @property
    def time(self) -> float:
        return self.page.evaluate("() => document.querySelector('video').currentTime")

    def wait_for_status(self, text: str) -> None:
        self.page.wait_for_selector(f".film-status:text-is('{text}')")


def damage(path: Path, how: str) -> None:
    data = path.read_bytes()
    if how == "noise":
        path.write_bytes(bytes(range(256)) * 40)
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "boxes":
        head = data.index(b"moof") + 8
        path.write_bytes(data[:head] + b"\xff" * (len(data) - head))
    elif how == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif how == "pictures":
        head = data.index(b"mdat") + 4
        path.write_bytes(data[:head] + b"\xee" * (len(data) - head))
    elif how == "slices":
        path.write_bytes(_spoil_slices(data))
    elif how == "gone":
        path.unlink()


def _spoil_slices(data: bytes) -> bytes:
    """The clip with every picture's bits replaced; boxes, lengths and headers stay true."""
    spoiled, at = bytearray(data), 0
    while at < len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        unit, at = at + 8, at + size
        while kind == b"mdat" and unit < at:
            stop = unit + 4 + int.from_bytes(data[unit : unit + 4], "big")
            spoiled[unit + 5 : stop] = b"\xee" * (stop - unit - 5)
            unit = stop
    return bytes(spoiled)
