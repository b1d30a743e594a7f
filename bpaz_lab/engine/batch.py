"""Many runs, some of them at the same time, on the engine's loop: no thread and no hop for each."""

from __future__ import annotations

import asyncio
import queue
from typing import TYPE_CHECKING, Any

from bpaz_lab.engine.runtime import runtime
from bpaz_lab.guard.emit import quiet_loggers

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence

    from bpaz_lab.engine.run import Run


class Batch:
    """Runs that are started one after the other, so many at a time.

    Args:
        makers: What makes each run when its turn has come.
        concurrency: How many go on at the same time.
        after: What happens with each run when it is over, still on the loop.
    """

    def __init__(
        self,
        makers: Sequence[Callable[[], Run]],
        concurrency: int,
        after: Callable[[int, Run], Coroutine[Any, Any, Any]] | None = None,
    ) -> None:
        self._makers = makers
        self._after = after
        self._going: set[Run] = set()
        self._stopped = False
        self._over: queue.SimpleQueue[tuple[int, Any] | BaseException | None] = queue.SimpleQueue()
        self._future = runtime().submit(self._go(min(concurrency, len(makers))))

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        """The number of each run and what ``after`` made of it (else the run), as they end."""
        while (each := self._over.get()) is not None:
            if isinstance(each, BaseException):
                raise each
            yield each

    def cancel(self) -> None:
        """Stops the runs that go on and starts no more; what ended meanwhile is still given."""
        self._stopped = True
        for run in list(self._going):
            run.cancel()

    async def _go(self, workers: int) -> None:
        numbers = iter(range(len(self._makers)))
        try:
            with quiet_loggers():  # once for all: each run would change the levels back and forth
                await asyncio.gather(*(self._work(numbers) for _ in range(workers)))
        except BaseException as error:  # noqa: BLE001 (the thread that waits must hear of it)
            self._over.put(error)
        else:
            self._over.put(None)

    async def _work(self, numbers: Iterator[int]) -> None:
        for number in numbers:  # all workers share it
            if self._stopped:
                return
            run = self._makers[number]()
            self._going.add(run)
            await run.here()
            self._going.discard(run)
            self._over.put((number, await self._after(number, run) if self._after else run))
