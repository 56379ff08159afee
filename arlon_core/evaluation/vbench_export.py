"""Films of the test set in VBench's own file layout, for whoever can run the official networks.

VBench wants a short video a prompt, so each segment is one, under a full description of what it shows: what a
change-only prompt means lies in the prompts before it. In the folder:

    videos/<prompt>-<index>.mp4    index counts segments of equal description; VBench looks at 0 to 4
    VBench_full_info.json          prompts, dimensions and what object class and scene look for
    prompts.json                   file name -> prompt, for VBench's mode `custom_input`
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from arlon_core.evaluation.films import Film
from arlon_core.evaluation.held_out import HeldOutStory
from arlon_core.evaluation.summary import VBENCH
from arlon_core.generation.output import output_errors
from arlon_core.store.atomic import replacing
from arlon_core.world import vocabulary as v
from arlon_core.world.captions import article, capital
from arlon_core.world.vocabulary import Attributes

_MOST = 5  # videos of a prompt that VBench looks at


def export_vbench(films: Iterable[tuple[HeldOutStory, Film]], folder: Path) -> int:
    """Copy the clips of films into `folder` and write the two JSON files; gives the number of videos.

    Raises OutputError.
    """
    seen: Counter[str] = Counter()
    entries: dict[str, dict[str, Any]] = {}
    prompts: dict[str, str] = {}
    videos = folder / "videos"
    with output_errors(folder):
        videos.mkdir(parents=True, exist_ok=True)
        for held, film in films:
            for segment, clip in zip(held.script.segments, film.clips, strict=True):
                prompt = vbench_prompt(segment.attributes)
                if seen[prompt] < _MOST:
                    name = f"{prompt}-{seen[prompt]}.mp4"
                    with replacing(videos / name) as partial:
                        shutil.copyfile(clip, partial)
                    prompts[name] = prompt
                    entries[prompt] = vbench_entry(segment.attributes)
                seen[prompt] += 1
        _write(folder / "VBench_full_info.json", list(entries.values()))
        _write(folder / "prompts.json", prompts)
    return len(prompts)


def vbench_prompt(attributes: Attributes) -> str:
    """One plain sentence with all that a segment shows, and short enough for a file name."""
    words = f"{v.COLOURS[attributes.colour][0]} {v.SUBJECTS[attributes.subject][0]}"
    weather = "" if attributes.weather == "clear" else f" {v.WEATHERS[attributes.weather][0]}"
    second = f", next to {article(attributes.second_subject)}" if attributes.second_subject else ""
    camera = "" if attributes.camera == "still" else f", {v.CAMERAS[attributes.camera][0]}"
    verb, place, time = (
        v.ACTIONS[attributes.action][0][0],
        v.PLACES[attributes.place][0],
        v.TIMES[attributes.time_of_day][0],
    )
    return f"{capital(article(words))} {verb} over {place} {time}{weather}{second}{camera}"


def vbench_entry(attributes: Attributes) -> dict[str, Any]:
    """What VBench's list of prompts says of one: the words that its captioner and its detector look for."""
    return {
        "prompt_en": vbench_prompt(attributes),
        "dimension": list(VBENCH),
        "auxiliary_info": {
            "scene": {"scene": {"scene": attributes.place}},
            "object_class": {"object": attributes.subject},
        },
    }


def _write(path: Path, value: Any) -> None:
    with replacing(path) as partial:
        partial.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
