"""app.py in a process of its own, as people start it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE = 240.0  # seconds; a shared machine can stand still for a while
LISTENS = "Running on local URL"


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class StudioProcess:
    """`python app.py FLAGS`; started at once, listening when `wait` returns.

    folder: where its output goes; projects lie below it, and stay when another process is started on them.
    guarded: by tests/app/guarded_app.py. environment: what else it finds there.
    """

    def __init__(
        self, folder: Path, *flags: object, port: int | None = None, guarded: bool = False, **environment: str
    ) -> None:
        self.port = port or free_port()
        self.projects = folder / "projects"
        self.output = folder / "output.txt"
        self._outside = folder / "outside.txt"
        script = "tests/app/guarded_app.py" if guarded else "app.py"
        own = ["--port", self.port, "--projects", self.projects, "--device", "cpu"]
        environment |= {"OUTSIDE": str(self._outside), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        with self.output.open("w") as output:
            self._process = subprocess.Popen(
                [sys.executable, str(ROOT / script), *map(str, [*own, *flags])],
                cwd=folder,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | environment,
            )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def outside(self) -> list[str]:
        """Addresses outside this machine that a guarded process asked for."""
        return self._outside.read_text().split() if self._outside.exists() else []

    def wait(self, says: str = LISTENS) -> StudioProcess:
        """Until it says so: that it listens. Raises AssertionError with its output when it ends before."""
        end = time.monotonic() + PATIENCE
        while says not in self.output.read_text():
            assert self._process.poll() is None, self.output.read_text()
            assert time.monotonic() < end, f"does not say {says!r}: {self.output.read_text()}"
            time.sleep(0.02)
        return self

    def result(self) -> tuple[int, str]:
        """Exit code and output, of one that ends by itself."""
        return self._process.wait(PATIENCE), self.output.read_text()

    def kill(self) -> None:
        """As `kill -9`: no goodbye."""
        self._process.kill()
        self._process.wait()
