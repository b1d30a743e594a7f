"""The audit log, to be read; `audit.record` writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmodel import col, select

from bpaz_lab.store.paging import Rows, page
from bpaz_lab.store.tables import AuditLog

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from bpaz_lab.store.caller import Caller
    from bpaz_lab.store.database import Session

SORTABLE = ("created_at",)


class Audits:
    """What was done: all of it for who may see it, else what the person did.

    Args:
        session: The transaction.
        caller: Who asks.
    """

    def __init__(self, session: Session, caller: Caller) -> None:
        self._session = session
        self._caller = caller

    async def page(  # noqa: PLR0913 (each is a filter)
        self,
        *,
        sort: str,
        limit: int,
        cursor: str,
        user_id: UUID | None = None,
        action: str = "",
        object_type: str = "",
        object_id: str = "",
        outcome: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Rows[AuditLog]:
        """One page of what was done.

        Args:
            sort: ``created_at``; ``-`` before it turns the order.
            limit: Entries of a page.
            cursor: Where the page before ended.
            user_id: Who did it.
            action: What was done, ``workflow.update``, or all of a kind, ``workflow.``.
            object_type: The kind of thing that it was done to.
            object_id: The thing.
            outcome: ``done``, ``refused`` or ``failed``.
            since: Not before this moment.
            until: Before this moment.
        """
        statement = select(AuditLog)
        if not self._caller.has("view_audit"):
            statement = statement.where(AuditLog.user_id == self._caller.user_id)
        if user_id is not None:
            statement = statement.where(AuditLog.user_id == user_id)
        if action.endswith("."):
            statement = statement.where(col(AuditLog.action).startswith(action, autoescape=True))
        elif action:
            statement = statement.where(AuditLog.action == action)
        for name, value in (("object_type", object_type), ("object_id", object_id), ("outcome", outcome)):
            if value:
                statement = statement.where(getattr(AuditLog, name) == value)
        if since is not None:
            statement = statement.where(col(AuditLog.created_at) >= since)
        if until is not None:
            statement = statement.where(col(AuditLog.created_at) < until)
        return await page(
            self._session, statement, AuditLog, sort=sort, limit=limit, cursor=cursor, sortable=SORTABLE
        )
