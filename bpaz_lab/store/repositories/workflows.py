"""Workflows and their versions: who may read one sees it, and nobody overwrites another unseen."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal

from sqlalchemy import bindparam, func
from sqlmodel import col, delete, false, insert, select, update

from bpaz_lab.errors import NotFound
from bpaz_lab.store.paging import Rows, page
from bpaz_lab.store.tables import ChatMessage, User, Workflow, WorkflowVersion
from bpaz_lab.store.tables.columns import utcnow
from bpaz_lab.store.visible import reader, visible_to_whoever

if TYPE_CHECKING:
    from uuid import UUID

    from bpaz_lab.store.caller import Caller
    from bpaz_lab.store.database import Session

Scope = Literal["mine", "shared", "public", "all"]
Kind = Literal["get", "summary", "save", "remove"]
SORTABLE: Final = ("name", "created_at", "updated_at")
_OWNER: Final = select(User.full_name).where(User.id == Workflow.user_id).scalar_subquery().label("owner")
_COLUMNS: Final[tuple[Any, ...]] = tuple(Workflow.__table__.columns)  # type: ignore[attr-defined]
_SUMMARY: Final[tuple[Any, ...]] = (*(each for each in _COLUMNS if each.name != "flow_data"), _OWNER)


class Workflows:
    """The workflows that a person may read.

    Args:
        session: The transaction.
        caller: Who asks.
    """

    def __init__(self, session: Session, caller: Caller) -> None:
        self._session = session
        self._caller = caller

    async def get(self, id: UUID) -> Any:
        """One workflow with its document, as it is now, and the name of its owner.

        Raises:
            NotFound: The person may read none of that id.
        """
        return await self._one("get", id)

    async def summary(self, id: UUID) -> Any:
        """One workflow without its document, with the name of its owner.

        Raises:
            NotFound: The person may read none of that id.
        """
        return await self._one("summary", id)

    async def page(
        self,
        *,
        scope: Scope,
        name: str = "",
        contains: str = "",
        organization_id: UUID | None = None,
        sort: str,
        limit: int,
        cursor: str,
    ) -> Rows[Any]:
        """One page of workflows, without their documents, with the names of their owners.

        Args:
            scope: The person's own, those that an organisation shares, those that are public, or all.
            name: What they are called, exactly; empty for any name.
            contains: What their name contains, in capital or small letters; empty for any.
            organization_id: The organisation that shares them; None for any.
            sort: One of ``SORTABLE``; ``-`` before it turns the order.
            limit: Rows of a page.
            cursor: Where the page begins.

        Raises:
            RequestError: It cannot be sorted like that, or the cursor is not of this list.
        """
        caller, statement = self._caller, select(*_SUMMARY)
        if name:
            statement = statement.where(Workflow.name == name)
        if contains:
            statement = statement.where(col(Workflow.name).icontains(contains, autoescape=True))
        if organization_id is not None:
            statement = statement.where(Workflow.organization_id == organization_id)
        shared = [Workflow.organization_id == each for each in caller.organizations]
        ways: dict[str, list[Any]] = {
            "mine": [Workflow.user_id == caller.user_id],
            "shared": shared or [false()],
            "public": [col(Workflow.is_public).is_(True)],
        }
        among = [way for each in ways.values() for way in each] if scope == "all" else ways[scope]
        one = len(among) == 1
        return await page(
            self._session,
            statement.where(among[0]) if one else statement,
            Workflow,
            sort=sort,
            limit=limit,
            cursor=cursor,
            sortable=SORTABLE,
            among=() if one else among,
        )

    async def add(self, row: Workflow, message: str = "") -> Workflow:
        """Keeps a new workflow, and its first version."""
        row.version = 1
        values = {column.name: getattr(row, column.name) for column in _COLUMNS}
        await self._done(insert(Workflow.__table__), values)  # type: ignore[attr-defined]
        await self._keep(row, message)
        return row

    async def save(self, id: UUID, version: int, values: dict[str, Any], message: str = "") -> Any:
        """Saves a workflow as the version after ``version``.

        One statement looks and writes, so that of two who saved the same version one has saved.

        Args:
            id: Which.
            version: The version that was changed.
            values: The columns that change.
            message: What changed, for people.

        Returns:
            The workflow as it is now; None where another version is the latest.
        """
        changes = {**values, "version": version + 1, "updated_at": utcnow()}
        row = (await self._readable("save", id, known=version, **changes)).first()
        if row is not None:
            await self._keep(row, message)
        return row

    async def remove(self, id: UUID) -> None:
        """Deletes a workflow with its versions, its executions and what was said to it.

        Raises:
            NotFound: Somebody else was quicker.
        """
        if (await self._readable("remove", id)).rowcount != 1:
            raise _missing("workflow")
        await self._done(delete(ChatMessage).where(col(ChatMessage.chatflow_id) == id))

    async def version(self, id: UUID, number: int) -> WorkflowVersion:
        """One version of a workflow that the person may read.

        Raises:
            NotFound: There is none.
        """
        from bpaz_lab.store.repositories.versions import Versions

        return await Versions(self._session, self._caller).get(id, number)

    async def _keep(self, row: Any, message: str) -> None:
        values = {
            "workflow_id": row.id,
            "version": row.version,
            "user_id": self._caller.user_id,
            "name": row.name,
            "description": row.description,
            "message": message,
            "flow_data": row.flow_data,
            "created_at": utcnow(),
        }
        await self._done(insert(WorkflowVersion.__table__), values)  # type: ignore[attr-defined]

    async def _one(self, kind: Kind, id: UUID) -> Any:
        found = (await self._readable(kind, id)).first()
        if found is None:
            raise _missing("workflow")
        return found

    async def _readable(self, kind: Kind, id: UUID, **values: Any) -> Any:
        """A statement on one workflow, if the person may read it."""
        if self._caller.user_id is None:
            raise _missing("workflow")
        statement = _statement(kind, shared=bool(self._caller.organizations))
        return await self._done(statement, {"which": id, **reader(self._caller), **values})

    async def _done(self, statement: Any, values: dict[str, Any] | None = None) -> Any:
        """A statement of one row, told the database as it is: a unit of work costs more than the row."""
        return await (await self._session.connection()).execute(statement, values)


@cache
def _statement(kind: Kind, *, shared: bool) -> Any:
    """A statement on one workflow that the person may read; making one costs more than the row."""
    which = (col(Workflow.id) == bindparam("which"), visible_to_whoever(Workflow, shared=shared))
    if kind == "save":
        known = func.coalesce(Workflow.version, 1) == bindparam("known")
        return update(Workflow).where(*which, known).returning(*_COLUMNS)
    if kind == "remove":
        return delete(Workflow).where(*which)
    return select(*(_SUMMARY if kind == "summary" else (*_COLUMNS, _OWNER))).where(*which)


def _missing(kind: str) -> NotFound:
    return NotFound(f"there is no such {kind}", hint="Check the id, or list what there is.")
