"""Tasks that belong together: the first that fails ends the others, and nobody leaves before all have.

``asyncio.TaskGroup`` does the same and leaves a mark on its own task when one of its tasks fails: before
Python 3.13 ``cancelling()`` stays raised, so that a fault which was caught looks like a stop of the run.

Example:
    >>> async def main() -> list[int]:
    ...     found: list[int] = []
    ...     async def add(number: int) -> None:
    ...         found.append(number)
    ...     workers = Workers()
    ...     workers.add(add(1))
    ...     workers.add(add(2))
    ...     await workers.done()
    ...     return found
    >>> asyncio.run(main())
    [1, 2]
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine


class Workers:
    """A group of tasks on one loop."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._fault: BaseException | None = None
        self._over: asyncio.Future[None] | None = None

    def add(self, work: Coroutine[Any, Any, None]) -> None:
        """Starts a task; a task of the group may add others."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def done(self) -> None:
        """Waits until all tasks have ended.

        Raises:
            BaseException: What the first task that failed raised.
            CancelledError: The caller was cancelled; so were the tasks.
        """
        stopped = False
        while self._tasks:
            self._over = asyncio.get_running_loop().create_future()
            try:
                await self._over
            except asyncio.CancelledError:
                stopped = True
                self._cancel()
        if stopped:
            raise asyncio.CancelledError
        if self._fault is not None:
            raise self._fault

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        fault = None if task.cancelled() else task.exception()
        if fault is not None and self._fault is None:
            self._fault = fault
            self._cancel()
        if not self._tasks and self._over is not None and not self._over.done():
            self._over.set_result(None)

    def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
