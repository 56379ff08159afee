"""Every word the page says, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TITLE = "ARLON Studio"
TAGLINE = "Write a story, see all of it at once, then render it into one long film."

THE_STORY = "The story"
NEW_STORY = "title: A new story\n\n[4s] A white paper plane drifts right over the calm sea in the morning.\n"

NOT_A_PROJECT = "this page names a project that cannot be; reload the page."
AT_WORK = "This story is being worked on; cancel that or wait for its end, then remove the story."
GONE = "that story is not here any more; choose another one."

MODEL_LOADING = "The model is loading"
MODEL_BROKE = "The model could not be loaded ({error}); the log says where."
MODEL_WAIT = "The work begins as soon as it is there."

# Where a GPU is lent for a call at a time (app/zerogpu.py).
GPU_REFUSED = "no GPU could be had ({reason}); what was made is kept: start it again later, and it goes on."
GPU_LOST = "the GPU was taken back early; what was made is kept: start it again, and it asks for more time."
GPU_BROKE = "the work on the GPU broke ({error}); the log says where, and what was made is kept."

FILM, ANIMATIC, RENDER, CANCEL = "Film", "Animatic", "Render", "Cancel"
SETTINGS, BY_MODEL = "Settings", "the model's own"
SETTING = {
    "steps": "Denoising steps",
    "guidance": "Guidance scale",
    "chunk": "Latent frames a chunk",
}
_PLAYING = {
    "complete": "{total} s, complete",
    "damaged": "The clip of segment {number} is damaged and left out; render the story again to mend it.",
    "unreachable": "The clip of segment {number} could not be loaded; reload the page to try again.",
    "unsupported": "This browser cannot play H.264; open the page in another one, or download the film.",
}
PLAYER = {
    "film": _PLAYING
    | {
        "empty": "The film will grow here while it is rendered.",
        "progress": "{rendered} s of {total} s rendered",
    },
    "animatic": _PLAYING
    | {
        "empty": "The whole story as small pictures, before anything expensive runs.",
        "progress": "{rendered} s of {total} s drawn",
    },
}
ALREADY = {
    "animatic": "The animatic of this very story is being made already.",
    "render": "This very story is being rendered already.",
}

INCOMPLETE = "You can write; to make films the model needs more"
IDLE = "Ready when you are"
IDLE_DETAIL = "Animatic shows the whole story as small pictures first; Render (Ctrl+Enter) makes the film."
STARTING = "Starting"
QUEUED = {"animatic": "The animatic waits for its turn", "render": "The render waits for its turn"}
FAILED = {"animatic": "The animatic stopped", "render": "The render stopped"}
CANCELLED = {"animatic": "The animatic was cancelled", "render": "The render was cancelled"}
CANCELLED_DETAIL = "What was made is kept: the next start goes on from there."
UNFINISHED = "The render is unfinished"
DONE = {"animatic": "The animatic is ready", "render": "The film is ready"}
STALE = {
    "animatic": "The story has changed since; press Animatic to see it as it is now.",
    "render": "The story has changed since; Render renders again only what the change touches.",
}
JOINING = {"animatic": "Joining the small pictures", "render": "Joining the segments into one film"}
SKETCHING = {"animatic": "Then its small pictures are drawn.", "render": "Then the film is rendered from it."}

THE_FILM = "The film: joins, captions, sound, export"
JOIN, JOIN_SECONDS = "Join of all segments", "Seconds a join"
JOINS = {"cut": "Cut", "crossfade": "Crossfade", "fade": "Fade through black"}
CAPTION = "Captions"
CAPTIONS = {
    "none": "None",
    "burned": "In the picture",
    "srt": "As .srt file",
    "vtt": "As .vtt file",
}
FORMAT = "Format"
FORMATS = {".mp4": "MP4 (H.264)", ".webm": "WebM (VP9)", ".gif": "GIF, without sound"}
ADD_SOUND, REMOVE_SOUND, VOLUME = "Add a sound", "Remove", "Volume"
EXPORT = "Export the film"
NOTHING_TO_EXPORT = "There is no whole film to export yet; render the story first."
EXPORT_CANCELLED = "The export was cancelled; the film exported before stays."
NO_EXPORT = "No film is being exported."
EXPORT_RUNS = "The film is being exported already."
EXPORT_BROKE = "The export broke ({error}); the log says where."
BAD_FORMAT = "That is no format of a film; choose one of the list."
DOWNLOAD = {
    "film": "Download the film",
    "subtitles": "Download the captions",
    "animatic": "Download the animatic",
}


WRITE_PROTECTED = "it is write-protected"


def no_projects(folder: Any, reason: str | None) -> str:
    return f"the folder {folder} cannot keep projects ({reason}); give --projects another one."


def cannot_listen(host: str | None, port: int | None) -> str:
    where = f"port {port}" if port else "no port"
    taken = "may be taken by another program" if port else "from 7860 on is free"
    mend = "give --port another one, or --host an address of this machine."
    return f"{where} of {host or 'this machine'} {taken}; {mend}"


def file_not_received(name: str) -> str:
    return f"{name} did not arrive whole; choose it again."


def bad_steps(value: Any, most: int) -> str:
    return f"{value} denoising steps make no film; give 1 to {most}, or leave the field empty."


def bad_guidance(value: Any, most: float) -> str:
    return f"a guidance of {value} makes no film; give one up to {most:g}, or leave the field empty."


def bad_chunk(value: Any, most: int | None) -> str:
    numbers = "a whole number from 1 on" if most is None else f"1 to {most}"
    return f"chunks of {value} latent frames make no film; give {numbers}, or leave the field empty."


def model_ready(name: str, device: str) -> str:
    return f"{name} on {'the CPU' if device == 'cpu' else device}"


def model_incomplete(name: str) -> str:
    return f"{name} is not complete yet"


def queue_position(position: int) -> str:
    return "It is next." if position <= 1 else f"{position} jobs come before it."


def stage(name: str, kind: str, segment: int, segments: int, step: str) -> tuple[str, str]:
    """Headline and detail of a running job. name: a stage of handlers.progress.JobView."""
    if name == "tokens":
        return f"Sketching segment {segment} of {segments}", SKETCHING[kind]
    if name == "animatic":
        return f"Drawing the animatic, segment {segment} of {segments}", ""
    return f"Rendering segment {segment} of {segments}", step


def step(chunk: int, chunks: int, number: int, steps: int) -> str:
    return f"chunk {chunk} of {chunks} · step {number} of {steps}"


def unfinished(percent: float) -> str:
    if percent < 1:
        return "It had only begun; Render begins it again."
    return f"{int(percent)} % of it is kept; Render goes on from there."  # as the bar says it while it runs


def frames(done: int, total: int) -> str:
    return f"{done} of {total} frames"


def made(report: Mapping[str, Any]) -> str:
    """How long the film is and what it cost, as the report says."""
    video, total = report.get("seconds_of_video"), report.get("seconds_total")
    if not video:
        return ""
    if not total:
        return f"{video:.1f} s of film."
    return f"{video:.1f} s of film in {total:.0f} s of work: {total / video:.1f} s for each second."


def length_to_be(length: str) -> str:
    return f"Rendered, the film will be {length}."


def length_of_before(length: str) -> str:
    return f"As last rendered, {length}. The story has changed since; Render brings the film up to date."


def exporting(done: int, total: int) -> str:
    return f"Exporting: {frames(done, total)}"


def exported(length: str) -> str:
    return f"Exported: {length}."


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def download(suffix: str) -> str:
    return f"Download {suffix}"


def shows(picture: str) -> str:
    return f"Shows: {picture}"


def shows_open(picture: str) -> str:
    return f"{shows(picture)} The prompt leaves some of this open."


def sound(name: str) -> str:
    return f"Sound: {name}"


def no_sound(name: str) -> str:
    return f"{name} holds no sound; choose an mp3, wav, ogg, m4a or another sound file."


def sound_not_kept(name: str, reason: str) -> str:
    return f"{name} cannot be kept: {reason}."


# What the scripts in assets/js say; {placeholders} are theirs to fill in.
EDITOR = {
    "open": "Open",
    "mine": "Your stories",
    "examples": "Examples",
    "new_story": "A new story",
    "untitled": "A story without a title",
    "unkept": "This browser has no room to keep this story; save it as a file before you leave the page.",
    "import": "Import",
    "save_txt": "Save .txt",
    "save_json": "Save .json",
    "title": "Title of the story",
    "style": "Style",
    "style_hint": "for every segment, such as: calm, wide view",
    "seed": "Seed",
    "seed_hint": "story's",
    "cards": "Cards",
    "text": "Plain text",
    "prompt": "What happens in this segment",
    "prompt_hint": "What happens next?",
    "seconds": "s",
    "seconds_name": "Seconds of this segment",
    "seed_name": "Seed of this segment",
    "default_seconds": "4",
    "times": "True borders of this segment in the film",
    "up": "Move up",
    "down": "Move down",
    "insert": "Add a segment after this one",
    "remove": "Remove",
    "add": "Add a segment",
    "removed": "Segment {number} was removed.",
    "undo": "Undo",
    "remove_story": "Remove “{title}” from your stories",
    "story_removed": "“{title}” was removed from your stories.",
    "bring_back": "Undo: bring “{title}” back",
    "go_to_line": "Go to line {line}",
    "summary": "{seconds} s · {frames} frames at {fps} a second · {chunks} chunks",
    "summary_short": "{seconds} s",
}
PROGRESS = {
    "progress": "Progress",
    "preview": "The pictures that are being rendered, as far as they are",
    "elapsed": "{time} so far",
    "remaining": "about {time} left, ready at {clock}",
    "soon": "ready in a moment",
    "others": "{count} more waiting",
}
TIMELINE = {
    "timeline": "Timeline of the film",
    "idle": "not made yet",
    "sketched": "in the animatic",
    "rendering": "being rendered",
    "done": "rendered",
}
