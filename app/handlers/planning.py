"""What the page knows of a model before it is loaded: plans, its words, and what it cannot make."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import Any

from app import words
from arlon_core.errors import ModelError
from arlon_core.generation.model_folder import (
    check_model_folder,
    incomplete_sentence,
    is_local,
    missing_components,
)
from arlon_core.generation.plan import Plan, make_plan
from arlon_core.generation.story_texts import are_the_worlds, story_captions
from arlon_core.generation.unknown_words import word_hint
from arlon_core.jobs.records import KINDS
from arlon_core.story import Story
from arlon_core.world.film_reading import leaves_open


@dataclass(frozen=True)
class Grid:
    """What of a model the plan of a film depends on. fps: frames a second; the rest in latent frames."""

    fps: int
    max_new: int
    overlap: int


@dataclass(frozen=True)
class Reader:
    """How a model reads prompts. known_words: those that it was trained on, none where they are not listed.

    of_storyworld: whether it is told what is to be seen in each segment, as the engine tells Storyworld's.
    """

    known_words: frozenset[str] = frozenset()
    of_storyworld: bool = False


UNKNOWN = Reader()  # of which nothing is known


def read_grid(model: str) -> Grid | None:
    """The grid of a model folder; None for a hub id, or a folder of no use (loading will say why)."""
    if not is_local(model):
        return None
    try:
        index = check_model_folder(Path(model))
        return Grid(**{key: int(index[key]) for key in ("fps", "max_new", "overlap")})
    except (ModelError, KeyError, TypeError, ValueError):
        return None


def read_reader(model: str) -> Reader:
    """How the model of a folder reads; nothing is known of a hub id."""
    known = _setting(Path(model, "tokenizer", "tokenizer_config.json"), "known_words")
    attributes = _setting(Path(model, "attribute_reader", "config.json"), "attributes")
    return Reader(
        known_words=frozenset(map(str, known)) if isinstance(known, list) else frozenset(),
        of_storyworld=isinstance(attributes, dict) and are_the_worlds(attributes),
    )


def read_refusals(model: str) -> dict[str, str]:
    """Kinds of jobs that a model folder is not complete enough for; the sentence names all that it lacks."""
    if not is_local(model):
        return {}
    try:
        index = check_model_folder(Path(model))
    except ModelError:  # loading will say it
        return {}
    missing = {kind: missing_components(index, kind) for kind in KINDS}
    lacks = list(dict.fromkeys(chain.from_iterable(missing.values())))
    return {kind: incomplete_sentence(model, lacks) for kind in KINDS if missing[kind]}


def plan_story(story: Story, grid: Grid) -> Plan:
    """The plan of a story. Raises StoryError naming the segment that is too short."""
    seconds = [segment.seconds for segment in story.segments]
    return make_plan(seconds, grid.fps, max_new=grid.max_new, overlap=grid.overlap)


def story_hints(story: Story, reader: Reader) -> list[str]:
    """Of each prompt, the words that the model has never seen, or ""."""
    return [word_hint(reader.known_words, segment.prompt) for segment in story.segments]


def story_shows(story: Story, reader: Reader) -> list[str]:
    """What the film will show in each segment, as far as the engine decides it by the prompts, or ""."""
    if not reader.of_storyworld:
        return [""] * len(story.segments)
    first, *later = story_captions(story)
    opening = words.shows_open if leaves_open(story.segments[0].prompt) else words.shows
    return [opening(first), *map(words.shows, later)]


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """The plan as plain JSON values, for the page. start, stop: seconds in the film."""
    return {
        "fps": plan.fps,
        "frames": plan.frames,
        "chunks": len(plan.chunks),
        "seconds": plan.seconds,
        "segments": [
            {
                "start": segment.start_seconds,
                "stop": segment.stop_seconds,
                "frames": segment.frames,
                "chunks": len(segment.chunks),
            }
            for segment in plan.segments
        ],
    }


def story_plan(story: Story, grid: Grid | None) -> dict[str, Any]:
    """As `plan_to_json`; without a grid, the times that were asked for and no frames. Raises StoryError."""
    if grid is not None:
        return plan_to_json(plan_story(story, grid))
    borders = accumulate((segment.seconds for segment in story.segments), initial=0.0)
    segments = [{"start": a, "stop": b, "frames": None, "chunks": None} for a, b in pairwise(borders)]
    return {"fps": None, "frames": None, "chunks": None, "seconds": story.seconds, "segments": segments}


def _setting(path: Path, key: str) -> Any:
    """What a JSON file says under a key; None where it says nothing, or cannot be read."""
    try:
        return json.loads(path.read_text("utf-8"))[key]
    except (OSError, ValueError, KeyError, TypeError):
        return None
