"""Executions run in kernels, which Jupyter's own kernel manager starts: never in the server's process.

Each person has one kernel for executions (for each kernel spec). It starts with the first one, is shared by
those that follow, and ends some minutes after the last. A kernel that dies, is restarted or is shut down by
somebody leaves its executions failed, with all the events that they told and all that they did, to be
resumed. So does one that gives no sign of life for the length of a lease: it is ended, and what it still
writes is refused. An execution that waits for a person needs no kernel; its answer starts it in another.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.errors import BpazError, RunError, StoreError, StoreUnavailable
from bpaz_lab.server.abandoned import adopt, cut_off
from bpaz_lab.server.kernel_pool import KernelPool
from bpaz_lab.services import identities
from bpaz_lab.services.execution_end import end
from bpaz_lab.store.prune import prune
from bpaz_lab.store.repositories.executions import assign, beat, let_go, still_held

if TYPE_CHECKING:
    from collections.abc import Collection, Coroutine
    from uuid import UUID

    from jupyter_server.serverapp import ServerApp

    from bpaz_lab.server.kernel_process import KernelProcess
    from bpaz_lab.services.lab import Lab
    from bpaz_lab.store.caller import Caller

WATCH: Final = 1.0
"""Seconds between looks at the kernels, where the lease is not shorter than four of them."""
DAY: Final = 24 * 3600.0
"""Seconds between looks for what is old enough to be deleted."""
CLAIM: Final = 60.0
"""Seconds in which a kernel must take over what it was given."""
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
        self._pool = KernelPool(self._manager, lab.settings, self._refused)
        self._running: dict[UUID, KernelProcess] = {}
        self._epochs: dict[UUID, int] = {}
        self._given: dict[UUID, float] = {}
        """When a kernel was told to take over an execution."""
        self._waiting: set[UUID] = set()
        self._crashed: dict[UUID, BpazError] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closing = False
        self._lease = lab.settings.lease
        self._grace = 0.0
        """Until when others are not judged: the database was away, and nobody could say that he is there."""
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
                self._drop(execution_id)

    def kernels(self) -> int:
        """How many kernels there are for executions."""
        return len(self._pool.ready())

    def key(self, kernel_id: str) -> bytes | None:
        """The key of a kernel's connection file; None where there is no such kernel."""
        if kernel_id not in self._manager:
            return None
        key: bytes = self._manager.get_kernel(kernel_id).session.key
        return key

    async def owner(self, kernel_id: str) -> UUID | None:
        """Whom a kernel belongs to: of a shared server only the kernels of executions are known."""
        for kernel in self._pool.ready():
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
        for id in self._computing():
            self._running[id].tell("cancel", id)
        until = time.monotonic() + FAREWELL
        while self._computing() and time.monotonic() < until:  # noqa: ASYNC110 (each tells by itself)
            await asyncio.sleep(0.05)
        for task in list(self._tasks):
            task.cancel()
        for id in self._computing():
            self._crashed[id] = cut_off("the server was stopped")
        try:
            await self._bury()
        except StoreError as error:
            self._log.warning("bpaz_lab: executions could not be marked, the next server will: %s", error)
        await asyncio.gather(self._watching, return_exceptions=True)
        await self._pool.close()

    # ---- how --------------------------------------------------------------------------------------

    async def _launch(self, id: UUID, user_id: UUID) -> None:
        self._waiting.add(id)
        try:
            kernel = await self._pool.get(user_id)
            self._running[id] = kernel
            kernel.told(id, "running")
            async with self._lab.database.session() as session:
                epoch = await assign(session, id, kernel.id, self._lab.server_id)
            if not epoch:  # it was cancelled meanwhile, or another server has it
                self.told(id, "cancelled")
            elif id not in self._crashed:
                self._epochs[id], self._given[id] = epoch, time.monotonic()
                kernel.tell("start", id)
        except StoreUnavailable as error:  # it is found as abandoned when the database is back
            self._log.debug("bpaz_lab: %s", error)
            self.told(id, "cancelled")
        except BpazError as error:
            self._fail(id, error)
        finally:
            self._waiting.discard(id)

    def _refused(self, id: UUID, why: str) -> None:
        self._fail(
            id,
            RunError(
                f"the kernel {self._pool.spec!r} cannot run workflows: {why}",
                hint="Install bpaz-lab into the kernel's own environment.",
            ),
        )

    def _fail(self, id: UUID, error: BpazError) -> None:
        self._crashed[id] = error
        self._soon(self._bury())

    async def _watch(self) -> None:
        seen = beaten = time.monotonic()
        often = min(WATCH, self._lease / 4)
        beaten -= self._lease
        pruned = seen - DAY + 600  # not at once: a server that starts has other things to do
        while True:
            now = time.monotonic()
            if now - seen > 4 * often:
                self._lab.pulse.slept(now - seen)
            seen = now
            try:
                await self._look()
                await self._bury()
                if now - beaten >= self._lease / 4:
                    beaten = now
                    await self._beat()
                if now - pruned >= DAY:
                    pruned = now
                    self._soon(self._prune())
            except BpazError as error:
                self._grace = time.monotonic() + self._lease
                self._log.debug("bpaz_lab: %s", error)  # requests tell it louder
            except Exception:  # noqa: BLE001 (who watches must not stop)
                self._log.exception("bpaz_lab: looking after kernels failed")
            await asyncio.sleep(often)

    async def _look(self) -> None:
        """Finds kernels that are no longer what they were, and those that nobody needs."""
        silent = {id for id in self._running if self._silent(id)}
        for kernel in self._pool.seen():
            its = kernel.running | kernel.paused
            if await kernel.died():
                self._forget(kernel, "the kernel died, or somebody restarted it or shut it down")
            elif its and its <= silent:
                self._forget(kernel, f"the kernel gave no sign of life for {self._lease:g} s")
            elif kernel.idle() > self._lab.settings.kernel_idle_timeout:
                self._forget(kernel, "the kernel was ended")
        for id in silent & self._computing():
            self._crashed[id] = cut_off(f"it gave no sign of life for {self._lease:g} s")

    def _silent(self, id: UUID) -> bool:
        """Whether an execution was not heard of for the length of its lease; one that begins has longer."""
        given = self._given.get(id)
        if given is None:
            return False
        if self._lab.live.holder(id) is None and time.monotonic() - given < CLAIM:
            self._lab.pulse.note(id)
        return not self._lab.pulse.alive(id, self._lease)

    def _forget(self, kernel: KernelProcess, why: str) -> None:
        self._pool.forget(kernel)
        self._lab.capabilities.revoke(kernel.id)
        for id in kernel.running:
            self._crashed[id] = cut_off(why)
        if kernel.paused:
            self._soon(self._let_go(set(kernel.paused)))
        for id in list(kernel.paused):
            self._drop(id)
        self._soon(kernel.stop())

    async def _let_go(self, ids: Collection[UUID]) -> None:
        async with self._lab.database.session() as session:
            await let_go(session, ids)

    async def _prune(self) -> None:
        await prune(self._lab.database, self._lab.settings)

    async def _bury(self) -> None:
        """Writes down what has crashed; what the database does not take now is tried again."""
        for id, error in list(self._crashed.items()):
            await end(self._lab, id, "failed", error, epoch=self._epochs.get(id))
            self._crashed.pop(id, None)
            self._drop(id)

    async def _beat(self) -> None:
        await self._lab.ready()
        lab, held = self._lab, set(self._running)
        for id in self._waiting:
            lab.pulse.note(id)
        if heard := lab.pulse.heard():
            async with lab.database.session() as session:
                await beat(session, lab.server_id, heard)
        async with lab.database.session(read_only=True) as session:
            gone = held - await still_held(session, held, lab.server_id) if held else set()
        for id in gone:  # deleted with its workflow, or another server goes on with it
            if kernel := self._running.get(id):
                kernel.tell("cancel", id)
            self.told(id, "cancelled")
            lab.live.close(id)
        if time.monotonic() >= self._grace:
            for each in await adopt(lab, held | self._waiting):
                self._soon(self._launch(each.id, each.user_id))

    def _computing(self) -> set[UUID]:
        """The executions that are under way in kernels: not those that wait for a person."""
        return {id for id, kernel in self._running.items() if id in kernel.running}

    def _drop(self, id: UUID) -> None:
        self._lab.pulse.forget(id)
        self._epochs.pop(id, None)
        self._given.pop(id, None)
        kernel = self._running.pop(id, None)
        if kernel is not None:
            kernel.told(id, "ended")

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, StoreError):  # which the next look tries again
            self._log.error("bpaz_lab: an execution could not be looked after", exc_info=error)
