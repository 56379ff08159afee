"""Files to download, each under a name that says what it is."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

FOLDER = "downloads"


def download_file(path: Path, name: str) -> Path:
    """The same file under `name`: a hard link in the project's folder `downloads`, in place of older ones.

    A browser takes a file's name from the server, which takes it from the path, so a link's own wish for a
    name (`<a download>`) is not heard. Where the disk has no hard links the file itself is given.
    """
    folder = path.parent / FOLDER / path.stem
    named = folder / name
    with suppress(OSError):
        if named.exists() and named.samefile(path):
            return named
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob(f"*{path.suffix}"):  # a film's captions lie there beside it
            old.unlink()
        os.link(path, named)
    except OSError:
        return path
    return named
