"""The kernels for executions: one for each person and kernel spec, started when it is first needed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bpaz_lab.server.kernel_process import KernelProcess

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from bpaz_lab.settings import Settings


class KernelPool:
    """Kernels that are there, or on their way.

    Args:
        manager: Jupyter's own.
        settings: Which kernel spec is meant.
        refused: Called where a kernel cannot take over an execution: which, and why.
    """

    def __init__(self, manager: Any, settings: Settings, refused: Callable[[UUID, str], None]) -> None:
        self._manager = manager
        self._settings = settings
        self._refused = refused
        self._starting: dict[tuple[UUID, str], asyncio.Task[KernelProcess]] = {}

    @property
    def spec(self) -> str:
        """The kernel spec of executions."""
        return self._settings.kernel_name or str(self._manager.default_kernel_name)

    async def get(self, user_id: UUID) -> KernelProcess:
        """A person's kernel, started where there is none; whoever comes meanwhile waits for the same.

        Raises:
            RunError: It could not be started.
        """
        place = user_id, self.spec
        task = self._starting.get(place)
        if task is None or (task.done() and not _usable(task)):
            started = KernelProcess.start(self._manager, self.spec, user_id, self._refused)
            task = self._starting[place] = asyncio.create_task(started)
        return await asyncio.shield(task)

    def ready(self) -> list[KernelProcess]:
        """Those that answer."""
        return [task.result() for task in self._starting.values() if task.done() and _usable(task)]

    def seen(self) -> list[KernelProcess]:
        """Those that were started, be they there or not; what could not be started is forgotten."""
        for place, task in list(self._starting.items()):
            if task.done() and (task.cancelled() or task.exception() is not None):
                del self._starting[place]
        return [task.result() for task in self._starting.values() if task.done()]

    def forget(self, kernel: KernelProcess) -> None:
        """The next one that needs a kernel gets another."""
        for place, task in list(self._starting.items()):
            if task.done() and not task.cancelled() and not task.exception() and task.result() is kernel:
                del self._starting[place]

    async def close(self) -> None:
        """Ends all of them."""
        for task in self._starting.values():
            task.cancel()  # one that has started already stays as it is
        await asyncio.gather(*self._starting.values(), return_exceptions=True)
        await asyncio.gather(*(kernel.stop() for kernel in self.ready()), return_exceptions=True)
        self._starting.clear()


def _usable(task: asyncio.Task[KernelProcess]) -> bool:
    return not task.cancelled() and task.exception() is None and task.result().alive
