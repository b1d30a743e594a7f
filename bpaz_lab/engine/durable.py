"""What a run has to do with its ledger: what it waits for at its end, and what it counts again."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING, Final

from bpaz_lab.errors import BpazError, LeaseLost, RunError

if TYPE_CHECKING:
    from bpaz_lab.engine.budget import Meter
    from bpaz_lab.engine.ledger import Ledger
    from bpaz_lab.engine.options import Options
    from bpaz_lab.engine.record import Record
    from bpaz_lab.nodes.context import Services

REST: Final = 5.0
"""Seconds for which the end of a run that was stopped waits for its ledger."""


class Durable:
    """What a run does with its ledger, where it has one."""

    _fault: BpazError | None
    _meter: Meter | None
    _options: Options
    _record: Record
    _services: Services

    def _cancel(self) -> None:
        """Stops the run at the next await."""
        raise NotImplementedError

    async def _rested(self) -> None:
        """Waits until everything that was done is safe."""
        if self._options.ledger is not None:
            await self._options.ledger.rest()

    async def _left(self) -> None:
        """Keeps what was done of a run that did not get to its end, as far as that is quickly done."""
        if self._options.ledger is None or isinstance(self._fault, LeaseLost):
            return
        resting = asyncio.ensure_future(self._options.ledger.rest())
        until = perf_counter() + REST
        while not resting.done() and perf_counter() < until:
            with suppress(asyncio.CancelledError):  # the run is stopped already
                await asyncio.wait([resting], timeout=REST)
        if not resting.done():
            resting.cancel()
        elif not resting.cancelled() and (fault := resting.exception()) is not None and self._fault is None:
            self._broke(fault if isinstance(fault, BpazError) else RunError(str(fault)))

    def _broke(self, error: BpazError) -> None:
        """Stops the run, since what it does can be kept no more."""
        if self._fault is None:
            self._fault = error
        self._services.cancel.set()
        self._cancel()

    def _count(self, ledger: Ledger) -> None:
        """Counts what was used before the run began again."""
        for node, models in ledger.spent.items():
            for model, (read, written) in models.items():
                told = {"input_tokens": read, "output_tokens": written, "model": model}
                self._record.told("usage", node, told)
                if self._meter is not None and self._fault is None:
                    self._fault = self._meter.told("usage", node, told)
