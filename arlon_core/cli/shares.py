"""Several processes that share the stories of one measurement.

Our model is so small that a GPU mostly waits for Python: several processes keep it at work, and several
cores too, for encoding and optical flow are done there. Each keeps what it has measured, story by story, so
the process that started them finds everything done and has only the report to make.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import IO

from arlon_core.errors import ArlonError


def measure_in_shares(argv: Sequence[str], workers: int) -> None:
    """Run a command line in `workers` processes, each with a `--share` of its stories.

    The progress bar is that of the first. When one fails, the others are stopped.
    Raises ArlonError with the sentence of the one that failed.
    """
    threads = str(max(1, (os.cpu_count() or 1) // workers))
    environment = {**os.environ, "OMP_NUM_THREADS": threads}
    running: list[tuple[subprocess.Popen[bytes], IO[bytes]]] = []
    try:
        for number in range(1, workers + 1):
            output = tempfile.TemporaryFile()  # noqa: SIM115 - closed below, with its process
            command = [sys.executable, "-m", "arlon_core", *argv, "--share", f"{number}/{workers}"]
            process = subprocess.Popen(
                command, env=environment, stdout=subprocess.DEVNULL, stderr=None if number == 1 else output
            )
            running.append((process, output))
        _wait(running)
    finally:
        for process, said in running:
            process.kill()
            process.wait()
            said.close()


def _wait(running: Sequence[tuple[subprocess.Popen[bytes], IO[bytes]]]) -> None:
    """Until all are done or one fails."""
    left = list(running)
    while left:
        for process, said in left:
            try:
                code = process.wait(timeout=0.1)
            except subprocess.TimeoutExpired:
                continue
            if code:
                said.seek(0)
                lines = said.read().decode(errors="replace").strip().splitlines()
                reason = lines[-1] if lines else "as it says above"
                raise ArlonError(f"a process that measures stories failed: {reason.removeprefix('error: ')}")
        left = [each for each in left if each[0].returncode is None]
