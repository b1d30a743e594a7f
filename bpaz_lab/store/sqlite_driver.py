"""aiosqlite with fewer hand-overs: a statement goes to its connection's thread once, with all that it needs.

aiosqlite hands over each call by itself: the cursor, the statement, its rows, the end of the cursor, and
before them BEGIN. Each costs two switches of threads, more than a small statement does. Here a transaction of
one statement takes two: the statement, which brings BEGIN along and takes its rows back, and COMMIT.
"""

from __future__ import annotations

import sqlite3
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import aiosqlite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def connect(database: str, **options: Any) -> Connection:
    """A connection that is opened when it is awaited, for SQLAlchemy's ``async_creator_fn``.

    Args:
        database: The file.
        options: What ``sqlite3.connect`` takes.
    """
    return Connection(partial(sqlite3.connect, database, **options), iter_chunk_size=64)


class Connection(aiosqlite.Connection):
    """A connection whose statements are handed over once each."""

    def __init__(self, connector: Callable[[], sqlite3.Connection], iter_chunk_size: int) -> None:
        super().__init__(connector, iter_chunk_size)
        self._thread.daemon = True  # a connection that nobody closed does not keep the process
        self._begin = ""

    def begin(self, statement: str) -> None:
        """A transaction begins with the next statement.

        Args:
            statement: How, for instance ``BEGIN IMMEDIATE``.
        """
        self._begin = statement

    async def commit(self) -> None:
        """Commits the transaction, if one has begun."""
        if self.in_transaction:
            await super().commit()
        self._begin = ""

    async def rollback(self) -> None:
        """Takes the transaction back, if one has begun."""
        self._begin = ""
        if self.in_transaction:
            await super().rollback()

    def cursor(self) -> Cursor:  # type: ignore[override]
        """A cursor; nothing is handed over for it."""
        return Cursor(self)

    async def run(self, method: str, statement: str, parameters: Any) -> Result:
        """Executes a statement, after BEGIN where a transaction is to begin, and takes all its rows.

        Args:
            method: ``execute`` or ``executemany``.
            statement: The statement.
            parameters: Its parameters.

        Raises:
            sqlite3.Error: SQLite did not do it.
        """
        done: Result = await self._execute(  # type: ignore[no-untyped-call]
            _done, self._conn, self._begin, method, statement, parameters
        )
        return done


class Cursor:
    """What SQLAlchemy's adapter needs of a cursor; the rows are there as soon as the statement is done."""

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self._rows: list[Any] = []

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, parameters: Any = ()) -> Cursor:
        """Executes a statement."""
        done = await self._connection.run("execute", statement, parameters)
        self.description, self.rowcount, self.lastrowid, self._rows = done
        return self

    async def executemany(self, statement: str, parameters: Iterable[Any]) -> Cursor:
        """Executes a statement once for each of the parameters."""
        done = await self._connection.run("executemany", statement, parameters)
        self.description, self.rowcount, self.lastrowid, self._rows = done
        return self

    async def fetchall(self) -> list[Any]:
        """The rows that have not been fetched."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Lets the rows go."""
        self._rows = []


Result = tuple[Any, int, "int | None", list[Any]]


def _done(connection: sqlite3.Connection, begin: str, method: str, statement: str, parameters: Any) -> Result:
    if begin and not connection.in_transaction:
        connection.execute(begin)
    cursor = connection.cursor()
    try:
        getattr(cursor, method)(statement, parameters)
        rows = cursor.fetchall() if cursor.description else []
        return cursor.description, cursor.rowcount, cursor.lastrowid, rows
    finally:
        cursor.close()
