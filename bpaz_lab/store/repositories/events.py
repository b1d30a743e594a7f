"""The events of executions: each is kept once, in order, without gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlmodel import col, func, insert, select

from bpaz_lab.errors import Conflict
from bpaz_lab.store.tables import ExecutionEvent, WorkflowExecution

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from bpaz_lab.store.caller import Caller
    from bpaz_lab.store.database import Session


class Events:
    """The events of one person's executions.

    Args:
        session: The transaction.
        caller: Who asks.
    """

    def __init__(self, session: Session, caller: Caller) -> None:
        self._session = session
        self._caller = caller

    async def after(self, execution_id: UUID, seq: int, limit: int) -> list[dict[str, Any]]:
        """The events behind a number, oldest first; none where the execution is another person's."""
        statement = (
            select(ExecutionEvent.data)
            .join(WorkflowExecution, col(WorkflowExecution.id) == col(ExecutionEvent.execution_id))
            .where(
                WorkflowExecution.user_id == self._caller.user_id,
                ExecutionEvent.execution_id == execution_id,
                col(ExecutionEvent.seq) > seq,
            )
            .order_by(col(ExecutionEvent.seq))
            .limit(limit)
        )
        return [dict(data) for data in (await self._session.exec(statement)).all()]


async def following(session: Session, execution_id: UUID) -> int:
    """The number that the next event has."""
    statement = select(func.max(ExecutionEvent.seq)).where(ExecutionEvent.execution_id == execution_id)
    last = (await session.exec(statement)).one()
    return 0 if last is None else int(last) + 1


async def latest(session: Session, execution_id: UUID) -> dict[str, Any] | None:
    """The last event; None where there is none yet."""
    statement = (
        select(ExecutionEvent.data)
        .where(ExecutionEvent.execution_id == execution_id)
        .order_by(col(ExecutionEvent.seq).desc())
        .limit(1)
    )
    data = (await session.exec(statement)).first()
    return None if data is None else dict(data)


async def of_kind(session: Session, execution_id: UUID, type: str) -> list[dict[str, Any]]:
    """The events of one type."""
    statement = select(ExecutionEvent.data).where(
        ExecutionEvent.execution_id == execution_id, ExecutionEvent.type == type
    )
    return [dict(data) for data in (await session.exec(statement)).all()]


def fresh(events: Sequence[dict[str, Any]], following: int) -> list[dict[str, Any]]:
    """Those of a row of events that are not kept yet.

    Args:
        events: Numbered one by one.
        following: The number that the next event has.

    Raises:
        Conflict: Some are missing before them, or between; ``current`` says which number comes next.

    Example:
        >>> fresh([{"seq": 3}, {"seq": 4}], 4)
        [{'seq': 4}]
    """
    new = [event for event in events if event["seq"] >= following]
    for number, event in enumerate(new, following):
        if event["seq"] != number:
            raise Conflict(
                f"event {number} is missing before {event['seq']}",
                path="events",
                hint=f"Send the events from number {following} on.",
                current={"received": following},
            )
    return new


async def append(session: Session, execution_id: UUID, events: Sequence[dict[str, Any]]) -> None:
    """Keeps events that are ``fresh``."""
    if events:
        rows = [
            {"execution_id": execution_id, "seq": event["seq"], "type": event["type"], "data": event}
            for event in events
        ]
        await session.exec(insert(ExecutionEvent), params=rows)
