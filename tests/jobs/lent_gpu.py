"""A stand-in for the package `spaces` on ZeroGPU: its decorator really runs generators in another process.

As there: the process is forked, so the function itself is inherited; arguments and results are pickled; a
duration may be a callable of the arguments; of an exception only the class's name comes back; a caller that
closes the generator stops the work at its next event; a process that dies is "GPU task aborted".
"""

from __future__ import annotations

import gc
import inspect
import multiprocessing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

CONTEXT = multiprocessing.get_context("fork")


@dataclass
class LentGpu:
    """calls: (arguments, seconds) of each call so far. refuses: errors raised instead of the next calls."""

    calls: list[tuple[tuple[Any, ...], int]] = field(default_factory=list)
    refuses: list[Exception] = field(default_factory=list)
    on_start: Callable[[], None] = lambda: None

    def GPU(self, task: Any = None, *, duration: Any = None) -> Any:  # noqa: N802 (the name in `spaces`)
        if task is None:
            return lambda task: self.GPU(task, duration=duration)
        assert inspect.isgeneratorfunction(task), "a plain function would give all events at its end"

        def handler(*args: Any) -> Iterator[Any]:
            self.calls.append((args, duration(*args) if callable(duration) else duration))
            if self.refuses:
                raise self.refuses.pop(0)
            yield from self._run(task, args)

        return handler

    def _run(self, task: Any, args: tuple[Any, ...]) -> Iterator[Any]:
        arguments, results = CONTEXT.SimpleQueue(), CONTEXT.SimpleQueue()
        stop = CONTEXT.Event()

        def work() -> None:
            self.on_start()
            given = arguments.get()
            generator = task(*given)
            try:
                for value in generator:
                    if stop.is_set():
                        generator.close()
                        break
                    results.put(("value", value))
                results.put(("end", None))
            except Exception as error:  # noqa: BLE001 (any, as there)
                results.put(("error", type(error).__name__))

        gc.collect()  # as app.zerogpu does, and for its reason
        process = CONTEXT.Process(target=work, daemon=True)
        process.start()
        arguments.put(args)
        try:
            while True:
                while results.empty():
                    process.join(0.01)
                    if not process.is_alive() and results.empty():
                        raise gr.Error("GPU task aborted", title="ZeroGPU worker error")
                kind, value = results.get()
                if kind == "error":
                    raise gr.Error(value, title="ZeroGPU worker error")
                if kind == "end":
                    return
                yield value
        finally:
            stop.set()
            while process.is_alive():  # as there, whoever leaves waits for the work to end
                process.join(0.01)
                while not results.empty():
                    results.get()
