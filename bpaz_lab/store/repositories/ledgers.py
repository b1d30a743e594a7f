"""Ledgers in the transaction of a request; what is done is in ``store/ledger.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from bpaz_lab.store.database import Session

T = TypeVar("T")


async def work(session: Session, function: Callable[[Connection], T]) -> T:
    """What a function of ``store/ledger.py`` gives, called with the transaction's connection.

    Args:
        session: The transaction.
        function: Takes the connection.

    Example:
        ``await work(session, lambda it: ledger.read(it, id))``
    """
    return await (await session.connection()).run_sync(function)
