"""Credentials, locked: each is one person's own, and nobody else sees that it exists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlmodel import col, select, update

from bpaz_lab.errors import Conflict, NotFound
from bpaz_lab.store.paging import Rows, page
from bpaz_lab.store.tables import UserCredential
from bpaz_lab.store.tables.columns import utcnow

if TYPE_CHECKING:
    from uuid import UUID

    from bpaz_lab.store.caller import Caller
    from bpaz_lab.store.database import Session

SORTABLE: Final = ("name", "created_at", "updated_at")


class Credentials:
    """The credentials of the person who asks.

    Args:
        session: The transaction.
        caller: Who asks.
    """

    def __init__(self, session: Session, caller: Caller) -> None:
        self._session = session
        self._caller = caller

    async def get(self, id: UUID) -> UserCredential:
        """One of them.

        Raises:
            NotFound: The person has none of this id.
        """
        return await self._one(UserCredential.id == id)

    async def named(self, name: str) -> UserCredential:
        """The one of this name.

        Raises:
            NotFound: The person has none of this name.
        """
        return await self._one(UserCredential.name == name)

    async def page(
        self, *, name: str = "", type: str = "", sort: str, limit: int, cursor: str
    ) -> Rows[UserCredential]:
        """One page of them.

        Args:
            name: This name alone.
            type: This type alone.
            sort: A column of `SORTABLE`; ``-`` before it turns the order.
            limit: Rows of a page.
            cursor: Where the page begins.

        Raises:
            RequestError: It cannot be sorted like that, or the cursor is not of this list.
        """
        statement = select(UserCredential).where(UserCredential.user_id == self._caller.user_id)
        if name:
            statement = statement.where(UserCredential.name == name)
        if type:
            statement = statement.where(UserCredential.service_type == type)
        return await page(
            self._session,
            statement,
            UserCredential,
            sort=sort,
            limit=limit,
            cursor=cursor,
            sortable=SORTABLE,
        )

    async def save(self, row: UserCredential) -> UserCredential:
        """Keeps a new one, or what was changed of one.

        Raises:
            Conflict: The person has another of this name.
        """
        taken = select(UserCredential.id).where(
            UserCredential.user_id == self._caller.user_id,
            UserCredential.name == row.name,
            UserCredential.id != row.id,
        )
        with self._session.no_autoflush:  # else the database would be asked to take the name first
            other = (await self._session.exec(taken)).first()
        if other is not None:
            hint = "Choose another name, or change that one."
            raise Conflict("you have a credential of this name", path="body.name", hint=hint)
        self._session.add(row)
        await self._session.flush()
        return row

    async def remove(self, row: UserCredential) -> None:
        """Deletes one."""
        await self._session.delete(row)
        await self._session.flush()

    async def used(self, row: UserCredential) -> None:
        """Notes that one was used just now."""
        statement: Any = update(UserCredential).where(col(UserCredential.id) == row.id)
        await self._session.exec(statement.values(last_used_at=utcnow()))

    async def _one(self, which: Any) -> UserCredential:
        statement = select(UserCredential).where(which, UserCredential.user_id == self._caller.user_id)
        row = (await self._session.exec(statement)).first()
        if row is None:
            raise NotFound("there is no such credential", hint="Check its name or id, or list what there is.")
        return row
