"""The files in assets/ that the page is made of."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

ASSETS = Path(__file__).resolve().parents[1] / "assets"


def css(name: str) -> str:
    """A style sheet of assets/css, with the pictures that it names (``url(day.svg)``) inside it."""
    folder = ASSETS / "css"

    def inside(match: re.Match[str]) -> str:
        picture = " ".join((folder / match.group(1)).read_text(encoding="utf-8").split())
        return f'url("data:image/svg+xml,{quote(picture)}")'

    return re.sub(r"url\((\w+\.svg)\)", inside, (folder / name).read_text(encoding="utf-8"))


def keys() -> str:
    """The script of the whole page: its keys."""
    return (ASSETS / "js" / "keys.js").read_text(encoding="utf-8")


def script(*names: str) -> str:
    """A component's script of assets/js, after the helpers that all of them use."""
    folder = ASSETS / "js"
    return "".join((folder / each).read_text(encoding="utf-8") for each in ("dom.js", *names))
