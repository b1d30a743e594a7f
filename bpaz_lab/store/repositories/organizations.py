"""Organisations: groups of people who share workflows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlmodel import col, delete, func, select

from bpaz_lab.errors import NotFound
from bpaz_lab.store.paging import Rows, page
from bpaz_lab.store.tables import Organization

if TYPE_CHECKING:
    from uuid import UUID

    from bpaz_lab.store.caller import Caller
    from bpaz_lab.store.database import Session

SORTABLE = ("created_at", "updated_at", "name")


class Organizations:
    """The organisations that a person may see: one's own, and all of them for the server's administrator.

    Args:
        session: The transaction.
        caller: Who asks.
    """

    def __init__(self, session: Session, caller: Caller) -> None:
        self._session = session
        self._caller = caller

    async def get(self, organization_id: UUID) -> Organization:
        """One organisation.

        Raises:
            NotFound: There is none, or the caller may not know of it.
        """
        if organization_id in self._caller.organizations or "all" in self._caller.permissions:
            found = await self._session.get(Organization, organization_id)
            if found is not None:
                return found
        raise _missing()

    async def page(
        self, *, sort: str, limit: int, cursor: str, search: str = "", own: bool = False
    ) -> Rows[Organization]:
        """One page of the organisations.

        Args:
            sort: One of `SORTABLE`; ``-`` before it turns the order.
            limit: Organisations of a page.
            cursor: Where the page before ended.
            search: What the name contains.
            own: Only those that the caller is an active member of.
        """
        statement = select(Organization)
        if own or "all" not in self._caller.permissions:
            statement = statement.where(col(Organization.id).in_(list(self._caller.organizations)))
        if search:
            statement = statement.where(
                func.lower(Organization.name).contains(search.lower(), autoescape=True)
            )
        return await page(
            self._session, statement, Organization, sort=sort, limit=limit, cursor=cursor, sortable=SORTABLE
        )

    async def save(self, organization: Organization) -> Organization:
        """Writes an organisation, new or changed, and reads what the database made of it."""
        self._session.add(organization)
        await self._session.flush()
        await self._session.refresh(organization)
        return organization

    async def remove(self, organization: Organization) -> None:
        """Removes an organisation with all memberships, login methods and keys; it shares nothing more.

        Raises:
            NotFound: Somebody else was quicker.
        """
        self._session.expunge(organization)
        gone = delete(Organization).where(col(Organization.id) == organization.id)
        done: Any = await self._session.exec(gone)
        if not done.rowcount:
            raise _missing()


def _missing() -> NotFound:
    return NotFound("there is no such organization", hint="Check the id, or list what there is.")
