"""Pipeline folders that borrow toy components and get reports, an index and new components of their own."""

from __future__ import annotations

from pathlib import Path

# What every training run writes anew: through a link it would write into the folder that tests share.
WRITTEN = ("training", "model_index.json", "scheduler")


def link_components(source: Path, folder: Path, *, without: tuple[str, ...] = ()) -> None:
    """Links in `folder` to the components of `source`, but for those that are to be missing or trained."""
    for part in source.iterdir():
        if part.name not in (*WRITTEN, *without):
            (folder / part.name).symlink_to(part)
