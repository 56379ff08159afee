"""What the page shows of a story and its project's jobs, on a desk with a fake engine (studio_desk)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from app.handlers import desk as desks
from app.handlers.editing import editor_value, settle
from app.handlers.page import page_values
from tests.app.fake_engine import GRID
from tests.app.studio_desk import Bench

TEXT = "title: The fox\nseed: 3\n\n[1s] A fox sits.\n[1.5s] It runs.\n[1s] Night falls.\n"
STORY = editor_value(TEXT, GRID)
FOX, OWL = "the-fox-0000000000000001", "the-owl-0000000000000002"


def edited(text: str) -> dict[str, Any]:
    """The story in the editor, once this was written over it as plain text."""
    return settle({**STORY, "from": "text", "text": text}, GRID)


def shown(bench: Bench, project: str = FOX, editor: object = STORY) -> dict:
    """The page's values, after a journey over the wire."""
    return json.loads(json.dumps(page_values(bench.desk, project, editor)))


def states(values: dict) -> list[str]:
    return [block["state"] for block in values["timeline"]["segments"]]


def jobs_of(bench: Bench, project: str = FOX) -> list[desks.Job]:
    return desks.project_jobs(bench.desk, project)


def run(bench: Bench, kind: str, editor: object = STORY, project: str = FOX) -> dict:
    """Submit and wait for the end; what the page shows then."""
    assert desks.submit(bench.desk, kind, editor, project) == ""
    bench.until(lambda: all(job.settled for job in jobs_of(bench, project)), f"the {kind} ends")
    return shown(bench, project, editor)


def served(url: str) -> Path:
    """The file behind a URL of gradio."""
    return Path(unquote(url.removeprefix("/gradio_api/file=").partition("?")[0]))
