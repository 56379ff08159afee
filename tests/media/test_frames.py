"""Pictures in PyAV's frames: their colours, and that a process which made some may be forked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from arlon_core.media.frames import to_rgb, to_yuv420p

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0  # seconds


def picture() -> np.ndarray:
    """Smooth, so that half the colour resolution loses little."""
    rows, columns = np.mgrid[0:64, 0:112]
    return np.stack([rows * 4, columns * 2, 255 - rows * 2], axis=-1).astype(np.uint8)


def test_a_picture_survives_the_way_to_h264s_colours_and_back():
    frame = to_yuv420p(picture())
    assert (frame.format.name, frame.width, frame.height) == ("yuv420p", 112, 64)
    assert np.abs(to_rgb(frame).astype(int) - picture()).mean() < 3


FORK = """
import gc, multiprocessing, threading
import numpy as np
from arlon_core.media.frames import to_rgb, to_yuv420p

converted, go_on = threading.Event(), threading.Event()

def convert():
    frames = [to_yuv420p(np.zeros((64, 112, 3), np.uint8))]
    to_rgb(frames[0])
    frames.append(frames)  # garbage that only the collector finds, in the child too
    del frames
    converted.set()
    go_on.wait()

gc.disable()
thread = threading.Thread(target=convert)
thread.start()
converted.wait()
child = multiprocessing.get_context("fork").Process(target=gc.collect)
child.start()
child.join()
go_on.set()
print("the child ended with", child.exitcode)
"""


def test_a_process_whose_other_threads_convert_pictures_can_be_forked():
    """As ZeroGPU does with the studio; a scaler with workers of its own hangs the child for ever.

    In a process of its own: what other tests have left in this one would be in the child as well.
    """
    done = subprocess.run(
        [sys.executable, "-c", FORK], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.stdout == "the child ended with 0\n", done.stderr
