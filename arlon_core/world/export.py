"""Ground-truth episodes as films and JSON of captions, attributes and frame ranges; contact sheets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from arlon_core.media.contact_sheet import save_picture
from arlon_core.world.renderer import StoryworldRenderer
from arlon_core.world.script import Script, sample_script

FPS = 12
FRAMES_AT_ONCE = 48  # drawn before they are written, so that memory does not grow with length
CRF = "16"


def episode_frames(seconds: float) -> int:
    """The frames of an episode of about `seconds`: the smallest 4n-3 that covers them. Raises ValueError."""
    if not 0 < seconds <= 3600:
        raise ValueError(f"an episode lasts more than 0 and at most 3600 seconds, not {seconds}")
    wanted = max(1, round(FPS * seconds))
    return 4 * ((wanted + 3 + 3) // 4) - 3


def export_episodes(
    count: int, seconds: float, seed: int, out_dir: str | Path, device: str = "cpu"
) -> list[Path]:
    """Writes episodes of seeds seed .. seed+count-1 and returns the paths of their films and JSON files."""
    return [path for paths in iter_export(count, seconds, seed, out_dir, device) for path in paths]


def iter_export(
    count: int, seconds: float, seed: int, out_dir: str | Path, device: str = "cpu"
) -> Iterator[tuple[Path, Path]]:
    """Writes episode after episode, yielding (film, JSON) as each is done: for progress bars.

    Raises ValueError for counts and lengths that cannot be, OSError where nothing can be written.
    """
    if count < 1:
        raise ValueError(f"{count} episodes cannot be written; ask for 1 or more")
    frames = episode_frames(seconds)
    folder = Path(out_dir)
    folder.mkdir(parents=True, exist_ok=True)
    renderer = StoryworldRenderer(device=device)
    for number in range(seed, seed + count):
        script = sample_script(number, frames)
        film = folder / f"episode-{number:06d}.mp4"
        words = film.with_suffix(".json")
        write_film(film, renderer, script)
        words.write_text(json.dumps(script_json(script), indent=2) + "\n", encoding="utf-8")
        yield film, words


def script_json(script: Script) -> dict[str, object]:
    """What the JSON file of an episode holds; frame ranges are half open."""
    return {
        "seed": script.seed,
        "fps": FPS,
        "frames": script.frames,
        "segments": [
            {
                "start_frame": segment.start_frame,
                "stop_frame": segment.stop_frame,
                "caption": segment.caption,
                "full": segment.full,
                "attributes": asdict(segment.attributes),
            }
            for segment in script.segments
        ],
    }


def write_film(path: Path, renderer: StoryworldRenderer, script: Script) -> None:
    """One episode as H.264 (yuv420p); an unfinished film never stands under its final name."""
    partial = path.with_suffix(".partial.mp4")
    with av.open(str(partial), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": CRF, "preset": "medium"})
        stream.width, stream.height, stream.pix_fmt = renderer.width, renderer.height, "yuv420p"
        for start in range(0, script.frames, FRAMES_AT_ONCE):
            for picture in pictures(renderer, script, start, min(FRAMES_AT_ONCE, script.frames - start)):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    partial.replace(path)


def pictures(renderer: StoryworldRenderer, script: Script, start: int, frames: int) -> NDArray[np.uint8]:
    """uint8 [frames, H, W, 3] on the CPU."""
    drawn = renderer.render([script], start, frames).frames[0]
    return np.ascontiguousarray(drawn.permute(0, 2, 3, 1).cpu().numpy())


def contact_sheet(
    path: str | Path, seeds: Sequence[int] = tuple(range(48)), columns: int = 6, frames: int = 97,
    width: int = 320, device: str = "cpu",
) -> Path:  # fmt: skip
    """A grid with the middle frame of each seed's episode, `width` pixels a picture."""
    renderer = StoryworldRenderer(device=device)
    height, gap = round(width * renderer.height / renderer.width), 6
    rows = -(-len(seeds) // columns)
    sheet = Image.new("RGB", (columns * (width + gap) + gap, rows * (height + gap) + gap), "#f6efe2")
    for index, seed in enumerate(seeds):
        script = sample_script(seed, frames)
        middle = (script.segments[0].start_frame + script.segments[0].stop_frame) // 2
        picture = Image.fromarray(pictures(renderer, script, middle, 1)[0]).resize(
            (width, height), Image.Resampling.LANCZOS
        )
        sheet.paste(picture, (gap + index % columns * (width + gap), gap + index // columns * (height + gap)))
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    save_picture(sheet, target)
    return target
