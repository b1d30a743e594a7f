"""Templates that somebody keeps: one's own, and those that an administrator published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlmodel import col, delete, select

from bpaz_lab.errors import NotFound
from bpaz_lab.store.paging import Rows, page
from bpaz_lab.store.tables import WorkflowTemplate
from bpaz_lab.store.visible import visible

if TYPE_CHECKING:
    from uuid import UUID

    from bpaz_lab.store.caller import Caller
    from bpaz_lab.store.database import Session

_SUMMARY: Final[tuple[Any, ...]] = tuple(
    column
    for column in WorkflowTemplate.__table__.columns  # type: ignore[attr-defined]
    if column.name != "flow_data"
)


class Templates:
    """The templates that a person may read.

    Args:
        session: The transaction.
        caller: Who asks.
    """

    def __init__(self, session: Session, caller: Caller) -> None:
        self._session = session
        self._caller = caller

    async def get(self, id: UUID) -> WorkflowTemplate:
        """One template with its document.

        Raises:
            NotFound: The person may read none of that id.
        """
        statement = select(WorkflowTemplate).where(
            WorkflowTemplate.id == id, visible(WorkflowTemplate, self._caller)
        )
        found = (await self._session.exec(statement)).first()
        if found is None:
            raise _missing()
        return found

    async def page(
        self, *, category: str = "", contains: str = "", sort: str, limit: int, cursor: str
    ) -> Rows[Any]:
        """One page of templates without their documents.

        Args:
            category: Their category; empty for any.
            contains: What their name contains, in capital or small letters; empty for any.
            sort: ``name`` or ``created_at``; ``-`` before it turns the order.
            limit: Rows of a page.
            cursor: Where the page begins.

        Raises:
            RequestError: It cannot be sorted like that, or the cursor is not of this list.
        """
        statement: Any = select(*_SUMMARY).where(visible(WorkflowTemplate, self._caller))
        if category:
            statement = statement.where(WorkflowTemplate.category == category)
        if contains:
            statement = statement.where(col(WorkflowTemplate.name).icontains(contains, autoescape=True))
        return await page(
            self._session,
            statement,
            WorkflowTemplate,
            sort=sort,
            limit=limit,
            cursor=cursor,
            sortable=("name", "created_at"),
        )

    async def add(self, row: WorkflowTemplate) -> WorkflowTemplate:
        """Keeps a template."""
        self._session.add(row)
        await self._session.flush()
        return row

    async def remove(self, id: UUID) -> None:
        """Deletes a template; the workflows that were made of it stay.

        Raises:
            NotFound: Somebody else was quicker.
        """
        statement: Any = delete(WorkflowTemplate).where(
            col(WorkflowTemplate.id) == id, visible(WorkflowTemplate, self._caller)
        )
        if (await self._session.exec(statement)).rowcount != 1:
            raise _missing()


def _missing() -> NotFound:
    return NotFound("there is no such template", hint="Check the id, or list what there is.")
