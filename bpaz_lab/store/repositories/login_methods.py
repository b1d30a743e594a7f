"""Ways into an organisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlmodel import col, delete, select

from bpaz_lab.errors import NotFound
from bpaz_lab.store.paging import Rows, page
from bpaz_lab.store.tables import LoginMethod

if TYPE_CHECKING:
    from uuid import UUID

    from bpaz_lab.store.caller import Caller
    from bpaz_lab.store.database import Session

SORTABLE = ("created_at", "updated_at", "name")


class LoginMethods:
    """The login methods of one organisation, for its administrators and the server's.

    Args:
        session: The transaction.
        caller: Who asks.
        organization_id: The organisation.
    """

    def __init__(self, session: Session, caller: Caller, organization_id: UUID) -> None:
        self._session = session
        self._organization_id = organization_id
        self._visible = caller.has("all", organization_id)

    async def get(self, method_id: UUID) -> LoginMethod:
        """One login method.

        Raises:
            NotFound: There is none in this organisation, or the caller may not know of it.
        """
        if self._visible:
            theirs = select(LoginMethod).where(
                LoginMethod.id == method_id, LoginMethod.organization_id == self._organization_id
            )
            found = (await self._session.exec(theirs)).first()
            if found is not None:
                return found
        raise _missing()

    async def page(self, *, sort: str, limit: int, cursor: str, status: str = "") -> Rows[LoginMethod]:
        """One page of the organisation's login methods."""
        if not self._visible:
            return Rows([])
        statement = select(LoginMethod).where(LoginMethod.organization_id == self._organization_id)
        if status:
            statement = statement.where(LoginMethod.status == status)
        return await page(
            self._session, statement, LoginMethod, sort=sort, limit=limit, cursor=cursor, sortable=SORTABLE
        )

    async def save(self, method: LoginMethod) -> LoginMethod:
        """Writes a login method, new or changed, and reads what the database made of it."""
        self._session.add(method)
        await self._session.flush()
        await self._session.refresh(method)
        return method

    async def remove(self, method: LoginMethod) -> None:
        """Removes a login method.

        Raises:
            NotFound: Somebody else was quicker.
        """
        self._session.expunge(method)
        done: Any = await self._session.exec(delete(LoginMethod).where(col(LoginMethod.id) == method.id))
        if not done.rowcount:
            raise _missing()


def _missing() -> NotFound:
    return NotFound("there is no such login method", hint="Check the id, or list what there is.")
