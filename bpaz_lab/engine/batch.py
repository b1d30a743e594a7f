"""Many runs, some of them at the same time, on the engine's loop: no thread and no hop for each."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.engine.runtime import runtime
from bpaz_lab.errors import RunError
from bpaz_lab.guard.emit import quiet_loggers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence

    from bpaz_lab.engine.run import Run

SOON: Final = 0.02
"""Seconds within which the thread that waits hears of a run; to wake it for each costs more than the run."""


class Batch:
    """Runs that are started one after the other, so many at a time, once somebody iterates.

    What ended is given until the next one is asked for: who is interrupted in between and iterates again
    gets the last one again, and loses none.

    Args:
        makers: What makes each run when its turn has come.
        concurrency: How many go on at the same time.
        after: What is made of each run when it is over, still on the loop.

    Raises:
        RunError: Started on the engine's own thread, where it would wait for ever.
    """

    def __init__(
        self,
        makers: Sequence[Callable[[], Run]],
        concurrency: int,
        after: Callable[[int, Run], Coroutine[Any, Any, Any]],
    ) -> None:
        if runtime().here:
            raise RunError(
                "a node cannot wait for many runs on the engine's thread",
                hint="Run them from a function that is not async, which has a thread of its own.",
            )
        self._makers = makers
        self._after = after
        self._going: set[Run] = set()
        self._stopped = False
        self._over: list[tuple[int, Any]] = []
        self._given = 0
        self._error: BaseException | None = None
        self._ended = self._all_given = False
        self._woken = threading.Event()
        self._workers = min(concurrency, len(makers))
        self._begun = self._telling = False

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        """The number of each run and what ``after`` made of it, as they end."""
        self._begin()
        while not self._all_given:
            yield from self._ready()
            if not self._all_given:
                self._woken.wait()

    async def __aiter__(self) -> AsyncIterator[tuple[int, Any]]:
        """The same without blocking the caller's loop."""
        self._begin()
        while not self._all_given:
            for each in self._ready():
                yield each
            if not self._all_given:
                await asyncio.to_thread(self._woken.wait)

    @property
    def more(self) -> bool:
        """Whether another one has ended beside the one that was given last."""
        return self._given + 1 < len(self._over)

    def cancel(self) -> None:
        """Stops the runs that go on and starts no more; what ended meanwhile is still given."""
        self._stopped = True
        for run in list(self._going):
            run.cancel()

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            runtime().submit(self._go())

    def _ready(self) -> Iterator[tuple[int, Any]]:
        """What has ended and was not given yet.

        Raises:
            Exception: What went wrong in a maker or in ``after``, when all else was given.
        """
        self._woken.clear()
        ended = self._ended  # before looking: what comes in between wakes again
        while self._given < len(self._over):
            yield self._over[self._given]
            self._given += 1
        self._all_given = ended
        if ended and self._error is not None:
            raise self._error

    def _tell(self) -> None:
        self._telling = False
        self._woken.set()

    async def _go(self) -> None:
        numbers = iter(range(len(self._makers)))
        with quiet_loggers():  # once for all: each run would change the levels back and forth
            told = await asyncio.gather(
                *(self._work(numbers) for _ in range(self._workers)), return_exceptions=True
            )
        self._error = next((each for each in told if each is not None), None)
        self._ended = True
        self._woken.set()

    async def _work(self, numbers: Iterator[int]) -> None:
        try:
            for number in numbers:  # all workers share it
                if self._stopped:
                    return
                run = self._makers[number]()
                self._going.add(run)
                await run.here()
                self._going.discard(run)
                self._over.append((number, await self._after(number, run)))
                if not self._telling:
                    self._telling = True
                    runtime().loop.call_later(SOON, self._tell)
        except BaseException:
            self.cancel()  # the other workers end too, and the error is told when they have
            raise
