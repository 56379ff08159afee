"""ARLON: long videos from a timeline of prompts.

An autoregressive transformer extends a stream of coarse visual tokens, prompt by prompt; a diffusion
transformer, guided by them, renders chunk after chunk. Names are imported when first used, so that
`import arlon_core` stays fast and the story, the plan and the store work without torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arlon_core.errors import ArlonError
    from arlon_core.generation.export import export_film
    from arlon_core.generation.render import animatic, render
    from arlon_core.pipeline import ArlonPipeline
    from arlon_core.story import Segment, Story, format_story, parse_story, read_story

_HOMES = {
    "ArlonError": "arlon_core.errors",
    "ArlonPipeline": "arlon_core.pipeline",
    "Segment": "arlon_core.story",
    "Story": "arlon_core.story",
    "animatic": "arlon_core.generation.render",
    "export_film": "arlon_core.generation.export",
    "format_story": "arlon_core.story",
    "parse_story": "arlon_core.story",
    "read_story": "arlon_core.story",
    "render": "arlon_core.generation.render",
}

__all__ = [
    "ArlonError",
    "ArlonPipeline",
    "Segment",
    "Story",
    "animatic",
    "export_film",
    "format_story",
    "parse_story",
    "read_story",
    "render",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
