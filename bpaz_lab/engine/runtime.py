"""The engine's own thread and loop: a busy cell never stops a run, and a run never stops the canvas."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")

THREADS: Final = 64
"""Blocking nodes that can run at once in a process; they wait rather than compute."""


class Runtime:
    """One daemon thread with one event loop, and the threads of blocking nodes."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.loop.set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="bpaz-node"))
        self._thread = threading.Thread(target=self.loop.run_forever, name="bpaz-engine", daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Starts a coroutine on the loop, from any thread."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def call(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Calls a function on the loop soon, from any thread."""
        self.loop.call_soon_threadsafe(function, *arguments)

    @property
    def here(self) -> bool:
        """Whether the caller is on the engine's own thread, where waiting would wait for ever."""
        return threading.current_thread() is self._thread


@cache
def runtime() -> Runtime:
    """The runtime of this process, started when it is first needed."""
    return Runtime()
