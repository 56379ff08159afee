"""Where the server has its files."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote


def file_url(path: Path) -> str:
    """Where gradio serves a file, from the server's root; a file written again gets another URL."""
    path = path.absolute()
    version = f"?v={path.stat().st_mtime_ns:x}" if path.exists() else ""
    return f"/gradio_api/file={quote(str(path))}{version}"
