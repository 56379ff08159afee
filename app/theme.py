"""The look of gradio's own parts: paper by day, a night sky in the dark. No font is fetched from anywhere."""

from __future__ import annotations

import gradio as gr

SERIF = ("Iowan Old Style", "Palatino Linotype", "Palatino", "Georgia", "serif")
SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif")


def studio_theme() -> gr.themes.Base:
    """Colours come from the variables of assets/css/studio.css, so that each is named once."""
    theme = gr.themes.Base(font=SANS, font_mono=("ui-monospace", "Menlo", "Consolas", "monospace"))
    names = {
        "body_background_fill": "var(--paper)",
        "body_text_color": "var(--ink)",
        "body_text_color_subdued": "var(--ink-soft)",
        "background_fill_primary": "var(--card)",
        "background_fill_secondary": "var(--paper)",
        "block_background_fill": "transparent",
        "block_border_width": "0px",
        "border_color_primary": "var(--line)",
        "input_background_fill": "var(--card)",
        "input_border_color": "var(--line)",
        "button_primary_background_fill": "var(--accent)",
        "button_primary_background_fill_hover": "var(--accent-deep)",
        "button_primary_text_color": "#ffffff",
        "button_secondary_background_fill": "var(--card)",
        "button_secondary_background_fill_hover": "var(--wash)",
        "button_secondary_text_color": "var(--ink)",
    }
    dark = {f"{name}_dark": value for name, value in names.items() if name != "block_border_width"}
    return theme.set(color_accent="var(--accent)", **names, **dark)
