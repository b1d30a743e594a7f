"""Who belongs to an organisation, and with which role."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlmodel import col, delete, select

from bpaz_lab.errors import Conflict, NotFound
from bpaz_lab.store.paging import Rows, page
from bpaz_lab.store.repositories.roles import granted
from bpaz_lab.store.tables import Organization, OrganizationUser, Role, User

if TYPE_CHECKING:
    from uuid import UUID

    from bpaz_lab.store.caller import Caller
    from bpaz_lab.store.database import Session

SORTABLE = ("created_at",)


class Members:
    """The members of organisations that the person may see.

    Args:
        session: The transaction.
        caller: Who asks.
    """

    def __init__(self, session: Session, caller: Caller) -> None:
        self._session = session
        self._caller = caller

    async def get(self, organization_id: UUID, user_id: UUID) -> OrganizationUser:
        """One membership.

        Raises:
            NotFound: There is none, or the caller may not know of it.
        """
        if organization_id in self._caller.organizations or "all" in self._caller.permissions:
            found = await self._session.get(OrganizationUser, (organization_id, user_id))
            if found is not None:
                return found
        raise _missing()

    async def page(
        self, organization_id: UUID, *, sort: str, limit: int, cursor: str, status: str = ""
    ) -> Rows[OrganizationUser]:
        """One page of the members of an organisation."""
        statement = select(OrganizationUser).where(OrganizationUser.organization_id == organization_id)
        if "all" not in self._caller.permissions:
            visible = col(OrganizationUser.organization_id).in_(list(self._caller.organizations))
            statement = statement.where(visible)
        if status:
            statement = statement.where(OrganizationUser.status == status)
        return await page(
            self._session,
            statement,
            OrganizationUser,
            sort=sort,
            limit=limit,
            cursor=cursor,
            sortable=SORTABLE,
            key="user_id",
        )

    async def described(self, rows: list[OrganizationUser]) -> list[tuple[OrganizationUser, User, Role]]:
        """The memberships, each with the person and the role."""
        people = select(User).where(col(User.id).in_([row.user_id for row in rows]))
        roles = select(Role).where(col(Role.id).in_([row.role_id for row in rows]))
        by_id: dict[Any, Any] = {user.id: user for user in (await self._session.exec(people)).all()}
        by_id |= {role.id: role for role in (await self._session.exec(roles)).all()}
        return [(row, by_id[row.user_id], by_id[row.role_id]) for row in rows]

    async def save(self, member: OrganizationUser) -> OrganizationUser:
        """Writes a membership, new or changed, and reads what the database made of it.

        Raises:
            Conflict: The person is a member already.
        """
        self._session.add(member)
        await self._session.flush()
        await self._session.refresh(member)
        return member

    async def remove(self, member: OrganizationUser) -> None:
        """Ends a membership.

        Raises:
            NotFound: Somebody else was quicker.
        """
        self._session.expunge(member)
        done: Any = await self._session.exec(
            delete(OrganizationUser).where(
                col(OrganizationUser.organization_id) == member.organization_id,
                col(OrganizationUser.user_id) == member.user_id,
            )
        )
        if not done.rowcount:
            raise _missing()

    async def keep_an_administrator(self, member: OrganizationUser) -> None:
        """Sees to it that somebody else administers the organisation, before this member no longer does.

        Raises:
            Conflict: The member is the only one.
        """
        organization = select(Organization).where(Organization.id == member.organization_id)
        await self._session.exec(organization.with_for_update())  # two who leave at once wait for each other
        if await successor(self._session, member.organization_id, member.user_id) is None:
            raise Conflict(
                "this is the only administrator of the organization",
                hint="Give another member the role admin first.",
            )

    async def administers(self, member: OrganizationUser) -> bool:
        """Whether a membership makes its person an administrator of the organisation."""
        role = await self._session.get(Role, member.role_id)
        return member.status == "ACTIVE" and role is not None and "all" in granted(role.permissions)


async def successor(session: Session, organization_id: UUID, user_id: UUID) -> UUID | None:
    """The administrator of an organisation who has been there longest, beside a person; None for none."""
    others = (
        select(OrganizationUser.user_id, Role.permissions)
        .join(Role, col(Role.id) == col(OrganizationUser.role_id))
        .join(User, col(User.id) == col(OrganizationUser.user_id))
        .where(
            OrganizationUser.organization_id == organization_id,
            OrganizationUser.user_id != user_id,
            OrganizationUser.status == "ACTIVE",
            User.status == "active",
        )
        .order_by(col(OrganizationUser.created_at), col(OrganizationUser.user_id))
    )
    found = (await session.exec(others)).all()
    return next((person for person, permissions in found if "all" in granted(permissions)), None)


def _missing() -> NotFound:
    return NotFound("there is no such member", hint="Check the id, or list what there is.")
