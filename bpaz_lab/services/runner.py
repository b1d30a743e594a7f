"""What runs executions: kernels of the Jupyter server, or another way to compute that an installation has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from uuid import UUID

    from bpaz_lab.store.caller import Caller


class Runner(Protocol):
    """Runs executions elsewhere than in the server's process.

    An execution is admitted and stored before it gets here, so that none is lost. Nothing here waits for
    a run, and nothing raises for one: what goes wrong is told by the execution itself.
    """

    async def start(self, execution_id: UUID, caller: Caller) -> None:
        """Has an admitted execution run, on behalf of who asked for it; returns at once."""

    async def cancel(self, execution_id: UUID) -> None:
        """Tells an execution to stop; it ends at its next await. One that is not here is left alone."""

    async def answer(self, execution_id: UUID) -> None:
        """Tells a paused execution that its answers are in the store."""

    def told(self, execution_id: UUID, status: str) -> None:
        """Hears from the execution itself how it stands."""

    def kernels(self) -> int:
        """How many kernels there are for executions."""

    async def close(self) -> None:
        """Stops what runs, writes down what could not be stopped, and ends the kernels."""
