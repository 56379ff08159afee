"""The film panel: what a person chooses goes into the project's film.json; its film is told and exported."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from app import words
from app.handlers.desk import Desk
from app.handlers.editing import current_text
from app.handlers.exporting import Export
from app.handlers.kept import rendered
from app.handlers.library import file_name, project_folder
from app.handlers.urls import file_url
from arlon_core.errors import ArlonError, FilmError, StoryError
from arlon_core.media.edit_plan import describe_edit, plan_edit, show_seconds
from arlon_core.media.film_settings import (
    FilmSettings,
    Join,
    Sound,
    read_film_settings,
    write_film_settings,
)
from arlon_core.store.atomic import os_reason, replacing
from arlon_core.story import Story, parse_story

FORMATS = (".mp4", ".webm", ".gif")
EXPORTS, SOUNDS = "exports", "sound"  # folders in a project
Values = dict[str, Any]


def film_controls(desk: Desk, project: Any) -> Values:
    """What the panel's controls show for a project; the defaults when its film.json cannot be read."""
    try:
        settings = read_film_settings(project_folder(desk.projects, project)) or FilmSettings()
    except ArlonError:
        settings = FilmSettings()
    sound = settings.sound
    return {
        "join": settings.default_join.kind,
        "join_seconds": settings.default_join.seconds,
        "captions": settings.captions,
        "sound": {
            "there": sound is not None,
            "label": words.ADD_SOUND if sound is None else words.sound(Path(sound.path).name),
            "volume": 1.0 if sound is None else sound.volume,
        },
    }


def choose(
    desk: Desk, project: Any, editor: Any, join: Any, seconds: Any, captions: Any, volume: Any
) -> None:
    """Keep what the controls say. Raises ArlonError naming the mend; film.json stays then."""
    folder = project_folder(desk.projects, project)
    settings = read_film_settings(folder) or FilmSettings()
    if seconds is None and join == "cut":
        seconds = settings.default_join.seconds
    chosen = replace(settings, default_join=Join(join, seconds), captions=captions)
    if chosen.sound is not None:
        chosen = replace(chosen, sound=replace(chosen.sound, volume=volume))
    _keep(folder, chosen, editor)


def choose_sound(desk: Desk, project: Any, editor: Any, upload: Any) -> None:
    """Keep a copy of an uploaded file in the project as its sound; None takes the sound away.

    Raises ArlonError when it holds no sound or cannot be kept; the sound that was there stays then.
    """
    folder = project_folder(desk.projects, project)
    settings = read_film_settings(folder) or FilmSettings()
    if upload is None:
        _keep(folder, replace(settings, sound=None), editor)
        return
    from arlon_core.media.sound import check_sound

    name = Path(str(upload)).name
    try:
        check_sound(str(upload))
    except FilmError:
        raise FilmError(words.no_sound(name)) from None
    kept = folder / SOUNDS / name
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with replacing(kept) as partial:
            shutil.copyfile(str(upload), partial)
    except OSError as error:
        raise FilmError(words.sound_not_kept(name, os_reason(error))) from None
    path = f"{SOUNDS}/{name}"  # relative, so that a project can be moved
    sound = Sound(path) if settings.sound is None else replace(settings.sound, path=path)
    _keep(folder, replace(settings, sound=sound), editor)


def export(desk: Desk, project: Any, suffix: Any) -> str:
    """Begin an export of what is rendered; gives what to tell, mostly nothing. Raises ArlonError."""
    folder = project_folder(desk.projects, project)
    film = rendered(folder)
    if film is None:
        raise ArlonError(words.NOTHING_TO_EXPORT)
    if suffix not in FORMATS:
        raise ArlonError(words.BAD_FORMAT)
    settings = read_film_settings(folder) or FilmSettings()
    path = folder / EXPORTS / file_name(_title(film.story), suffix.removeprefix("."))
    return "" if desk.exports.start(film, path, settings) else words.EXPORT_RUNS


def cancel_export(desk: Desk, project: Any) -> str:
    """Cancel the export that the panel shows; gives what to tell, mostly nothing. What was there stays."""
    return "" if desk.exports.cancel(project_folder(desk.projects, project)) else words.NO_EXPORT


def film_values(desk: Desk, project: Any, editor: Any) -> Values:
    """What the panel tells: the length of the film before it is made, and the export and its files after."""
    try:
        folder = project_folder(desk.projects, project)
    except ArlonError:
        return {
            "length": _line("", ""),
            "exported": _line("", ""),
            "export_links": [],
            "cancel_export": False,
        }
    made = desk.exports.of(folder)
    return {
        "length": _length(folder, editor),
        "exported": _progress(made),
        "export_links": _links(made),
        "cancel_export": made is not None and made.active,
    }


def _length(folder: Path, editor: Any) -> Values:
    """The exact length of the film that an export, or else a render, would make now."""
    story, film = _story(editor), rendered(folder)
    try:
        settings = read_film_settings(folder) or FilmSettings()
        if film is not None:
            said = describe_edit(film.plan(settings))
            return _line("note", said if story in (film.story, None) else words.length_of_before(said))
        frames, fps = _planned(editor)
        if story is None or len(frames) != len(story.segments):
            return _line("", "")
        joins = settings.edit([segment.prompt for segment in story.segments], folder).joins
        return _line("note", words.length_to_be(describe_edit(plan_edit(frames, joins, fps))))
    except FilmError as error:
        return _line("bad", str(error))


def _progress(made: Export | None) -> Values:
    if made is None:
        return _line("", "")
    if made.failure:
        return _line("bad", made.failure)
    if made.cancelled:
        return _line("note", words.EXPORT_CANCELLED)
    if made.info is None:
        return _line("running", words.exporting(made.done, made.total))
    length = f"{show_seconds(made.info.frames, made.info.fps)}, {made.info.frames} frames"
    return _line("done", " ".join([words.exported(length), *map(words.sentence, made.info.notes)]))


def _links(made: Export | None) -> list[Values]:
    if made is None or made.info is None:
        return []
    files = [made.info.path, *([made.info.subtitles] if made.info.subtitles else [])]
    return [
        {"kind": "export", "url": file_url(path), "name": path.name, "label": words.download(path.suffix)}
        for path in files
    ]


def _keep(folder: Path, settings: FilmSettings, editor: Any) -> None:
    """Write film.json, with the names of the story's segments as it stands."""
    story = _story(editor)
    if story is not None:
        settings = settings.named([segment.prompt for segment in story.segments])
    write_film_settings(folder, settings)


def _planned(editor: Any) -> tuple[list[int], int]:
    """Frames of each segment by the editor's plan, and frames a second; none before there is a plan."""
    plan = editor.get("plan") if isinstance(editor, Mapping) else None
    if not isinstance(plan, Mapping) or not plan.get("fps"):
        return [], 0
    return [int(row["frames"]) for row in plan["segments"]], int(plan["fps"])


def _story(editor: Any) -> Story | None:
    try:
        return parse_story(current_text(editor))
    except StoryError:
        return None


def _title(story: Story) -> str:
    return story.title or story.segments[0].prompt


def _line(state: str, line: str) -> Values:
    return {"state": state, "line": line}
