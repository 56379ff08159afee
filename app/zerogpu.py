"""The studio on ZeroGPU, where a Space gets a GPU for one call at a time; elsewhere nothing of it is used.

The package `spaces` comes with such a Space. It has to be imported before torch looks for a GPU, the model
loaded in the main thread, and the function that needs a GPU decorated before the page is launched.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from typing import Any

from app import words
from arlon_core.errors import ArlonError
from arlon_core.generation.events import Event
from arlon_core.jobs import ModelEngine
from arlon_core.jobs.gpu_calls import GpuCall, GpuLostError
from arlon_core.jobs.parted_engine import Calls, PartedEngine

_ABORTED = "GPU task aborted"  # how `spaces` says that the process was ended from outside


def open_engine(model: str, device: str) -> ModelEngine:
    """The engine for this machine. On ZeroGPU it returns when the model is loaded, else at once."""
    if device == "cpu" or not on_zero_gpu():
        return ModelEngine(model, device)
    import spaces

    return PartedEngine(model, device, lambda work: lent(spaces.GPU, work))


def on_zero_gpu() -> bool:
    """Whether this is a Space on ZeroGPU hardware, as the package `spaces` decides it."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def lent(gpu: Any, work: Calls) -> Calls:
    """`work` where the GPU is. gpu: the decorator `spaces.GPU`. Its errors become one sentence each."""
    from gradio import Error

    calls = gpu(duration=_seconds)(work)

    def told(call: GpuCall) -> Iterator[Event]:
        # The process that gets the GPU is a fork of this one, without its threads. A decoder of FFmpeg that
        # is garbage here would be collected there, and wait for its threads for ever.
        gc.collect()
        try:
            yield from calls(call)
        except Error as error:
            raise gpu_error(getattr(error, "title", ""), str(error.message)) from None

    return told


def gpu_error(title: str, message: str) -> ArlonError:
    """What to say of an error of `spaces`, which has a title such as "ZeroGPU quota exceeded"."""
    if message == _ABORTED:
        return GpuLostError(words.GPU_LOST)
    if title == "ZeroGPU worker error":
        return ArlonError(words.GPU_BROKE.format(error=message))
    return ArlonError(words.GPU_REFUSED.format(reason=" ".join(message.split()).rstrip(".")))


def _seconds(call: GpuCall) -> int:
    return call.seconds
