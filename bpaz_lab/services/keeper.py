"""Stores the events that listeners have already, a little later and many at once.

A kernel that streams tokens is answered as soon as they are handed on. What is not stored yet waits in
``Live``; one task for each execution writes it down about twenty times a second. The end of an execution
waits until all of it is stored, and a kernel whose server has gone sends again what was not.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from bpaz_lab.errors import StoreError
from bpaz_lab.store.repositories.events import append, following, fresh
from bpaz_lab.store.repositories.executions import open_one
from bpaz_lab.store.tables.columns import utcnow

if TYPE_CHECKING:
    from uuid import UUID

    from bpaz_lab.services.live import Live
    from bpaz_lab.store.database import Database

WINDOW: Final = 0.05
"""Seconds in which events gather."""
AGAIN: Final = 1.0
"""Seconds until the next try where the database is away."""
MOST: Final = 1000
"""Events of one execution that may wait; beyond, its kernel waits for the store."""

_log = logging.getLogger(__name__)


class Keeper:
    """Writes down what was published. On the server's loop only.

    Args:
        database: Where it is kept.
        live: Where it waits.
    """

    def __init__(self, database: Database, live: Live) -> None:
        self._database = database
        self._live = live
        self._tasks: dict[UUID, asyncio.Task[None]] = {}

    def takes(self, id: UUID) -> bool:
        """Whether more events of an execution may wait."""
        return len(self._live.unsaved(id)) < MOST

    def keep(self, id: UUID) -> None:
        """Sees to it that the events of an execution are stored."""
        if id not in self._tasks:
            task = asyncio.get_running_loop().create_task(self._keep(id), name=f"events of {id}")
            self._tasks[id] = task
            task.add_done_callback(lambda _: self._ended(id))

    async def close(self) -> None:
        """Ends once everything is stored, or cannot be."""
        tasks = list(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=5 * AGAIN)
            for task in late:
                task.cancel()

    async def _keep(self, id: UUID) -> None:
        while self._live.unsaved(id):
            await asyncio.sleep(WINDOW)
            try:
                await self._store(id)
            except StoreError as error:
                _log.warning("events of execution %s wait for the database: %s", id, error.message)
                await asyncio.sleep(AGAIN)

    async def _store(self, id: UUID) -> None:
        async with self._database.session() as session:
            row = await open_one(session, id)
            if row is None:
                self._live.close(id)
                return
            holder = self._live.holder(id)
            if holder is None or holder[-1] != row.epoch:  # somebody else goes on with it
                self._live.release(id)
                return
            number = await following(session, id)
            events = fresh(self._live.unsaved(id), number)
            await append(session, id, events)
            if row.status == "pending":
                row.status, row.started_at = "running", row.started_at or utcnow()
        self._live.saved(id, number + len(events))
        if row.cancel_requested_at is not None:
            self._live.stop(id)

    def _ended(self, id: UUID) -> None:
        task = self._tasks.pop(id)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("the events of execution %s cannot be stored", id, exc_info=error)
            self._live.close(id)
