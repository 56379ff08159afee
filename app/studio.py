"""The studio page: panels put together, and every event tied to a plain function of app/handlers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from app import words
from app.assets import css, keys
from app.components.line import text_line
from app.handlers.desk import Desk, cancel, submit
from app.handlers.editing import Value, project_of
from app.handlers.filming import cancel_export, choose, choose_sound, export, film_controls
from app.handlers.page import FAST, page_values
from app.handlers.refresh import changed
from app.handlers.session import answer, edit, open_page, open_story
from app.handlers.settings import SETTINGS
from app.panels.film import CONTROLS, control_updates, film_panel
from app.panels.stage import player_classes, stage_panel
from app.panels.story import story_panel
from app.theme import studio_theme
from arlon_core.errors import ArlonError

_QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
_PAGE = ("model", "progress", "film", "animatic", "timeline", "links", "cancel", "pace")
_PANEL = ("length", "exported", "export_links", "cancel_export")
_STARTS = ("make_animatic", "render")

Updates = dict[Any, Any]


def build_studio(desk: Desk) -> gr.Blocks:
    """The page, not yet served."""
    # To be read, until the browser has said which story it had.
    first = {**open_page(desk, None), "rev": 0, "project": ""}
    values = page_values(desk, "", first)
    with gr.Blocks(title=words.TITLE, analytics_enabled=False, fill_width=True) as page:
        parts: dict[str, Any] = {
            "shown": gr.State({}),
            "pace": gr.Timer(FAST),
        }
        with gr.Row(elem_id="masthead"):
            gr.HTML(f"<h1>{words.TITLE}</h1><p>{words.TAGLINE}</p>", elem_id="title", apply_default_css=False)
            parts["model"] = text_line("model", values["model"])
        with gr.Row(elem_id="desk"):
            with gr.Column(elem_id="story-panel", scale=6, min_width=320):
                parts |= story_panel(first, desk)
            with gr.Column(elem_id="stage-panel", scale=5, min_width=320):
                parts |= stage_panel(values)
                parts |= film_panel(values, film_controls(desk, ""))
        Wiring(desk, parts).connect()
    return page


def launch_options(projects: Path) -> dict[str, Any]:
    """What `launch` needs of the studio itself; who may reach it is for app.py to say."""
    return {
        "theme": studio_theme(),
        # In the head rather than as `css`, whose selectors gradio rewrites and in doing so breaks :is(a, b).
        "head": f"<style>{css('studio.css')}</style><script>{keys()}</script>",
        "allowed_paths": [str(projects.absolute())],
        "footer_links": [],
        "ssr_mode": False,
        # Gradio asks its own server for the page and gives up after 3 s: a busy machine may be slower.
        "_frontend": False,
    }


@dataclass(frozen=True)
class Wiring:
    """Ties the page's parts to the handlers. Every handler gives updates keyed by part."""

    desk: Desk
    parts: Mapping[str, Any]

    def connect(self) -> None:
        """Make all events."""
        parts = self.parts
        now = [parts[name] for name in ("editor", "shown")]
        shown = [parts[name] for name in ("shown", *_PAGE, *_PANEL)]
        controls = [parts[name] for name in CONTROLS]
        settings = [parts[name] for name in SETTINGS]
        outputs = [parts["editor"], *shown, parts["notice"], parts["tabs"]]
        opened = [*outputs, *controls, *settings]
        starts = [parts[name] for name in _STARTS]
        parts["editor"].started(self.load, [], [*opened, *starts], **_QUIET)
        parts["pace"].tick(self.refresh, now, shown, **_QUIET)
        typed = {**_QUIET, "trigger_mode": "always_last"}
        edited = [*now, *settings]
        for event in (parts["editor"].typed, *(each.input for each in settings)):
            event(self.typed, edited, outputs, **typed)
        parts["editor"].opened(self.opened, edited, opened, **_QUIET)
        # Only what goes through the queue tells ZeroGPU whose GPU time it is.
        queued = {**_QUIET, "queue": True}
        parts["make_animatic"].click(self.animatic, edited, outputs, **queued)
        parts["render"].click(self.render, edited, outputs, **queued)
        parts["cancel"].click(self.cancel, now, shown, **_QUIET)
        self._connect_film(now, [parts["film_notice"], *shown])

    def _connect_film(self, now: list[Any], outputs: list[Any]) -> None:
        """The events of the film panel. `input` and `release` come from a person only, `change` would not."""
        parts = self.parts
        chosen = [*now, *(parts[name] for name in ("join", "join_seconds", "captions", "volume"))]
        latest = {**_QUIET, "trigger_mode": "always_last"}
        for name in ("join", "join_seconds", "captions"):
            parts[name].input(self.chosen, chosen, outputs, **latest)
        parts["volume"].release(self.chosen, chosen, outputs, **latest)
        with_controls = [*outputs, *(parts[name] for name in CONTROLS)]
        parts["sound"].upload(self.sound_chosen, [*now, parts["sound"]], with_controls, **_QUIET)
        parts["remove_sound"].click(self.sound_chosen, now, with_controls, **_QUIET)
        parts["export"].click(self.export, [*now, parts["format"]], outputs, **_QUIET)
        parts["cancel_export"].click(self.cancel_export, now, outputs, **_QUIET)

    def load(self, event: gr.EventData) -> Updates:
        updates = self._opened(open_page(self.desk, event._data))
        film, animatic = (updates[self.parts[name]]["value"] for name in ("film", "animatic"))
        tab = "animatic" if animatic["segments"] and not film["segments"] else "film"
        # What starts work waits for the browser's own story: a moment earlier it would take another one.
        starts = {self.parts[name]: gr.update(interactive=True) for name in _STARTS}
        return {**updates, **self._show(tab), **starts}

    def typed(self, value: Any, shown: Any, *settings: Any) -> Updates:
        return self._story(edit(self.desk, value, *settings), shown)

    def opened(
        self, value: Any, shown: Any, steps: Any, guidance: Any, chunk: Any, event: gr.EventData
    ) -> Updates:
        left = edit(self.desk, value, steps, guidance, chunk)  # with keys that were on their way
        try:
            return self._opened(answer(event._data, open_story(self.desk, event._data, left)))
        except ArlonError as error:
            return {**self._story(answer(event._data, left), shown), **self._notice("bad", str(error))}

    def animatic(self, *values: Any) -> Updates:
        return self._start("animatic", *values)

    def render(self, *values: Any) -> Updates:
        return self._start("render", *values)

    def cancel(self, value: Any, shown: Any) -> Updates:
        cancel(self.desk, project_of(value))
        return self.refresh(value, shown)

    def chosen(self, value: Any, shown: Any, *controls: Any) -> Updates:
        return self._filmed(lambda: choose(self.desk, project_of(value), value, *controls), value, shown)

    def sound_chosen(self, value: Any, shown: Any, sound: Any = None) -> Updates:
        project = project_of(value)
        updates = self._filmed(lambda: choose_sound(self.desk, project, value, sound), value, shown)
        return {**updates, **self._controls(project)}

    def export(self, value: Any, shown: Any, suffix: Any) -> Updates:
        return self._filmed(lambda: export(self.desk, project_of(value), suffix), value, shown)

    def cancel_export(self, value: Any, shown: Any) -> Updates:
        return self._filmed(lambda: cancel_export(self.desk, project_of(value)), value, shown)

    def refresh(self, value: Any, shown: Any) -> Updates:
        new, marks = changed(page_values(self.desk, project_of(value), value), shown)
        return {
            self.parts["shown"]: marks,
            **{self.parts[name]: _update(name, each) for name, each in new.items()},
        }

    def _start(self, kind: str, value: Any, shown: Any, *settings: Any) -> Updates:
        story = edit(self.desk, value, *settings)
        try:
            note = submit(self.desk, kind, value, story["project"], *settings)
        except ArlonError as error:
            return {**self._story(story, shown), **self._notice("bad", str(error))}
        tab = "animatic" if kind == "animatic" else "film"
        return {**self._story(story, shown), **self._notice("note", note), **self._show(tab)}

    def _filmed(self, act: Callable[[], str | None], value: Any, shown: Any) -> Updates:
        """What an act on the film gives: what there is to say, and the page as it then is."""
        try:
            notice = {"state": "note", "line": act() or ""}
        except ArlonError as error:
            notice = {"state": "bad", "line": words.sentence(str(error))}
        return {self.parts["film_notice"]: gr.update(value=notice), **self.refresh(value, shown)}

    def _controls(self, project: Any) -> Updates:
        """The film panel's controls as the project's film.json has them."""
        updates = control_updates(film_controls(self.desk, project))
        return {self.parts[name]: update for name, update in updates.items()}

    def _opened(self, story: Value) -> Updates:
        """A story that was not on the page before, with all that belongs to it."""
        # Settings cannot be typed earlier either: they would be another story's.
        settings = {self.parts[name]: gr.update(value=story[name], interactive=True) for name in SETTINGS}
        return {**self._story(story, {}), **self._controls(story["project"]), **settings}

    def _story(self, story: Value, shown: Any) -> Updates:
        """The story on the page, and the page as it then is."""
        editor = {self.parts["editor"]: gr.update(value=story)}
        return {**editor, **self.refresh(story, shown), **self._notice("", "")}

    def _show(self, name: str) -> Updates:
        return {self.parts["tabs"]: gr.update(value={"show": name, "turn": self.desk.now()})}

    def _notice(self, state: str, line: str) -> Updates:
        return {self.parts["notice"]: gr.update(value={"state": state, "line": line})}


def _update(name: str, value: Any) -> Any:
    if name in ("cancel", "cancel_export"):
        return gr.update(interactive=value)
    if name in ("film", "animatic"):
        return gr.update(value=value, elem_classes=player_classes(value))
    return gr.update(value=value)
