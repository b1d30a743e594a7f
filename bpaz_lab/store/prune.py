"""What is old is deleted: ended executions, ledgers of completed ones, and pieces that no ledger names."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import delete, exists, func, tuple_
from sqlmodel import col, select

from bpaz_lab.store.ledger import ENDED
from bpaz_lab.store.tables import ExecutionStep, StepPart, ValuePart, WorkflowExecution
from bpaz_lab.store.tables.columns import utcnow

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from bpaz_lab.settings import Settings
    from bpaz_lab.store.database import Database, Session

_BATCH: Final = 100
"""Executions or pieces that are deleted in one transaction, so that nobody waits long for it."""
_GRACE: Final = timedelta(days=1)
"""A piece is stored before the row that names it, and may be wanted again."""


class Pruned(NamedTuple):
    """What is gone: executions, ledgers of executions that are kept, and pieces of values."""

    executions: int
    ledgers: int
    parts: int


async def prune(database: Database, settings: Settings) -> Pruned:
    """Deletes what is older than the settings say; others may go on, and several may prune at once.

    What has not ended stays, however old it is: a run may wait for its answer for weeks.

    Args:
        database: The database.
        settings: ``execution_days`` for ended executions with all they have, ``ledger_days`` for ledgers of
            completed ones; 0 for ever.

    Raises:
        StoreError: A part was not done; those before it were.
    """
    executions = ledgers = 0
    if settings.execution_days:
        executions = await _all(database, _executions, utcnow() - timedelta(days=settings.execution_days))
    if settings.ledger_days:
        ledgers = await _all(database, _ledgers, utcnow() - timedelta(days=settings.ledger_days))
    return Pruned(executions, ledgers, await _all(database, _parts, utcnow() - _GRACE))


async def _all(
    database: Database, some: Callable[[Session, datetime], Awaitable[int]], before: datetime
) -> int:
    gone = 0
    while True:
        async with database.session() as session:
            found = await some(session, before)
        if not found:
            return gone
        gone += found


async def _executions(session: Session, before: datetime) -> int:
    ids = await _ended(session, before)
    # One that was resumed meanwhile has not ended any more.
    old = col(WorkflowExecution.id).in_(ids) & col(WorkflowExecution.status).in_(ENDED)
    return (await session.exec(delete(WorkflowExecution).where(old))).rowcount if ids else 0


async def _ledgers(session: Session, before: datetime) -> int:
    kept = exists().where(col(ExecutionStep.execution_id) == col(WorkflowExecution.id))
    ids = await _ended(session, before, WorkflowExecution.status == "completed", kept)
    if ids:
        for table in (ExecutionStep, StepPart):
            await session.exec(delete(table).where(col(table.execution_id).in_(ids)))
    return len(ids)


async def _ended(session: Session, before: datetime, *where: Any) -> list[Any]:
    run = WorkflowExecution
    old = (col(run.created_at) < before, func.coalesce(run.completed_at, run.created_at) < before)
    statement = select(run.id).where(col(run.status).in_(ENDED), *old, *where).limit(_BATCH)
    return list((await session.exec(statement)).all())


async def _parts(session: Session, before: datetime) -> int:
    key = tuple_(col(ValuePart.user_id), col(ValuePart.digest))
    named = exists().where(
        col(StepPart.digest) == col(ValuePart.digest),
        col(WorkflowExecution.id) == col(StepPart.execution_id),
        col(WorkflowExecution.user_id) == col(ValuePart.user_id),
    )
    alone = (col(ValuePart.created_at) < before) & ~named
    found = (await session.exec(select(ValuePart.user_id, ValuePart.digest).where(alone).limit(_BATCH))).all()
    if found:
        await session.exec(delete(ValuePart).where(key.in_([tuple(row) for row in found]), alone))
    return len(found)
