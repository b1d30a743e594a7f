"""Executions that nobody holds any more: their server or their kernel is gone, or was silent for too long.

One that waited for a kernel still is run here. One that was under way ends as crashed, for its owner to go
on with; whoever wakes up with it later may not write any more. One that waits for a person needs nobody.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bpaz_lab.errors import RunCrashed
from bpaz_lab.services.execution_end import end
from bpaz_lab.store.repositories.executions import abandoned, open_one
from bpaz_lab.store.tables.columns import utcnow

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from bpaz_lab.services.lab import Lab
    from bpaz_lab.store.repositories.executions import Abandoned


def cut_off(why: str) -> RunCrashed:
    """The error of an execution that could not say itself how it ended."""
    return RunCrashed(
        f"the run was cut off: {why}", hint="What it had done is kept: resume it, or run it again."
    )


async def adopt(lab: Lab, known: Collection[UUID]) -> list[Abandoned]:
    """Ends or takes over what is abandoned.

    Args:
        lab: The laboratory.
        known: The executions that this server looks after anyway.

    Returns:
        Those that are to be run here now.

    Raises:
        StoreError: The database is away.
    """
    before = utcnow() - timedelta(seconds=lab.settings.lease)
    async with lab.database.session(read_only=True) as session:
        found = [each for each in await abandoned(session, before) if each.id not in known]
    taken = []
    for each in found:
        if each.status != "pending":
            error = cut_off(f"nobody heard of it for {lab.settings.lease:g} s")
            await end(lab, each.id, "failed", error, epoch=each.epoch)
        elif await _take(lab, each):
            taken.append(each)
    return taken


async def _take(lab: Lab, each: Abandoned) -> bool:
    """Whether this server is the one that has it run: of several that find it, one is."""
    async with lab.database.session() as session:
        row = await open_one(session, each.id)
        if row is None or row.epoch != each.epoch or row.status != "pending":
            return False
        row.epoch += 1
        row.server_id, row.kernel_id, row.heartbeat_at = lab.server_id, None, utcnow()
    lab.pulse.note(each.id)
    return True
