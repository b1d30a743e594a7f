"""What a database needs from time to time: fresh statistics, room given back, what is old forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, func
from sqlmodel import col, select

from bpaz_lab.store.prune import Pruned, prune
from bpaz_lab.store.tables import LoginActivity
from bpaz_lab.store.tables.columns import utcnow

if TYPE_CHECKING:
    from collections.abc import Callable

    from bpaz_lab.store.database import Database

_BATCH: Final = 10_000
"""Rows that are deleted in one transaction, so that nobody waits long for it."""
_PARTS: Final = {
    "sqlite": {"REINDEX": "REINDEX", "ANALYZE": "ANALYZE", "VACUUM": "VACUUM"},
    "postgresql": {
        "REINDEX": "REINDEX SCHEMA CONCURRENTLY public",
        "ANALYZE": "ANALYZE",
        "VACUUM": "VACUUM",
    },
}


@dataclass(frozen=True)
class Maintained:
    """What was done: the rows that are gone, and the statements that ran."""

    login_activity: int
    pruned: Pruned
    statements: list[str]


async def maintain(
    database: Database, *, days: int = 90, reindex: bool = False, tell: Callable[[str], None] = lambda _: None
) -> Maintained:
    """Deletes login activity and executions that are older than some days, and runs ANALYZE and VACUUM.

    Args:
        database: The database; others may go on using it.
        days: Days that login activity is kept; the database's settings say how long executions are.
        reindex: Also rebuilds all indexes.
        tell: Gets a line before each part.

    Raises:
        StoreError: A part was not done; those before it were.
    """
    tell(f"login activity over {days} days")
    gone, before = 0, utcnow() - timedelta(days=days)
    while True:
        old = (
            select(LoginActivity.id)
            .where(func.coalesce(LoginActivity.attempted_at, before) < before)
            .limit(_BATCH)
        )
        async with database.session() as session:
            ids = (await session.exec(old)).all()
            if not ids:
                break
            await session.exec(delete(LoginActivity).where(col(LoginActivity.id).in_(old)))
        gone += len(ids)
    tell("old executions")
    pruned, done = await prune(database, database.settings), []
    for name, statement in _PARTS[database.dialect].items():
        if name != "REINDEX" or reindex:
            tell(name)
            await database.command(statement)
            done.append(statement)
    return Maintained(gone, pruned, done)
