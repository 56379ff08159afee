"""Puts the page where browsers reach it."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from gradio.routes import templates
from jinja2 import ChoiceLoader, DictLoader

from app import words
from app.studio import launch_options
from arlon_core.errors import ArlonError


def serve(
    page: gr.Blocks,
    projects: Path,
    *,
    host: str | None,
    port: int | None,
    share: bool,
    auth: tuple[str, str] | None,
) -> None:
    """Serve the page until interrupted. projects: the folder whose films it may show.

    host, port: None for this machine only, and the first free port. share: a public link beside, through a
    tunnel; without one the page is served all the same. Raises ArlonError when it cannot listen there.
    """
    _share_the_whole_page()
    try:
        page.launch(server_name=host, server_port=port, share=share, auth=auth, **launch_options(projects))
    except OSError:
        raise ArlonError(words.cannot_listen(host, port)) from None


def _share_the_whole_page() -> None:
    """Let a shared page load its script from the studio, as all others do.

    Gradio's page for sharing asks a server of gradio's for it, on this machine as well, and from the moment a
    link is asked for: without the internet it stays blank.
    """
    own = DictLoader({"frontend/share.html": '{% include "frontend/index.html" %}'})
    assert templates.env.loader is not None
    templates.env.loader = ChoiceLoader([own, templates.env.loader])
