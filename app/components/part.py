"""What the page's components share: each is a gr.HTML with a fixed frame, drawn by its script from a value.

The frame never changes, so gradio leaves the inside alone; and no text of a person is ever put into a
template, only into nodes. Functions rather than subclasses: for every class made, gradio writes a stub file
beside its source.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from app.assets import script


def page_part(
    name: str,
    file: str,
    value: Any,
    wording: Mapping[str, str],
    *,
    frame: str = "",
    helpers: tuple[str, ...] = (),
    elem_id: str | None = None,
    **options: Any,
) -> gr.HTML:
    """A component of the CSS class `name`, drawn by assets/js/`file` from a plain JSON value.

    wording: what its script says. frame: what stands in it from the start. helpers: scripts of assets/js that
    its own needs. options: what gr.HTML takes.
    """
    return gr.HTML(
        value=value,
        html_template=f'<div class="{name}">{frame}</div>',
        js_on_load=script(*helpers, file),
        apply_default_css=False,
        elem_id=elem_id or name,
        words=dict(wording),
        **options,
    )
