"""Executions in this very process, where there is no server to start kernels."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from bpaz_lab.api.hosted import hosted
from bpaz_lab.errors import RunCrashed, StoreError
from bpaz_lab.services.execution_end import end
from bpaz_lab.store.repositories.executions import assign, beat, let_go

if TYPE_CHECKING:
    from uuid import UUID

    from bpaz_lab.api.transport.local import Local
    from bpaz_lab.services.lab import Lab
    from bpaz_lab.store.caller import Caller

BEAT: Final = 5.0
"""Seconds between signs of life in the database; a server takes what is silent for long for dead."""
FAREWELL: Final = 3.0
"""Seconds that executions have to stop when the process ends."""


class InProcess:
    """Runs executions here; see ``services.runner.Runner``.

    Args:
        lab: The laboratory.
        transport: What asks it.
    """

    def __init__(self, lab: Lab, transport: Local) -> None:
        self._lab = lab
        self._transport = transport
        self._running: set[UUID] = set()
        self._paused: set[UUID] = set()
        self._beating: asyncio.Task[None] | None = None

    async def start(self, execution_id: UUID, caller: Caller) -> None:  # noqa: ARG002
        """Runs an admitted execution in a thread of its own."""
        async with self._lab.database.session() as session:
            if not await assign(session, execution_id, self._transport.kernel_id, self._lab.server_id):
                return
        self.told(execution_id, "running")
        if self._beating is None or self._beating.done():
            self._beating = asyncio.create_task(self._beat())
        hosted.start(str(execution_id), self._transport)

    async def cancel(self, execution_id: UUID) -> None:
        """Stops an execution at its next await."""
        hosted.cancel(str(execution_id))

    async def answer(self, execution_id: UUID) -> None:
        """Tells a paused execution that its answers are in the store."""
        self.told(execution_id, "running")
        hosted.answer(str(execution_id))

    def told(self, execution_id: UUID, status: str) -> None:
        """Hears from the execution itself how it stands."""
        for kept, when in ((self._running, "running"), (self._paused, "paused")):
            (kept.add if status == when else kept.discard)(execution_id)

    def kernels(self) -> int:
        """None is started for executions."""
        return 0

    async def close(self) -> None:
        """Stops what runs; what did not stop in time is marked. What waits for a person goes on waiting."""
        for id in list(self._running):
            await self.cancel(id)
        until = time.monotonic() + FAREWELL
        while self._running and time.monotonic() < until:  # noqa: ASYNC110 (each tells by itself)
            await asyncio.sleep(0.02)
        error = RunCrashed("the run was cut off: its process ended", hint="Resume it, or run it again.")
        for id in list(self._running):
            await end(self._lab, id, "failed", error)
        if self._paused:
            async with self._lab.database.session() as session:
                await let_go(session, self._paused)
        if self._beating is not None:
            self._beating.cancel()

    async def _beat(self) -> None:
        while self._running or self._paused:
            await asyncio.sleep(min(BEAT, self._lab.settings.lease / 4))
            try:
                async with self._lab.database.session() as session:
                    await beat(session, self._lab.server_id, self._lab.pulse.heard())
            except StoreError:
                continue  # the next one may come through; the run itself tells louder
