"""What Postgres needs: connections that read and cannot write, and none that the server has ended."""

from __future__ import annotations

from selectors import EVENT_READ, DefaultSelector
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import create_async_engine

if TYPE_CHECKING:
    from sqlalchemy import URL
    from sqlalchemy.ext.asyncio import AsyncEngine


def engine(url: URL, *, wait: float, write: bool, echo: bool = False, **pool: Any) -> AsyncEngine:
    """An engine whose connections either write in transactions, or only read, a statement at a time.

    What reads has connections of its own, so that no statement has to say for each request that it reads,
    nor BEGIN and COMMIT around one SELECT: it is asked once, and answers.

    Args:
        url: The database.
        wait: Seconds to wait for a connection.
        write: Whether it may write; Postgres itself refuses otherwise.
        echo: Whether statements are logged.
        pool: Further settings of the pool.
    """
    reads: dict[str, Any] = {} if write else {"isolation_level": "AUTOCOMMIT"}
    made = create_async_engine(
        url,
        echo=echo,
        hide_parameters=True,
        connect_args={"connect_timeout": max(2, round(wait))},
        **reads,
        **pool,
    )

    @event.listens_for(made.sync_engine, "checkout")
    def lent(connection: Any, _record: Any, _proxy: Any) -> None:
        if _ended(connection.driver_connection):
            raise InvalidatePoolError

    if not write:

        @event.listens_for(made.sync_engine, "connect")
        def connected(connection: Any, _record: Any) -> None:
            cursor = connection.cursor()
            cursor.execute("SET default_transaction_read_only = on")
            cursor.close()
            connection.commit()

    return made


def _ended(connection: Any) -> bool:
    """Whether the server has ended a connection that idles.

    It then has something to read: the end itself, or why. To look costs no way to the server and back, as
    SQLAlchemy's ``pool_pre_ping`` does.
    """
    if connection.closed:
        return True
    with DefaultSelector() as waiting:
        waiting.register(connection.fileno(), EVENT_READ)
        return bool(waiting.select(0))
