"""Logins: one row each, with the hash of the refresh token that is good now and of the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlmodel import col, select, update

from bpaz_lab.store.tables import AuthSession

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from bpaz_lab.store.database import Session


class AuthSessions:
    """Logins, for the one file that signs people in and out.

    Args:
        session: The transaction.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def open(self, login: AuthSession) -> None:
        """Begins a login."""
        self._session.add(login)
        await self._session.flush()

    async def get(self, login: UUID) -> AuthSession | None:
        """A login as it is now in the database; None where there is none."""
        found = await self._session.exec(
            select(AuthSession).where(AuthSession.id == login).execution_options(populate_existing=True)
        )
        return found.first()

    async def rotate(self, login: UUID, old: str, new: str, *, now: datetime, expires: datetime) -> bool:
        """Puts one refresh token in the place of another, if that one is the good one still.

        One statement finds and changes, so that of any number that come with the same token one succeeds.

        Args:
            login: The login.
            old: The hash of the token that is shown.
            new: The hash of the token that follows.
            now: This moment.
            expires: When the new one ends; never after its family does.

        Returns:
            Whether it was.
        """
        done: Any = await self._session.exec(
            update(AuthSession)
            .where(
                col(AuthSession.id) == login,
                col(AuthSession.refresh_hash) == old,
                col(AuthSession.revoked_at).is_(None),
                col(AuthSession.expires_at) > now,
                col(AuthSession.family_expires_at) > now,
            )
            .values(refresh_hash=new, previous_hash=old, rotated_at=now, expires_at=expires)
        )
        return bool(done.rowcount == 1)

    async def revoke(self, login: UUID, now: datetime) -> None:
        """Ends a login, with every token of it."""
        await self._revoke(col(AuthSession.id) == login, now)

    async def revoke_all(self, user_id: UUID, now: datetime, *, but: UUID | None = None) -> None:
        """Ends all logins of a person, but for the one that is named."""
        theirs = col(AuthSession.user_id) == user_id
        await self._revoke(theirs if but is None else theirs & (col(AuthSession.id) != but), now)

    async def _revoke(self, which: Any, now: datetime) -> None:
        await self._session.exec(
            update(AuthSession).where(which, col(AuthSession.revoked_at).is_(None)).values(revoked_at=now)
        )
