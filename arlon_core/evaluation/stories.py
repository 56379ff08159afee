"""Held-out Storyworld stories through the engine, as a user's own would go, on sheets to be judged by eye.

Two questions: does the token transformer, running free, show what each prompt says (`animatics-1.webp`
and so on); and does the diffusion transformer render better with the coarse latents F in few steps than
without them in many (`films-1.webp`). Every story of a range of seeds is shown, in order, so nothing can be
picked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from arlon_core.evaluation.held_out import (
    FILMS,
    FIRST_STORY,
    STORIES,
    HeldOutStory,
    held_out_story,
)
from arlon_core.evaluation.sheets import save_sheets
from arlon_core.generation.events import AnimaticReady, Event, FilmReady, Planned, SegmentReady
from arlon_core.generation.output import write_json
from arlon_core.generation.render import animatic, render
from arlon_core.generation.report import device_name
from arlon_core.media.clips import SegmentClip
from arlon_core.media.contact_sheet import contact_sheet
from arlon_core.world.renderer import StoryworldRenderer
from arlon_core.world.script import HELD_OUT

if TYPE_CHECKING:
    from arlon_core.pipeline import ArlonPipeline

# Our choices.
STEPS_WITHOUT_F = 30
_WIDTH = 192  # of a picture on a sheet, pixels
_ON_A_SHEET = 20  # stories: four rows each are as high as a sheet may be

Pictures = list[np.ndarray]  # one a segment, uint8 [H, W, 3]


def evaluate_stories(
    pipe: ArlonPipeline,
    out: Path,
    *,
    count: int = STORIES,
    films: int = FILMS,
    without_f: int = FILMS,
    steps: int | None = None,
    first: int = FIRST_STORY,
) -> dict[str, Any]:
    """Write `animatics-N.webp`, `films-N.webp` and `stories.json` into the folder `out`; gives what the JSON
    holds.

    count: stories; the first `films` are rendered with F at `steps` (by default the model's own number), and
    the first `without_f` of those without F at 30 as well. first: number of the first story. All of a story
    share text, tokens, noise and chunks. What was rendered stays in `out/films`, from where a run that was
    cut goes on; it may be deleted. Raises ArlonError.
    """
    steps = pipe.config.num_inference_steps if steps is None else steps
    stories = [held_out_story(first + i, pipe.config.fps) for i in range(count)]
    records = [_record(held) for held in stories]
    tokens: list[Pictures] = []
    projects = [out / "films" / f"{first + i:04d}" for i in range(count)]
    work = list(zip(stories, records, projects, strict=True))
    for held, record, project in tqdm(work, desc="animatics", unit="story", disable=None):
        events = animatic(pipe, held.story, project)
        tokens.append(_follow(events, held, record, "animatic"))
    save_sheets(_animatic_sheets(stories, tokens), out, "animatics")
    rows = [
        [_true_pictures(pipe, held), tokens[i], *_films(pipe, held, record, project, steps, i < without_f)]
        for i, (held, record, project) in enumerate(
            tqdm(work[:films], desc="films", unit="story", disable=None)
        )
    ]
    save_sheets(_film_sheets(stories, rows, steps), out, "films")
    result = {
        "model": pipe.name,
        "device": device_name(pipe.working_device),
        "fps": pipe.config.fps,
        "steps_with_f": steps,
        "steps_without_f": STEPS_WITHOUT_F,
        "stories": records,
    }
    write_json(out / "stories.json", result)
    return result


# -- running the engine ---------------------------------------------------------------------------------


def _films(
    pipe: ArlonPipeline,
    held: HeldOutStory,
    record: dict[str, Any],
    project: Path,
    steps: int,
    without_f: bool,
) -> list[Pictures]:
    """The film with F, and perhaps the film without it, from the tokens that the animatic has left."""
    ways = [("film_with_f", steps, True), ("film_without_f", STEPS_WITHOUT_F, False)]
    return [
        _follow(
            render(pipe, held.story, project, steps=number, with_animatic=False, use_coarse=use_coarse),
            held,
            record,
            name,
        )
        for name, number, use_coarse in ways[: 1 + without_f]
    ]


def _follow(events: Iterator[Event], held: HeldOutStory, record: dict[str, Any], name: str) -> Pictures:
    """Run a render to its end; the shown frame of every segment's clip. Notes texts and, of what was made and
    not found, times."""
    pictures: Pictures = []
    made = "preview" if name == "animatic" else "latents"
    for event in events:
        if isinstance(event, Planned):
            borders = [segment.stop_frame for segment in event.plan.segments]
            assert borders == [segment.stop_frame for segment in held.script.segments], "the borders moved"
            for segment, text in zip(record["segments"], event.texts, strict=True):
                segment["text"] = text
        elif isinstance(event, (AnimaticReady, SegmentReady)) and event.segment is not None:
            assert event.path is not None
            segment_start = held.script.segments[event.segment].start_frame
            pictures.append(_picture(event.path, held.shown[event.segment] - segment_start))
        elif isinstance(event, FilmReady) and not event.report["cache_hits"].get(made):
            record["times"][name] = _times(event.report)
    return pictures


def _picture(clip: Path, frame: int) -> np.ndarray:
    """Frame number `frame` of a segment's clip."""
    fps = 12  # any will do: it only turns the number into a time and back
    segment = SegmentClip(clip, fps)
    try:
        return segment.get_frame(frame / fps)
    finally:
        segment.close()


def _times(report: Mapping[str, Any]) -> dict[str, Any]:
    """Wall seconds by stage; the model was loaded once for all stories."""
    seconds = {stage: value for stage, value in report["seconds"].items() if stage != "load"}
    return {"seconds": seconds, "seconds_of_video": report["seconds_of_video"]}


def _true_pictures(pipe: ArlonPipeline, held: HeldOutStory) -> Pictures:
    """The same frames, as the world draws them."""
    renderer = StoryworldRenderer(pipe.config.height, pipe.config.width, device=pipe.working_device)
    drawn = [renderer.render([held.script], frame, 1).frames[0, 0] for frame in held.shown]
    return [np.ascontiguousarray(frame.permute(1, 2, 0).cpu().numpy()) for frame in drawn]


# -- what is written ------------------------------------------------------------------------------------


def _record(held: HeldOutStory) -> dict[str, Any]:
    """What `stories.json` says of a story; the engine's texts and times are put in as they are known."""
    segments = [
        {
            "prompt": segment.caption,
            "full": segment.full,
            "text": "",
            "start_frame": segment.start_frame,
            "stop_frame": segment.stop_frame,
            "shown_frame": shown,
            "attributes": asdict(segment.attributes),
        }
        for segment, shown in zip(held.script.segments, held.shown, strict=True)
    ]
    return {"script_seed": held.script.seed, "seed": held.story.seed, "segments": segments, "times": {}}


def _animatic_sheets(stories: Sequence[HeldOutStory], rows: Sequence[Pictures]) -> Iterator[Image.Image]:
    """A row a story."""
    captions, titles = [_captions(held) for held in stories], [_title(i, h) for i, h in enumerate(stories)]
    for first in range(0, len(rows), _ON_A_SHEET):
        here = slice(first, first + _ON_A_SHEET)
        yield contact_sheet(rows[here], captions[here], titles[here], width=_WIDTH)


def _film_sheets(
    stories: Sequence[HeldOutStory], rows: Sequence[Sequence[Pictures]], steps: int
) -> Iterator[Image.Image]:
    """Three or four rows a story; the prompts stand under the true frames."""
    names = (
        "true frames",
        "F alone: the model's own tokens through the preview decoder",
        f"with F, {steps} steps",
        f"without F, {STEPS_WITHOUT_F} steps",
    )
    for first in range(0, len(rows), _ON_A_SHEET):
        pictures: list[Pictures] = []
        captions: list[list[str]] = []
        titles: list[str] = []
        for number, films in enumerate(rows[first : first + _ON_A_SHEET], start=first):
            for row, (name, film) in enumerate(zip(names, films, strict=False)):
                pictures.append(film)
                captions.append([] if row else _captions(stories[number]))
                titles.append(name if row else f"{_title(number, stories[number])}: {name}")
        yield contact_sheet(pictures, captions, titles, width=_WIDTH)


def _title(number: int, held: HeldOutStory) -> str:
    return f"story {number + 1} (held-out seed {held.script.seed - HELD_OUT})"


def _captions(held: HeldOutStory) -> list[str]:
    """Under each picture the prompt, and what has to be seen, which a prompt of a change leaves out."""
    captions = []
    for segment in held.script.segments:
        seen = segment.attributes
        facts = f"{seen.colour} {seen.subject}, {seen.place}, {seen.time_of_day}"
        captions.append(f"{segment.caption}\n[{facts}]")
    return captions
