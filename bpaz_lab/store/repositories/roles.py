"""Roles: names for sets of permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlmodel import col, delete, exists, or_, select

from bpaz_lab.errors import Conflict, NotFound
from bpaz_lab.store.paging import Rows, page
from bpaz_lab.store.tables import OrganizationUser, Role, User

if TYPE_CHECKING:
    from uuid import UUID

    from bpaz_lab.store.caller import Caller
    from bpaz_lab.store.database import Session

SORTABLE = ("name",)


def granted(permissions: str | None) -> frozenset[str]:
    """The permissions of a role, from the names with commas between them that the table holds."""
    return frozenset(name for each in (permissions or "").split(",") if (name := each.strip()))


class Roles:
    """The roles; they are no secret, so everybody sees all of them.

    Args:
        session: The transaction.
        caller: Who asks.
    """

    def __init__(self, session: Session, caller: Caller) -> None:
        self._session = session
        self._caller = caller

    async def get(self, role_id: UUID) -> Role:
        """One role.

        Raises:
            NotFound: There is none of this id.
        """
        found = await self._session.get(Role, role_id)
        if found is None:
            raise _missing()
        return found

    async def named(self, name: str, *, alone: bool = False) -> Role:
        """The role of a name.

        Args:
            name: The name.
            alone: Whether other transactions that ask so wait until this one has ended.

        Raises:
            NotFound: There is none of this name.
        """
        statement = select(Role).where(Role.name == name)
        found = (await self._session.exec(statement.with_for_update() if alone else statement)).first()
        if found is None:
            raise NotFound(
                f"there is no role {name!r}", path="body.role", hint="List the roles that there are."
            )
        return found

    async def page(self, *, sort: str, limit: int, cursor: str) -> Rows[Role]:
        """One page of the roles."""
        return await page(
            self._session, select(Role), Role, sort=sort, limit=limit, cursor=cursor, sortable=SORTABLE
        )

    async def save(self, role: Role) -> Role:
        """Writes a role, new or changed.

        Raises:
            Conflict: There is one of this name.
        """
        self._session.add(role)
        await self._session.flush()
        return role

    async def remove(self, role: Role) -> None:
        """Removes a role that nobody has.

        Raises:
            Conflict: Somebody has it.
            NotFound: Somebody else was quicker.
        """
        used = or_(
            exists().where(col(User.role) == role.name),
            exists().where(col(OrganizationUser.role_id) == role.id),
        )
        if (await self._session.exec(select(Role.id).where(Role.id == role.id, used))).first() is not None:
            raise Conflict(f"people have the role {role.name}", hint="Give them another role first.")
        self._session.expunge(role)
        done: Any = await self._session.exec(delete(Role).where(col(Role.id) == role.id))
        if not done.rowcount:
            raise _missing()


def _missing() -> NotFound:
    return NotFound("there is no such role", hint="Check the id, or list what there is.")
