"""Captions as a file beside the film: SubRip (.srt) and WebVTT (.vtt), with exact times. No torch.

https://www.w3.org/TR/webvtt1/ (cue text escapes &, < and >). SubRip has no standard and no escapes: what a
player would take for a tag or an arrow is made harmless there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from arlon_core.media.edit_plan import EditPlan

_TAG = re.compile(r"([<{])(?=[A-Za-z/\\])")
_JOINER = "\N{WORD JOINER}"  # invisible, and no tag begins with it


def format_subtitles(form: str, plan: EditPlan, texts: Sequence[str]) -> str:
    """A whole subtitle file. form: "srt" or "vtt". texts: one a segment; an empty one shows nothing."""
    return (_srt if form == "srt" else _vtt)(plan, texts)


def _srt(plan: EditPlan, texts: Sequence[str]) -> str:
    cues = enumerate(_cues(plan, texts, ",", _srt_text), start=1)
    return "".join(f"{number}\n{cue}\n" for number, cue in cues)


def _vtt(plan: EditPlan, texts: Sequence[str]) -> str:
    return "\n".join(["WEBVTT\n", *_cues(plan, texts, ".", _vtt_text)])


def _cues(plan: EditPlan, texts: Sequence[str], mark: str, escape: Callable[[str], str]) -> Iterable[str]:
    for (start, stop), text in zip(plan.caption_frames(), texts, strict=True):
        if line := " ".join(text.split()):
            yield f"{_time(start, plan.fps, mark)} --> {_time(stop, plan.fps, mark)}\n{escape(line)}\n"


def _srt_text(text: str) -> str:
    return _TAG.sub(r"\1" + _JOINER, text.replace("-->", "→"))


def _vtt_text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _time(frame: int, fps: int, mark: str) -> str:
    """The beginning of a frame as hh:mm:ss and milliseconds, to the nearest one."""
    milliseconds = (2000 * frame + fps) // (2 * fps)
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{mark}{milliseconds:03}"
