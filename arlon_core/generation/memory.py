"""Memory: given back when a render ends; and where there is too little, a sentence on what would fit."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from arlon_core.errors import ArlonError

_UNITS = {"bytes": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
# torch on a GPU: "Tried to allocate 20.00 MiB"; on a CPU: "you tried to allocate 17179869184 bytes".
_ASKED = re.compile(r"tried to allocate ([\d.]+) (bytes|KiB|MiB|GiB|TiB)", re.IGNORECASE)
_CPU_WORDS = ("not enough memory", "can't allocate memory", "cannot allocate memory")
_SPARE = 0.8  # of the room, in what is named as fitting: the estimate of what is needed is a lower bound


class OutOfMemoryError(ArlonError):
    """The device or the machine has too little memory; the sentence names what would fit."""


@dataclass(frozen=True)
class Shortage:
    """What was being done when memory ran out, in bytes.

    place: where, in words. free: what a render may take beside the model. needed: what it held beside the
    model and asked for at last, a lower bound. Both are None where they are not known (on a CPU).
    new, overlap: latent frames of the plan's largest chunk. guided: whether guidance doubles the batch.
    """

    place: str
    stage: str
    free: int | None
    needed: int | None
    new: int
    overlap: int
    guided: bool
    on_gpu: bool

    @property
    def measured(self) -> tuple[int, int] | None:
        """(free, needed) where they explain it; None where enough seems to be free: others took it."""
        if self.free is None or self.needed is None or self.needed <= self.free:
            return None
        return self.free, self.needed


def shortage_sentence(shortage: Shortage) -> str:
    """One sentence: what ran out, and what would fit; for whoever reads it on a terminal or on the page."""
    sizes = f" in the stage '{shortage.stage}'"
    if shortage.measured:
        free, needed = shortage.measured
        sizes += f", which takes more than {_size(needed)} where {_size(free)} are free"
    mends = []
    if shortage.stage == "denoise":  # only there does it depend on the chunk; all else works frame by frame
        if shortage.guided:
            mends.append("guidance 1 takes half of it")
        fitting = fitting_chunk(shortage)
        if fitting:
            would = "would fit" if shortage.measured else "take about half of it"
            mends.append(
                f"{fitting} latent frames a chunk {would} (--chunk {fitting}, or the page's settings)"
            )
    if shortage.on_gpu:
        mends.append("started with --device cpu it uses the main memory instead")
    mends.append(f"other programs that use {'the GPU' if shortage.on_gpu else 'memory'} can be closed")
    mend = ", or ".join(mends)
    return f"{shortage.place} is out of memory{sizes}; {mend}; with a project, what was made is kept."


def fitting_chunk(shortage: Shortage) -> int:
    """How many new latent frames a chunk can have for the DiT's memory, which grows with a chunk's length.

    0 when no chunk shorter than the present ones would do. Where the sizes do not tell, half of the present.
    """
    if shortage.measured is None:
        return shortage.new // 2
    free, needed = shortage.measured
    frames = shortage.new + shortage.overlap
    fitting = int(_SPARE * free * frames / needed) - shortage.overlap
    return max(0, min(fitting, shortage.new - 1))


@contextmanager
def memory_given_back(device: torch.device) -> Iterator[None]:
    """Gives the GPU's memory back when the block ends, however it does.

    An ArlonError's traceback would hold on to the tensors of all functions it passed through, for as long as
    somebody keeps the error; they are let go. Tracebacks of our own bugs are left whole, for whoever looks.
    """
    try:
        yield
    except BaseException as error:
        if isinstance(error, ArlonError) or is_out_of_memory(error):
            traceback.clear_frames(error.__traceback__)
        raise
    finally:
        if device.type == "cuda":
            torch.cuda.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch or Python say with this error that memory ran out."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _CPU_WORDS)


def bytes_asked(error: BaseException) -> int:
    """How much the failed request was for; 0 when the error does not say."""
    found = _ASKED.search(str(error))
    return int(float(found[1]) * _UNITS[found[2].lower()]) if found else 0


def memory_sizes(device: torch.device, error: BaseException) -> tuple[int | None, int | None]:
    """(free, needed) of a Shortage, once all but the model has been given back; None on a CPU."""
    if device.type != "cuda":
        return None, None
    model = torch.cuda.memory_allocated(device)
    free, _ = torch.cuda.mem_get_info(device)
    return free, torch.cuda.max_memory_allocated(device) - model + bytes_asked(error)


def watch_memory(device: torch.device) -> None:
    """From here on the most memory that is held at a time is counted anew."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.0f} MB"
