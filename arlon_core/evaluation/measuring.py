"""From the clips of a film to its measures. The clips may be a model's or those of the true film."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import av
import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from arlon_core.errors import OutputError
from arlon_core.evaluation.held_out import HeldOutStory
from arlon_core.evaluation.measures import IDENTITY, EndMeasure, SegmentMeasure, StoryMeasure
from arlon_core.evaluation.metrics import motion, quality, readings
from arlon_core.evaluation.metrics.consistency import consistency
from arlon_core.evaluation.metrics.lag import lag, lag_starts
from arlon_core.media.frames import to_rgb
from arlon_core.models.judge import ATTRIBUTES, SPAN, STRIDE, Judge, Reading, reading_starts, windows_of
from arlon_core.world.legibility import NOT_ASKED, asked_changes, asked_labels
from arlon_core.world.script import ScriptSegment
from arlon_core.world.vocabulary import LABELS

# Raise it when a measure comes to mean something else: kept measures are then made anew.
MEASURE_VERSION = 2
READING_STEP = 6  # frames from one window of a reading to the next (our choice)
_BATCH = 8  # windows read together
_WIDTH = 192  # of a kept picture, pixels
_PICTURES = 7  # that are kept of a film of one segment; of others one a segment

Labels = dict[str, int]


def measure_film(
    number: int,
    held: HeldOutStory,
    clips: Sequence[Path],
    judge: Judge,
    fps: int,
    seconds: Mapping[str, float] | None = None,
    size: tuple[int, int] | None = None,
) -> StoryMeasure:
    """Measure a film of test story `number`, given as one clip a segment; seconds: what it took to render.

    size: (height, width) to which frames are enlarged first, so that small films can be set against others.

    Raises OutputError when a clip is no video, or is not as long as its segment.
    """
    segments: list[SegmentMeasure] = []
    embeddings, pictures = [], []
    ends = _Ends(held.script.frames)
    labels, changes = asked_labels(held.script), asked_changes(held.script)
    shown = _pictured(held)
    for index, (segment, clip) in enumerate(zip(held.script.segments, clips, strict=True)):
        frames = _enlarged(clip_frames(clip), size)
        if len(frames) != segment.stop_frame - segment.start_frame:
            raise OutputError(
                f"{clip} has {len(frames)} frames, which are not its segment's; render it again."
            )
        ends.take(segment.start_frame, frames)
        reading = read_windows(judge, frames, _reading_starts(len(frames)))
        lags = _lags(judge, frames, changes[index])
        segments.append(_segment(judge, frames, reading, labels[index], lags, fps))
        embeddings.append(reading.embedding.numpy())
        here = [frame - segment.start_frame for frame in shown if frame in _span(segment)]
        pictures += [_small(frames[frame]) for frame in here]
    first, last = (
        _end(judge, part, under, labels[0], fps)
        for part, under in zip(ends.parts(), (labels[0], labels[-1]), strict=True)
    )
    return StoryMeasure(
        number=number,
        segments=segments,
        ends=(first[0], last[0]),
        seconds=dict(seconds or {}),
        embeddings=np.concatenate(embeddings),
        end_embeddings=np.stack([first[1], last[1]]),
        pictures=np.stack(pictures),
    )


def clip_frames(path: Path) -> np.ndarray:
    """All frames of a clip, uint8 (F, H, W, 3). Raises OutputError when it is no video."""
    try:
        with av.open(str(path)) as container:
            frames = [to_rgb(frame) for frame in container.decode(video=0)]
    except (OSError, av.FFmpegError, IndexError):
        raise OutputError(f"{path} is no whole video file; render this film again.") from None
    if not frames:
        raise OutputError(f"{path} holds no frames; render this film again.")
    return np.stack(frames)


def _enlarged(frames: np.ndarray, size: tuple[int, int] | None) -> np.ndarray:
    if size is None or frames.shape[1:3] == size:
        return frames
    return np.stack([cv2.resize(frame, size[::-1], interpolation=cv2.INTER_LINEAR) for frame in frames])


@torch.no_grad()
def read_windows(judge: Judge, frames: np.ndarray, starts: Sequence[int]) -> Reading:
    """What a judge reads in windows of uint8 frames (F, H, W, 3), on the CPU and in fp32."""
    windows = windows_of(torch.from_numpy(frames).permute(0, 3, 1, 2), list(starts))
    parts = [judge(part.to(judge.device)) for part in windows.split(_BATCH)]

    def joined(tensors: list[Tensor]) -> Tensor:
        return torch.cat([tensor.float().cpu() for tensor in tensors])

    return Reading(
        {name: joined([part.logits[name] for part in parts]) for name in ATTRIBUTES},
        joined([part.features for part in parts]),
        joined([part.embedding for part in parts]),
        joined([part.looks for part in parts]),
    )


# -- one segment ----------------------------------------------------------------------------------------


def _reading_starts(frames: int) -> list[int]:
    """Windows of the last third: the last one, and those READING_STEP earlier each."""
    return sorted(reading_starts(0, frames)[::-1][::READING_STEP])


def _segment(
    judge: Judge,
    frames: np.ndarray,
    reading: Reading,
    labels: Labels,
    lags: dict[str, int | None],
    fps: int,
) -> SegmentMeasure:
    probabilities = {name: each.numpy() for name, each in reading.probabilities().items()}
    steps = motion.steps(frames)
    scores = {
        **_quality(judge, frames, steps, fps),
        "overall_consistency": readings.agreement(probabilities, labels, ATTRIBUTES),
        "temporal_style": readings.agreement(probabilities, labels, readings.TEMPORAL),
        "scene": readings.share_right(probabilities["place"], labels["place"]),
        "object_class": readings.share_right(probabilities["subject"], labels["subject"]),
    }
    return SegmentMeasure(
        scores={name: score for name, score in scores.items() if score is not None},
        right=readings.right(probabilities, labels),
        read={name: LABELS[name][int(each.mean(0).argmax())] for name, each in probabilities.items()},
        octaves=quality.octaves(frames[::STRIDE]).tolist(),
        steps=[round(float(step), 4) for step in steps],
        lags=lags,
    )


def _quality(judge: Judge, frames: np.ndarray, steps: np.ndarray, fps: int) -> dict[str, float | None]:
    """The metrics that need no script."""
    return {
        "dynamic_degree": motion.dynamic_degree(frames, fps),
        "motion_smoothness": motion.motion_smoothness(frames),
        "temporal_flickering": motion.temporal_flickering(steps),
        **_consistencies(judge, frames),
    }


def _consistencies(judge: Judge, frames: np.ndarray) -> dict[str, float]:
    """Over windows side by side: every second frame is seen once. A rest shorter than one is left out."""
    starts = range(0, len(frames) - SPAN + 1, SPAN + STRIDE - 1)
    features = read_windows(judge, frames, starts).features.flatten(0, 1).numpy()  # (F/2, A, D)
    return {
        "subject_consistency": consistency(features[:, ATTRIBUTES.index("subject")]),
        "background_consistency": consistency(features[:, ATTRIBUTES.index("place")]),
    }


def _lags(judge: Judge, frames: np.ndarray, changed: Labels) -> dict[str, int | None]:
    """How soon each changed attribute is seen."""
    if not changed:
        return {}
    logits = read_windows(judge, frames, lag_starts(len(frames))).logits
    return {name: lag(logits[name].argmax(-1).tolist(), label) for name, label in changed.items()}


def _span(segment: ScriptSegment) -> range:
    return range(segment.start_frame, segment.stop_frame)


def _pictured(held: HeldOutStory) -> list[int]:
    """Frames of the film that the sheets show."""
    if len(held.script.segments) > 1:
        return held.shown
    last = held.script.frames - 1
    return [round(last * i / (_PICTURES - 1)) for i in range(_PICTURES)]


def _small(picture: np.ndarray) -> np.ndarray:
    height = round(picture.shape[0] * _WIDTH / picture.shape[1])
    return np.asarray(Image.fromarray(picture).resize((_WIDTH, height), Image.Resampling.LANCZOS))


# -- the first and the last tenth -----------------------------------------------------------------------


class _Ends:
    """The first and the last tenth of a film, a window at least, gathered as its segments pass."""

    def __init__(self, frames: int) -> None:
        tenth = max(SPAN, frames // 10)
        self._parts: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        self._ranges = ((0, tenth), (frames - tenth, frames))

    def take(self, start: int, frames: np.ndarray) -> None:
        """Frames of the film from `start` on."""
        for part, (first, last) in zip(self._parts, self._ranges, strict=True):
            part.append(frames[max(0, first - start) : max(0, last - start)].copy())

    def parts(self) -> tuple[np.ndarray, np.ndarray]:
        """The frames of the first tenth and those of the last."""
        first, last = (np.concatenate(part) for part in self._parts)
        return first, last


def _end(
    judge: Judge, frames: np.ndarray, labels: Labels, opening: Labels, fps: int
) -> tuple[EndMeasure, np.ndarray]:
    """The measure of one end, and the embeddings of its windows.

    labels: of the segment it lies in, or ends in. opening: of the first segment. A colour that the script has
    changed meanwhile is not asked.
    """
    starts = range(len(frames) - SPAN, -1, -READING_STEP)
    reading = read_windows(judge, frames, sorted(starts))
    probabilities = {name: each.numpy() for name, each in reading.probabilities().items()}
    kept = {name: opening[name] if labels[name] == opening[name] else NOT_ASKED for name in IDENTITY}
    scores = {
        **_quality(judge, frames, motion.steps(frames), fps),
        "overall_consistency": readings.agreement(probabilities, labels, ATTRIBUTES),
    }
    measure = EndMeasure(
        scores={name: score for name, score in scores.items() if score is not None},
        look=quality.look(frames),
        octaves=quality.octaves(frames[::STRIDE]).tolist(),
        same=readings.right({name: probabilities[name] for name in IDENTITY}, kept),
    )
    return measure, reading.embedding.numpy()
