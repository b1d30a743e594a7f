"""How far an execution had come when it last came to rest: at its end, or while it waits for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmodel import col, func, select

from bpaz_lab.store.tables import ExecutionCheckpoint, ExecutionStep
from bpaz_lab.store.tables.columns import utcnow

if TYPE_CHECKING:
    from bpaz_lab.store.database import Session
    from bpaz_lab.store.tables import WorkflowExecution


async def rest(session: Session, row: WorkflowExecution) -> None:
    """Keeps the frontier of an execution, in place of the one before.

    Args:
        session: The transaction.
        row: The execution, as it stands now.
    """
    step = ExecutionStep
    states = (
        select(step.state, func.count())
        .where(col(step.execution_id) == row.id, col(step.address) != "")
        .group_by(col(step.state))
    )
    counts = dict((await session.exec(states)).all())
    frontier = {
        "epoch": row.epoch,
        "status": row.status,
        "steps": counts.get("done", 0) + counts.get("given", 0),
        "in_doubt": counts.get("started", 0),
    }
    kept = await session.get(ExecutionCheckpoint, row.id)
    if kept is None:
        session.add(
            ExecutionCheckpoint(
                execution_id=row.id, checkpoint_data=frontier, parent_checkpoint_id=row.parent_id
            )
        )
    else:
        kept.checkpoint_data, kept.updated_at = frontier, utcnow()
