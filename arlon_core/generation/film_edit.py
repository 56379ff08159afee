"""What a project's film.json asks of a render's film. Nothing that is rendered depends on it."""

from __future__ import annotations

import os
from pathlib import Path

from arlon_core.generation.plan import Plan
from arlon_core.media.edit_plan import plan_edit
from arlon_core.media.film_settings import CUTS, Edit, read_film_settings, write_film_settings
from arlon_core.story import Story

Project = str | os.PathLike[str] | None


def check_film_edit(project: Project, story: Story, plan: Plan) -> None:
    """Refuse, before the work begins, what the film could not be made by in the end. Raises FilmError."""
    edit = film_edit(project, story)
    plan_edit([segment.frames for segment in plan.segments], edit.joins, plan.fps)
    if edit.sound is not None:
        from arlon_core.media.sound import check_sound

        check_sound(edit.sound.path)


def film_edit(project: Project, story: Story) -> Edit:
    """The edit of the film as film.json has it now; cuts where there is none. Raises FilmError."""
    settings = None if project is None else read_film_settings(Path(project))
    if project is None or settings is None:
        return CUTS
    return settings.edit([segment.prompt for segment in story.segments], Path(project))


def remember_segments(project: Project, story: Story) -> None:
    """Note the names of this story's segments in film.json, if there is one. Raises FilmError."""
    settings = None if project is None else read_film_settings(Path(project))
    if project is None or settings is None:
        return
    named = settings.named([segment.prompt for segment in story.segments])
    if named != settings:
        write_film_settings(Path(project), named)
