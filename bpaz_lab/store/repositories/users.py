"""People: who has an account, and what their roles grant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select as columns
from sqlalchemy.orm import aliased
from sqlmodel import col, func, or_, select

from bpaz_lab.errors import Conflict, NotFound
from bpaz_lab.store.caller import Caller
from bpaz_lab.store.paging import Rows, page
from bpaz_lab.store.repositories.roles import Roles, granted
from bpaz_lab.store.tables import AuthSession, OrganizationUser, Role, User

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from bpaz_lab.store.database import Session

SORTABLE = ("created_at", "updated_at", "status")


class Users:
    """The accounts that a person may see: all of them for the server's administrator, else one's own.

    Args:
        session: The transaction.
        caller: Who asks.
    """

    def __init__(self, session: Session, caller: Caller) -> None:
        self._session = session
        self._caller = caller

    async def get(self, user_id: UUID | None) -> User:
        """One account.

        Raises:
            NotFound: There is none, or the caller may not know of it.
        """
        if user_id is not None and (user_id == self._caller.user_id or "all" in self._caller.permissions):
            found = await self._session.get(User, user_id)
            if found is not None:
                return found
        raise NotFound("there is no such user", hint="Check the id, or list what there is.")

    async def page(
        self, *, sort: str, limit: int, cursor: str, search: str = "", role: str = "", status: str = ""
    ) -> Rows[User]:
        """One page of the accounts.

        Args:
            sort: One of `SORTABLE`; ``-`` before it turns the order.
            limit: Accounts of a page.
            cursor: Where the page before ended.
            search: What the address or the name contains.
            role: The role that they have on the server.
            status: ``active`` or ``disabled``.
        """
        statement = select(User)
        if "all" not in self._caller.permissions:
            statement = statement.where(User.id == self._caller.user_id)
        if search:
            likes = [
                func.lower(col(column)).contains(search.lower(), autoescape=True)
                for column in (User.email, User.full_name)
            ]
            statement = statement.where(or_(*likes))
        if role:
            statement = statement.where(User.role == role)
        if status:
            statement = statement.where(User.status == status)
        return await page(
            self._session, statement, User, sort=sort, limit=limit, cursor=cursor, sortable=SORTABLE
        )

    async def save(self, user: User) -> User:
        """Writes an account, new or changed, and reads what the database made of it.

        Raises:
            Conflict: The address is another account's.
        """
        if user.email is not None:
            other = select(User.id).where(User.email == user.email, User.id != user.id)
            with self._session.no_autoflush:
                taken = (await self._session.exec(other)).first() is not None
            if taken:
                raise Conflict(
                    "there is an account with this address", path="body.email", hint="Sign in with it."
                )
        self._session.add(user)
        await self._session.flush()
        await self._session.refresh(user)
        return user

    async def keep_an_administrator(self, user: User) -> None:
        """Sees to it that somebody else administers the server, before this person no longer does.

        Two administrators who remove each other at the same moment wait for each other here.

        Raises:
            Conflict: The person is the only one.
        """
        await Roles(self._session, self._caller).named("admin", alone=True)
        others = select(User.id).where(User.role == "admin", User.status == "active", User.id != user.id)
        if (await self._session.exec(others.limit(1))).first() is None:
            raise Conflict(
                "this is the only administrator of the server", hint="Make somebody else administrator first."
            )


async def with_email(session: Session, email: str) -> User | None:
    """The account of an address, for somebody who is not known yet; None where there is none."""
    return (await session.exec(select(User).where(User.email == email))).first()


async def first_account(session: Session) -> bool:
    """Whether nobody has an account with a password yet; others who ask wait until this transaction ends."""
    await Roles(session, Caller()).named("admin", alone=True)
    accounts = select(User.id).where(User.identity_provider == "password").limit(1)
    return (await session.exec(accounts)).first() is None


async def passwords_kept(session: Session) -> bool:
    """Whether anybody has a password, which only the pepper that it was hashed with can check."""
    kept = select(User.id).where(col(User.password_hash).is_not(None)).limit(1)
    return (await session.exec(kept)).first() is not None


async def with_identity(session: Session, provider: str, subject: str) -> User | None:
    """The person that another system knows; None where that person was never here."""
    known = select(User).where(User.identity_provider == provider, User.subject == subject)
    return (await session.exec(known)).first()


async def standing(
    session: Session, user_id: UUID, *, login: UUID | None = None, now: datetime | None = None
) -> Caller | None:
    """What a person may do at this moment; one statement, since every request asks it.

    Args:
        session: The transaction.
        user_id: The person.
        login: The login that the person comes with; None where something else vouches for them.
        now: The moment, for the login.

    Returns:
        The caller; None where there is no such person any more, or the login has ended.
    """
    there = aliased(Role)
    statement: Any = (
        columns(
            col(User.id),
            col(User.email),
            col(User.full_name),
            col(Role.permissions),
            col(OrganizationUser.organization_id),
            col(there.permissions),
        )
        .join(Role, col(Role.name) == col(User.role), isouter=True)
        .join(
            OrganizationUser,
            (col(OrganizationUser.user_id) == col(User.id)) & (col(OrganizationUser.status) == "ACTIVE"),
            isouter=True,
        )
        .join(there, col(there.id) == col(OrganizationUser.role_id), isouter=True)
        .where(col(User.id) == user_id, col(User.status) == "active")
    )
    if login is not None:
        statement = statement.join(AuthSession, col(AuthSession.user_id) == col(User.id)).where(
            col(AuthSession.id) == login,
            col(AuthSession.revoked_at).is_(None),
            col(AuthSession.family_expires_at) > now,
        )
    found = (await session.exec(statement)).all()
    if not found:
        return None
    known, email, full_name, permissions, _, _ = found[0]
    return Caller(
        user_id=known,
        name=email or full_name or str(known),
        permissions=granted(permissions),
        organizations={place: granted(told) for *_, place, told in found if place is not None},
        session_id=login,
    )
