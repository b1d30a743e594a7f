"""The versions of workflows: one for each save, never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlmodel import col, select

from bpaz_lab.errors import NotFound
from bpaz_lab.store.paging import Rows, page
from bpaz_lab.store.tables import User, Workflow, WorkflowVersion
from bpaz_lab.store.visible import visible

if TYPE_CHECKING:
    from uuid import UUID

    from bpaz_lab.store.caller import Caller
    from bpaz_lab.store.database import Session

_SAVED_BY: Final = (
    select(User.full_name).where(User.id == WorkflowVersion.user_id).scalar_subquery().label("saved_by")
)
_SUMMARY: Final[tuple[Any, ...]] = (
    *(column for column in WorkflowVersion.__table__.columns if column.name != "flow_data"),  # type: ignore[attr-defined]
    _SAVED_BY,
)


class Versions:
    """The versions of the workflows that a person may read.

    Args:
        session: The transaction.
        caller: Who asks.
    """

    def __init__(self, session: Session, caller: Caller) -> None:
        self._session = session
        self._caller = caller

    async def get(self, workflow_id: UUID, number: int) -> WorkflowVersion:
        """One version with its document.

        Raises:
            NotFound: There is none, or the person may not read the workflow.
        """
        statement = (
            select(WorkflowVersion)
            .join(Workflow, col(Workflow.id) == WorkflowVersion.workflow_id)
            .where(WorkflowVersion.workflow_id == workflow_id, WorkflowVersion.version == number)
            .where(visible(Workflow, self._caller))
        )
        found = (await self._session.exec(statement)).first()
        if found is None:
            raise NotFound("there is no such version", hint="List the versions of the workflow.")
        return found

    async def saved_by(self, workflow_id: UUID, number: int) -> Any:
        """Who saved a version, when and why, without its document; None where there is none."""
        statement: Any = select(*_SUMMARY).where(
            WorkflowVersion.workflow_id == workflow_id, WorkflowVersion.version == number
        )
        return (await self._session.exec(statement)).first()

    async def page(self, workflow_id: UUID, *, sort: str, limit: int, cursor: str) -> Rows[Any]:
        """One page of a workflow's versions without their documents.

        The workflow must have been read before: this looks at no right.

        Raises:
            RequestError: It cannot be sorted like that, or the cursor is not of this list.
        """
        return await page(
            self._session,
            select(*_SUMMARY).where(WorkflowVersion.workflow_id == workflow_id),
            WorkflowVersion,
            sort=sort,
            limit=limit,
            cursor=cursor,
            sortable=("version",),
            key="version",
        )
