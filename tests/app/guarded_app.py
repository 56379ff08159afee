"""Runs app.py as `python app.py` does, and tells on it: `python tests/app/guarded_app.py FLAGS`.

Every address outside this machine that it asks for is a line of the file $OUTSIDE. Where there is a $TUNNEL,
gradio's is not set up: it is said to end at that URL, or, when that is empty, to have failed.
"""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = ("localhost", "127.", "::1", "0.0.0.0", "None")


def note(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook: sockets that connect, and names that are looked up."""
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    name = host.decode() if isinstance(host, bytes) else str(host)
    if not name.startswith(HERE):
        with Path(os.environ["OUTSIDE"]).open("a") as file:
            file.write(f"{name}\n")


def tunnel(*_: object, **__: object) -> str:
    """In place of gradio's, which would download a program and call a server."""
    if not os.environ["TUNNEL"]:
        raise RuntimeError("no network")
    return os.environ["TUNNEL"]


def main() -> None:
    sys.addaudithook(note)
    sys.path.insert(0, str(ROOT))
    if "TUNNEL" in os.environ:
        import gradio.networking

        gradio.networking.setup_tunnel = tunnel
    sys.argv[0] = str(ROOT / "app.py")
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
