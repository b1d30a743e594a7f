"""Executions: each belongs to who asked for it, and nobody else sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.orm import defer
from sqlmodel import and_, col, func, or_, select, update

from bpaz_lab.errors import NotFound, Throttled
from bpaz_lab.store.paging import Rows, page
from bpaz_lab.store.tables import User, Workflow, WorkflowExecution
from bpaz_lab.store.tables.columns import utcnow

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime
    from uuid import UUID

    from bpaz_lab.store.caller import Caller
    from bpaz_lab.store.database import Session

ACTIVE: Final = ("pending", "running")
"""What counts against the number of executions that a person may have at a time."""
OPEN: Final = (*ACTIVE, "paused")
"""What has not ended."""

_LARGE: Final[tuple[Any, ...]] = tuple(
    defer(getattr(WorkflowExecution, name), raiseload=True)
    for name in ("flow_data", "inputs", "outputs", "questions")
)


class Executions:
    """The executions of one person.

    Args:
        session: The transaction.
        caller: Who asks.
    """

    def __init__(self, session: Session, caller: Caller) -> None:
        self._session = session
        self._caller = caller

    async def add(self, row: WorkflowExecution, *, most: int) -> WorkflowExecution:
        """Admits an execution.

        Args:
            row: The execution.
            most: How many the person may have at a time.

        Raises:
            Throttled: There are as many already.
        """
        owner = select(User.id).where(User.id == self._caller.user_id).with_for_update()
        await self._session.exec(owner)  # two admissions at once would count the same
        active = select(func.count()).where(
            WorkflowExecution.user_id == self._caller.user_id, col(WorkflowExecution.status).in_(ACTIVE)
        )
        if (await self._session.exec(active)).one() >= most:
            raise Throttled(
                f"{most} executions are running already, and no more may at a time",
                hint="Wait for one to end, or cancel one.",
            )
        self._session.add(row)
        await self._session.flush()
        return row

    async def by_key(self, key: str) -> UUID | None:
        """The execution that was asked for with this idempotency key."""
        statement = select(WorkflowExecution.id).where(
            WorkflowExecution.user_id == self._caller.user_id, WorkflowExecution.idempotency_key == key
        )
        return (await self._session.exec(statement)).first()

    async def get(self, id: UUID, *, document: bool = False, change: bool = False) -> WorkflowExecution:
        """One execution.

        Args:
            id: Which.
            document: Whether the document that it runs comes along.
            change: Whether it is about to be changed: others wait until this transaction has ended.

        Raises:
            NotFound: The person has none of that id.
        """
        where = WorkflowExecution.id == id, WorkflowExecution.user_id == self._caller.user_id
        return await _one(self._session, where, document=document, change=change)

    async def assigned(self, id: UUID, *, document: bool = False, change: bool = True) -> WorkflowExecution:
        """An execution that the kernel that asks was told to run.

        Raises:
            NotFound: It is another kernel's, or there is none.
        """
        if not self._caller.kernel_id:
            raise _missing()
        where = (
            WorkflowExecution.id == id,
            WorkflowExecution.user_id == self._caller.user_id,
            WorkflowExecution.kernel_id == self._caller.kernel_id,
        )
        return await _one(self._session, where, document=document, change=change)

    async def page(
        self,
        *,
        where: Mapping[str, Any],
        since: datetime | None,
        sort: str,
        limit: int,
        cursor: str,
    ) -> Rows[WorkflowExecution]:
        """One page of the person's executions, without their documents and values.

        Args:
            where: Columns and the values that they must have.
            since: The earliest moment at which an execution was asked for.
            sort: ``created_at``; ``-`` before it for the latest first.
            limit: Rows of a page.
            cursor: Where the page begins.

        Raises:
            RequestError: It cannot be sorted like that, or the cursor is not of this list.
        """
        statement: Any = select(WorkflowExecution).where(WorkflowExecution.user_id == self._caller.user_id)
        statement = statement.options(*_LARGE)
        for name, value in where.items():
            statement = statement.where(getattr(WorkflowExecution, name) == value)
        if since is not None:
            statement = statement.where(col(WorkflowExecution.created_at) >= since)
        return await page(
            self._session,
            statement,
            WorkflowExecution,
            sort=sort,
            limit=limit,
            cursor=cursor,
            sortable=("created_at",),
        )

    async def remove(self, row: WorkflowExecution) -> None:
        """Deletes an execution with its events."""
        await self._session.delete(row)
        await self._session.flush()


# ---- what the server itself does ------------------------------------------------------------------


async def assign(session: Session, id: UUID, kernel_id: str, server_id: str) -> bool:
    """Gives a pending execution to a kernel; False where it waits no longer."""
    statement = (
        update(WorkflowExecution)
        .where(col(WorkflowExecution.id) == id, col(WorkflowExecution.status) == "pending")
        .values(kernel_id=kernel_id, server_id=server_id, heartbeat_at=utcnow())
    )
    return bool((await session.exec(statement)).rowcount)


async def beat(session: Session, server_id: str) -> None:
    """A server says that it is there, for all the executions that it holds."""
    statement = (
        update(WorkflowExecution)
        .where(col(WorkflowExecution.server_id) == server_id, col(WorkflowExecution.status).in_(OPEN))
        .values(heartbeat_at=utcnow())
    )
    await session.exec(statement)


async def abandoned(session: Session, server_id: str, before: datetime) -> list[UUID]:
    """The executions that no server holds any more.

    Args:
        session: The transaction.
        server_id: The server that asks; it knows about its own.
        before: A server that was not heard of since then is gone.
    """
    alone = or_(
        col(WorkflowExecution.heartbeat_at) < before,
        and_(col(WorkflowExecution.heartbeat_at).is_(None), col(WorkflowExecution.created_at) < before),
    )
    other = or_(col(WorkflowExecution.server_id).is_(None), col(WorkflowExecution.server_id) != server_id)
    statement = select(WorkflowExecution.id).where(col(WorkflowExecution.status).in_(OPEN), other, alone)
    return list((await session.exec(statement)).all())


async def still_open(session: Session, ids: Collection[UUID]) -> set[UUID]:
    """Those executions that are there and have not ended."""
    statement = select(WorkflowExecution.id).where(
        col(WorkflowExecution.id).in_(ids), col(WorkflowExecution.status).in_(OPEN)
    )
    return set((await session.exec(statement)).all())


async def author(session: Session, workflow_id: UUID) -> UUID | None:
    """Whose workflow it is that an execution runs."""
    statement = select(Workflow.user_id).where(Workflow.id == workflow_id)
    return (await session.exec(statement)).first()


async def open_one(session: Session, id: UUID) -> WorkflowExecution | None:
    """An execution that has not ended, about to be changed; None where it has, or is gone."""
    where = WorkflowExecution.id == id, col(WorkflowExecution.status).in_(OPEN)
    try:
        return await _one(session, where, change=True)
    except NotFound:
        return None


async def _one(
    session: Session, where: tuple[Any, ...], *, document: bool = False, change: bool = False
) -> WorkflowExecution:
    statement: Any = select(WorkflowExecution).where(*where)
    if not document:
        statement = statement.options(defer(WorkflowExecution.flow_data, raiseload=True))  # type: ignore[arg-type]
    if change:
        statement = statement.with_for_update()
    row: WorkflowExecution | None = (await session.exec(statement)).first()
    if row is None:
        raise _missing()
    return row


def _missing() -> NotFound:
    return NotFound("there is no such execution", hint="Check the id, or list what there is.")
