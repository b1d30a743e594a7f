"""Attempts to come in: what throttling counts and what administrators look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlmodel import col, func, select, text, update

from bpaz_lab.store.paging import Rows, page
from bpaz_lab.store.tables import LoginActivity

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from bpaz_lab.store.caller import Caller
    from bpaz_lab.store.database import Session

SORTABLE = ("attempted_at",)


@dataclass(frozen=True)
class Tries:
    """Attempts that failed: how many, and when the last was."""

    count: int
    last: datetime | None


class LoginActivities:
    """Attempts to come in; one's own for who may not see the others'.

    Args:
        session: The transaction.
        caller: Who asks.
    """

    def __init__(self, session: Session, caller: Caller) -> None:
        self._session = session
        self._caller = caller

    async def alone(self, *names: str) -> None:
        """Lets other transactions wait that ask for one of these names; SQLite's writers wait by themselves.

        What is counted now stays right until this transaction ends, so that a hundred guesses at once are
        counted like a hundred in a row.
        """
        if self._session.get_bind().dialect.name != "postgresql":
            return
        for name in sorted(set(names)):
            await self._session.exec(  # type: ignore[call-overload]
                text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))").bindparams(name=name)
            )

    async def record(self, username: str, code: int, message: str, now: datetime) -> LoginActivity:
        """Notes an attempt, from where the caller comes."""
        row = LoginActivity(
            username=username,
            activity_code=code,
            message=message,
            attempted_at=now,
            address=self._caller.address[:64] or None,
        )
        self._session.add(row)
        await self._session.flush()
        return row

    async def conclude(self, attempt: UUID, code: int, message: str) -> None:
        """Says how an attempt ended that had only begun."""
        await self._session.exec(
            update(LoginActivity)
            .where(col(LoginActivity.id) == attempt)
            .values(activity_code=code, message=message)
        )

    async def failed(
        self,
        codes: Collection[int],
        since: datetime,
        *,
        username: str = "",
        address: str = "",
        forgiven_by: int | None = None,
    ) -> Tries:
        """The attempts that failed, of a name, from an address, or both.

        Args:
            codes: Which codes are failures.
            since: How far back to look.
            username: The name that was given; empty for any.
            address: Where they came from; empty for anywhere.
            forgiven_by: The code that forgives all failures before it; None for none.
        """
        where: list[Any] = [col(LoginActivity.attempted_at) >= since]
        if username:
            where.append(LoginActivity.username == username)
        if address:
            where.append(LoginActivity.address == address[:64])
        if forgiven_by is not None:
            forgiven = select(func.max(LoginActivity.attempted_at)).where(
                *where, LoginActivity.activity_code == forgiven_by
            )
            last = (await self._session.exec(forgiven)).first()
            if last is not None:
                where.append(col(LoginActivity.attempted_at) > last)
        counted = select(func.count(), func.max(LoginActivity.attempted_at)).where(
            *where, col(LoginActivity.activity_code).in_(codes)
        )
        count, latest = (await self._session.exec(counted)).one()
        return Tries(count, latest)

    async def came_from(self, username: str, address: str, code: int, since: datetime) -> bool:
        """Whether an attempt of this name, from this address, ended with this code."""
        known = select(LoginActivity.id).where(
            LoginActivity.username == username,
            LoginActivity.address == address[:64],
            LoginActivity.activity_code == code,
            col(LoginActivity.attempted_at) >= since,
        )
        return (await self._session.exec(known.limit(1))).first() is not None

    async def renamed(self, old: str, new: str) -> None:
        """Keeps a person's attempts together when the address of the account changes."""
        await self._session.exec(
            update(LoginActivity).where(col(LoginActivity.username) == old).values(username=new)
        )

    async def page(
        self,
        *,
        sort: str,
        limit: int,
        cursor: str,
        username: str = "",
        code: int | None = None,
        address: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Rows[LoginActivity]:
        """One page of the attempts.

        Args:
            sort: ``attempted_at``; ``-`` before it turns the order.
            limit: Attempts of a page.
            cursor: Where the page before ended.
            username: The name that was given.
            code: How they ended.
            address: Where they came from.
            since: Not before this moment.
            until: Before this moment.
        """
        statement = select(LoginActivity)
        if not self._caller.has("view_audit"):
            statement = statement.where(LoginActivity.username == self._caller.name)
        if username:
            statement = statement.where(LoginActivity.username == username)
        if code is not None:
            statement = statement.where(LoginActivity.activity_code == code)
        if address:
            statement = statement.where(LoginActivity.address == address)
        if since is not None:
            statement = statement.where(col(LoginActivity.attempted_at) >= since)
        if until is not None:
            statement = statement.where(col(LoginActivity.attempted_at) < until)
        return await page(
            self._session, statement, LoginActivity, sort=sort, limit=limit, cursor=cursor, sortable=SORTABLE
        )
