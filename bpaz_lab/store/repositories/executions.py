"""Executions: each belongs to who asked for it, and nobody else sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import literal_column
from sqlalchemy.orm import defer
from sqlmodel import and_, col, func, or_, select, update

from bpaz_lab.errors import NotFound, Throttled
from bpaz_lab.store.paging import Rows, page
from bpaz_lab.store.tables import ExecutionStep, User, Workflow, WorkflowExecution
from bpaz_lab.store.tables.columns import utcnow

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from bpaz_lab.store.caller import Caller
    from bpaz_lab.store.database import Session

ACTIVE: Final = ("pending", "running")
"""What counts against the number of executions that a person may have at a time."""
OPEN: Final = (*ACTIVE, "paused")
"""What has not ended."""

_LARGE: Final[tuple[Any, ...]] = tuple(
    defer(getattr(WorkflowExecution, name), raiseload=True)
    for name in ("flow_data", "inputs", "outputs", "questions", "options")
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

    async def add(self, row: WorkflowExecution, *, most: int | None = None) -> WorkflowExecution:
        """Admits an execution.

        Args:
            row: The execution.
            most: How many the person may have at a time; None for any number.

        Raises:
            Throttled: There are as many already.
        """
        if most is not None:
            await self.demand_room(most)
        self._session.add(row)
        await self._session.flush()
        return row

    async def demand_room(self, most: int) -> None:
        """Demands that the person may have one more execution under way.

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

    async def by_key(self, key: str) -> tuple[UUID, str | None] | None:
        """The execution that was asked for with this idempotency key, and the digest of that request."""
        statement = select(WorkflowExecution.id, WorkflowExecution.request_digest).where(
            WorkflowExecution.user_id == self._caller.user_id, WorkflowExecution.idempotency_key == key
        )
        found = (await self._session.exec(statement)).first()
        return None if found is None else (found[0], found[1])

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
        begins: str = "",
        sort: str,
        limit: int,
        cursor: str,
    ) -> Rows[WorkflowExecution]:
        """One page of the person's executions, without their documents and values.

        Args:
            where: Columns and the values that they must have.
            since: The earliest moment at which an execution was asked for.
            begins: How their ids begin, in hex without dashes.
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
        if begins:
            low, high = (UUID(begins.ljust(32, digit)) for digit in "0f")
            statement = statement.where(col(WorkflowExecution.id).between(low, high))
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

    async def tree(self, id: UUID) -> list[WorkflowExecution]:
        """An execution with all that it comes from and all that come from those, the oldest first.

        Raises:
            NotFound: The person has none of that id.
        """
        run = WorkflowExecution
        mine = col(run.user_id) == self._caller.user_id
        up: Any = select(run.id, run.parent_id).where(run.id == id, mine).cte("up", recursive=True)
        up = up.union(select(run.id, run.parent_id).where(run.id == up.c.parent_id, mine))
        down: Any = select(up.c.id).where(up.c.parent_id.is_(None)).cte("down", recursive=True)
        down = down.union(select(run.id).where(run.parent_id == down.c.id, mine))
        found: Any = select(run).where(col(run.id).in_(select(down.c.id))).options(*_LARGE)
        rows = (await self._session.exec(found.order_by(run.created_at, run.id))).all()
        if not rows:
            raise _missing()
        return list(rows)

    async def remove(self, row: WorkflowExecution) -> None:
        """Deletes an execution with its events and its ledger; what was forked from it stays."""
        await self._session.delete(row)
        await self._session.flush()


# ---- what the server itself does ------------------------------------------------------------------


async def assign(session: Session, id: UUID, kernel_id: str, server_id: str) -> int:
    """Gives a pending execution to a kernel, under an epoch of its own: 0 where it waits no longer."""
    run = WorkflowExecution
    statement = (
        update(run)
        .where(col(run.id) == id, col(run.status) == "pending", col(run.server_id) == server_id)
        .values(kernel_id=kernel_id, heartbeat_at=utcnow(), epoch=run.epoch + 1)
        .returning(col(run.epoch))
    )
    return int((await session.exec(statement)).scalar() or 0)


async def beat(session: Session, server_id: str, ids: Collection[UUID]) -> None:
    """A server says that these of its executions are alive."""
    run = WorkflowExecution
    mine = col(run.id).in_(ids), col(run.server_id) == server_id, col(run.status).in_(OPEN)
    await session.exec(update(run).where(*mine).values(heartbeat_at=utcnow()))


async def let_go(session: Session, ids: Collection[UUID]) -> None:
    """Notes of paused executions that no kernel keeps them any more."""
    run = WorkflowExecution
    theirs = col(run.id).in_(ids), col(run.status) == "paused"
    await session.exec(update(run).where(*theirs).values(kernel_id=None, heartbeat_at=None))


class Abandoned(NamedTuple):
    """An execution that nobody seems to hold."""

    id: UUID
    user_id: UUID
    status: str
    epoch: int


async def abandoned(session: Session, before: datetime) -> list[Abandoned]:
    """The executions that are under way, and were not heard of for long; one that is paused needs nobody.

    Args:
        session: The transaction.
        before: Since when they were not heard of.
    """
    alone = or_(
        col(WorkflowExecution.heartbeat_at) < before,
        and_(col(WorkflowExecution.heartbeat_at).is_(None), col(WorkflowExecution.created_at) < before),
    )
    run = WorkflowExecution
    statement = select(run.id, run.user_id, run.status, run.epoch).where(col(run.status).in_(ACTIVE), alone)
    return [Abandoned(*row) for row in (await session.exec(statement)).all()]


async def still_held(session: Session, ids: Collection[UUID], server_id: str) -> set[UUID]:
    """Those of a server's executions that are there, have not ended, and are its own still."""
    run = WorkflowExecution
    statement = select(run.id).where(
        col(run.id).in_(ids), col(run.status).in_(OPEN), col(run.server_id) == server_id
    )
    return set((await session.exec(statement)).all())


async def in_doubt(session: Session, ids: Collection[UUID]) -> dict[UUID, list[str]]:
    """The steps of which nobody knows whether they happened: begun, not finished, and nobody is at them.

    Args:
        session: The transaction.
        ids: The executions to look at, which nobody runs at present.

    Returns:
        Addresses by execution, for those executions that have such steps.
    """
    step = ExecutionStep
    statement = (
        select(step.execution_id, step.address)
        .where(
            col(step.execution_id).in_(ids),
            literal_column("execution_steps.state = 'started'"),  # as the index has it
        )
        .order_by(col(step.address))
    )
    found: dict[UUID, list[str]] = {}
    for id, address in (await session.exec(statement)).all():
        found.setdefault(id, []).append(address)
    return found


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
