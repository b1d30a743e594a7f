"""The end of an execution that cannot say itself how it ended: its kernel died, or never had it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpaz_lab.engine.events import Failure, RunFinished, as_json
from bpaz_lab.services import metrics
from bpaz_lab.store.repositories.events import append, following, fresh, latest
from bpaz_lab.store.repositories.executions import open_one
from bpaz_lab.store.repositories.frontiers import rest
from bpaz_lab.store.tables.columns import utcnow

if TYPE_CHECKING:
    from uuid import UUID

    from bpaz_lab.engine.events import Status
    from bpaz_lab.errors import BpazError
    from bpaz_lab.services.lab import Lab
    from bpaz_lab.store.tables import WorkflowExecution


async def end(lab: Lab, id: UUID, status: Status, error: BpazError, *, epoch: int | None = None) -> bool:
    """Writes down that an execution has ended, with all of its events; its streams end too.

    Whoever still has it may not write any more: the execution gets another epoch.

    Args:
        lab: The laboratory.
        id: The execution.
        status: ``failed`` or ``cancelled``.
        error: Why.
        epoch: The one that it is known to have: where it has another, somebody else goes on with it.

    Returns:
        Whether it was open until now.

    Raises:
        StoreError: The database is away; nothing was written, and it may be tried again.
    """
    async with lab.database.session() as session:
        row = await open_one(session, id)
        if row is None or epoch not in (None, row.epoch):
            return False
        row.epoch += 1
        number = await following(session, id)
        events = fresh(lab.live.unsaved(id), number)  # seen by who listened, so they are kept
        before = events[-1] if events else await latest(session, id)
        events.append(_finished(row, status, error, number + len(events), before))
        await append(session, id, events)
        close(row, status, error.to_dict())
        await rest(session, row)
    if row.server_id == lab.server_id:
        metrics.run_ended(status)
    lab.live.publish(id, events, saved=True)
    lab.live.close(id)
    lab.pulse.forget(id)
    if lab.runner is not None:
        lab.runner.told(id, status)
    return True


def close(row: WorkflowExecution, status: str, error: dict[str, Any] | None) -> None:
    """Sets what every ended execution has."""
    row.status = status
    row.error = error
    row.error_message = None if error is None else str(error.get("message", ""))
    row.questions = None
    row.completed_at = utcnow()


def _finished(
    row: WorkflowExecution, status: Status, error: BpazError, seq: int, before: dict[str, Any] | None
) -> dict[str, Any]:
    lasted = 0.0 if row.started_at is None else (utcnow() - row.started_at).total_seconds()
    return as_json(
        RunFinished(
            seq=seq,
            time=before["time"] if before else 0.0,
            status=status,
            duration=max(lasted, 0.0),
            error=Failure(**error.to_dict()),
        )
    )
