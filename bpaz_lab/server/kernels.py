"""Executions run in kernels, which Jupyter's own kernel manager starts: never in the server's process.

Each person has one kernel for executions (for each kernel spec). It starts with the first one, is shared by
those that follow, and ends some minutes after the last. A kernel that dies, is restarted or is shut down by
somebody leaves its executions failed, with all the events that they told.
"""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.errors import BpazError, RunCrashed, RunError, StoreError
from bpaz_lab.server.kernel_process import KernelProcess
from bpaz_lab.services import identities
from bpaz_lab.services.execution_end import end
from bpaz_lab.store.repositories.executions import abandoned, assign, beat, still_open
from bpaz_lab.store.tables.columns import utcnow

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from uuid import UUID

    from jupyter_server.serverapp import ServerApp

    from bpaz_lab.services.lab import Lab
    from bpaz_lab.store.caller import Caller

WATCH: Final = 1.0
"""Seconds between looks at the kernels."""
BEAT: Final = 5.0
"""Seconds between signs of life of this server in the database."""
GONE: Final = timedelta(seconds=20)
"""After this time without a sign of life a server counts as gone."""
UNANSWERED: Final = 24 * 3600.0
"""Seconds that a kernel is kept for the sake of paused executions alone: nobody keeps a server for ever."""
FAREWELL: Final = 3.0
"""Seconds that executions have to stop when the server does."""


class KernelRunner:
    """Runs executions in kernels; see ``services.runner.Runner`` and ``services.kernel.Kernels``.

    Made on the server's loop, where it begins to watch.

    Args:
        lab: The laboratory.
        serverapp: The Jupyter server, whose kernel manager starts the kernels.
    """

    def __init__(self, lab: Lab, serverapp: ServerApp) -> None:
        self._lab = lab
        self._manager: Any = serverapp.kernel_manager
        self._log = serverapp.log
        self._starting: dict[tuple[UUID, str], asyncio.Task[KernelProcess]] = {}
        self._running: dict[UUID, KernelProcess] = {}
        self._waiting: set[UUID] = set()
        self._crashed: dict[UUID, BpazError] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closing = False
        self._watching = asyncio.create_task(self._watch())

    # ---- what the services ask --------------------------------------------------------------------

    async def start(self, execution_id: UUID, caller: Caller) -> None:
        """Has an admitted execution run; returns at once."""
        assert caller.user_id is not None
        self._soon(self._launch(execution_id, caller.user_id))

    async def cancel(self, execution_id: UUID) -> None:
        """Tells an execution to stop."""
        if kernel := self._running.get(execution_id):
            kernel.tell("cancel", execution_id)

    async def answer(self, execution_id: UUID) -> None:
        """Tells a paused execution that its answers are there."""
        if kernel := self._running.get(execution_id):
            kernel.told(execution_id, "running")
            kernel.tell("answer", execution_id)

    def told(self, execution_id: UUID, status: str) -> None:
        """Hears how an execution stands."""
        if kernel := self._running.get(execution_id):
            kernel.told(execution_id, status)
            if status not in ("running", "paused"):
                del self._running[execution_id]

    def kernels(self) -> int:
        """How many kernels there are for executions."""
        return len(self._processes())

    def key(self, kernel_id: str) -> bytes | None:
        """The key of a kernel's connection file; None where there is no such kernel."""
        if kernel_id not in self._manager:
            return None
        key: bytes = self._manager.get_kernel(kernel_id).session.key
        return key

    async def owner(self, kernel_id: str) -> UUID | None:
        """Whom a kernel belongs to: of a shared server only the kernels of executions are known."""
        for kernel in self._processes():
            if kernel.id == kernel_id:
                return kernel.user_id
        if self._lab.settings.profile == "local":
            return (await identities.owner(self._lab)).user_id
        return None

    async def close(self) -> None:
        """Stops what runs, writes down what did not stop in time, and ends the kernels."""
        if self._closing:
            return
        self._closing = True
        self._watching.cancel()
        for id, kernel in list(self._running.items()):
            kernel.tell("cancel", id)
        until = time.monotonic() + FAREWELL
        while self._running and time.monotonic() < until:  # noqa: ASYNC110 (each tells by itself)
            await asyncio.sleep(0.05)
        for task in list(self._tasks):
            task.cancel()
        for id in {*self._running, *self._waiting}:
            self._crashed[id] = _cut_off("the server was stopped")
        try:
            await self._bury()
        except StoreError as error:
            self._log.warning("bpaz_lab: executions could not be marked, the next server will: %s", error)
        for task in self._starting.values():
            task.cancel()  # one that has started already stays as it is
        await asyncio.gather(self._watching, *self._starting.values(), return_exceptions=True)
        await asyncio.gather(*(kernel.stop() for kernel in self._processes()), return_exceptions=True)
        self._starting.clear()

    # ---- how --------------------------------------------------------------------------------------

    async def _launch(self, id: UUID, user_id: UUID) -> None:
        self._waiting.add(id)
        try:
            kernel = await self._kernel(user_id)
            self._running[id] = kernel
            kernel.told(id, "running")
            async with self._lab.database.session() as session:
                waits = await assign(session, id, kernel.id, self._lab.server_id)
            if not waits:  # it was cancelled meanwhile
                self.told(id, "cancelled")
            elif id not in self._crashed:
                kernel.tell("start", id)
        except BpazError as error:
            self._fail(id, error)
        finally:
            self._waiting.discard(id)

    async def _kernel(self, user_id: UUID) -> KernelProcess:
        """The person's kernel, started where there is none; whoever comes meanwhile waits for the same."""
        name = self._lab.settings.kernel_name or self._manager.default_kernel_name
        task = self._starting.get((user_id, name))
        if task is None or (task.done() and not _usable(task)):
            task = asyncio.create_task(KernelProcess.start(self._manager, name, user_id, self._refused))
            self._starting[user_id, name] = task
        return await asyncio.shield(task)

    def _refused(self, id: UUID, why: str) -> None:
        name = self._lab.settings.kernel_name or self._manager.default_kernel_name
        self._fail(
            id,
            RunError(
                f"the kernel {name!r} cannot run workflows: {why}",
                hint="Install bpaz-lab into the kernel's own environment.",
            ),
        )

    def _fail(self, id: UUID, error: BpazError) -> None:
        self._crashed[id] = error
        self._soon(self._bury())

    async def _watch(self) -> None:
        began = 0.0
        while True:
            try:
                await self._look()
                await self._bury()
                if time.monotonic() - began >= BEAT:
                    began = time.monotonic()
                    await self._beat()
            except BpazError as error:
                self._log.debug("bpaz_lab: %s", error)  # requests tell it louder
            except Exception:  # noqa: BLE001 (who watches must not stop)
                self._log.exception("bpaz_lab: looking after kernels failed")
            await asyncio.sleep(WATCH)

    async def _look(self) -> None:
        """Finds kernels that are no longer what they were, and those that nobody needs."""
        for place, task in list(self._starting.items()):
            if not task.done():
                continue
            if task.cancelled() or task.exception() is not None:
                del self._starting[place]
                continue
            kernel = task.result()
            if await kernel.died():
                self._forget(place, kernel, "the kernel died, or somebody restarted it or shut it down")
            elif not kernel.paused and kernel.idle() > self._lab.settings.kernel_idle_timeout:
                self._forget(place, kernel, "the kernel was ended")
            elif kernel.idle() > UNANSWERED:
                self._forget(place, kernel, "nobody answered for a day")

    def _forget(self, place: tuple[UUID, str], kernel: KernelProcess, why: str) -> None:
        del self._starting[place]
        self._lab.capabilities.revoke(kernel.id)
        for id in [id for id, each in self._running.items() if each is kernel]:
            self._crashed[id] = _cut_off(why)
        self._soon(kernel.stop())

    async def _bury(self) -> None:
        """Writes down what has crashed; what the database does not take now is tried again."""
        for id, error in list(self._crashed.items()):
            await end(self._lab, id, "failed", error)
            self._crashed.pop(id, None)
            self._running.pop(id, None)

    async def _beat(self) -> None:
        await self._lab.ready()
        database = self._lab.database
        if self._running or self._waiting:
            async with database.session() as session:
                await beat(session, self._lab.server_id)
        async with database.session(read_only=True) as session:
            held = set(self._running)
            gone = held - await still_open(session, held)
            found = await abandoned(session, self._lab.server_id, utcnow() - GONE)
        for id in gone:  # deleted with its workflow, or ended by another server that missed this one
            if kernel := self._running.get(id):
                kernel.tell("cancel", id)
            self.told(id, "cancelled")
            self._lab.live.close(id)
        for id in found:
            error = RunCrashed(
                "the run was cut off: its server is gone",
                hint="Its events up to then are kept. Run it again.",
            )
            await end(self._lab, id, "failed", error)

    def _processes(self) -> list[KernelProcess]:
        return [task.result() for task in self._starting.values() if task.done() and _usable(task)]

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, StoreError):  # which the next look tries again
            self._log.error("bpaz_lab: an execution could not be looked after", exc_info=error)


def _usable(task: asyncio.Task[KernelProcess]) -> bool:
    return not task.cancelled() and task.exception() is None and task.result().alive


def _cut_off(why: str) -> RunCrashed:
    return RunCrashed(f"the run was cut off: {why}", hint="Its events up to then are kept. Run it again.")
