"""The ledger of a run that a process keeps in the database itself, without a server between.

Example:
    steps = DirectSteps(Settings.read(), user_id, run.id, epoch, make=StepRow)
    steps.write([sealed(run.id, row)], {})
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from uuid import UUID

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from bpaz_lab.store import faults, ledger
from bpaz_lab.store.address import address, file_of
from bpaz_lab.store.sqlite import LOG_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from sqlalchemy import URL, Connection, Engine

    from bpaz_lab.settings import Settings

Row = TypeVar("Row", bound=tuple[Any, ...])

_PATIENCE: Final = 100
"""Milliseconds that closing waits for others before it leaves the log to them."""
_OF_THE_PARENT: Final[list[Any]] = []
"""Connections that a fork left here: to close one would end it, or its locks, in the process that uses it."""


class DirectSteps(Generic[Row]):
    """Implements ``engine.steps.Steps`` on one connection that stays open.

    After a fault, and in a process that was forked, the next call opens another one.

    Args:
        settings: Where the database is.
        user_id: Who asks; the run must be theirs.
        run_id: The execution, as hex.
        epoch: The one that the holder was given; it takes none to read.
        make: Makes a row of its fields: ``engine.steps.StepRow``.

    Attributes:
        run_id: The execution, as hex.
        epoch: The one that is written under.
    """

    _open: Connection | None
    _process: int
    _alone: threading.Lock

    def __init__(
        self, settings: Settings, user_id: UUID, run_id: str, epoch: int, *, make: Callable[..., Row]
    ) -> None:
        self.run_id = run_id
        self.epoch = epoch
        self._id = UUID(run_id)
        self._user_id = user_id
        self._make = make
        self._settings = settings
        self._large = False
        self._begin_anew()

    def read(self) -> list[Row]:
        """All rows, as they are.

        Raises:
            NotFound: The person has no such execution.
            StoreError: They cannot be read.
        """
        with self._transaction(write=False) as connection:
            return [self._make(**row) for row in ledger.read(connection, self._id)]

    def part(self, digest: str) -> bytes:
        """One large piece.

        Raises:
            NotFound: The person has none of that name.
            StoreError: It cannot be read.
        """
        with self._transaction(write=False) as connection:
            return ledger.part(connection, self._user_id, digest)

    def lacking(self, digests: Collection[str]) -> set[str]:
        """Those of these pieces that are not kept yet.

        Raises:
            StoreError: The database does not say.
        """
        with self._transaction() as connection:
            return ledger.lacking(connection, self._user_id, digests)

    def write(self, rows: Sequence[Row], parts: Mapping[str, bytes]) -> None:
        """Keeps rows and pieces, all of them or nothing.

        Raises:
            LeaseLost: Somebody else holds the execution.
            IntegrityError: A row names a piece that is neither kept nor among these.
            StoreError: It is not kept.
        """
        with self._transaction() as connection:
            ledger.write(connection, self._id, self.epoch, rows, parts)
        self._large |= bool(parts)

    def beat(self) -> None:
        """Says that the holder is there.

        Raises:
            LeaseLost: Somebody else holds the execution.
            StoreError: The database does not take it.
        """
        with self._transaction() as connection:
            ledger.beat(connection, self._id, self.epoch)

    def close(self) -> None:
        """Lets go of the connection; after large pieces SQLite's log shrinks, unless others are reading."""
        self._know_process()
        with self._alone:
            connection, self._open = self._open, None
            if connection is None:
                return
            try:
                if connection.dialect.name == "sqlite" and self._large:
                    raw: Any = connection.connection.dbapi_connection
                    raw.execute(f"PRAGMA busy_timeout = {_PATIENCE}")
                    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except faults.DRIVERS:  # what is kept is kept; the log is only larger than it need be
                pass
            finally:
                _drop(connection)

    @contextmanager
    def _transaction(self, *, write: bool = True) -> Iterator[Connection]:
        self._know_process()
        with self._alone, faults.told():
            connection = self._open = self._open or self._connected()
            try:
                with connection.begin():
                    if connection.dialect.name == "sqlite":  # the driver begins none by itself
                        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
                    yield connection
            except faults.DRIVERS:
                self._open = None
                _drop(connection)
                raise

    def _know_process(self) -> None:
        if self._process != os.getpid():
            _OF_THE_PARENT.append(self._open)
            self._begin_anew()

    def _begin_anew(self) -> None:
        self._open = None
        self._process = os.getpid()
        self._alone = threading.Lock()

    def _connected(self) -> Connection:
        told = self._settings
        connection = _engine(address(told), told.database_pool_timeout, told.lease).connect()
        try:
            with connection.begin():
                ledger.demand_owner(connection, self._id, self._user_id)
        except BaseException:
            _drop(connection)
            raise
        return connection


@lru_cache(maxsize=8)  # it knows the database's kind, and holds no connection
def _engine(url: URL, wait: float, lease: float) -> Engine:
    """Makes connections whose transactions are as those of ``store/database.py``."""
    if url.drivername.startswith("sqlite"):
        uri = f"{file_of(url).as_uri()}?mode=rw"
        return create_engine(
            "sqlite://", poolclass=NullPool, hide_parameters=True, creator=partial(_sqlite, uri, wait)
        )
    # A process that was stopped in a transaction would keep the run from everybody who takes it over.
    stopped = f"-c idle_in_transaction_session_timeout={round(lease * 1000)}"
    url = url.update_query_dict({"options": f"{url.query.get('options', '')} {stopped}".strip()})
    told = {"connect_timeout": max(2, round(wait))}
    return create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=told)


def _sqlite(uri: str, wait: float) -> sqlite3.Connection:
    made = sqlite3.connect(uri, uri=True, timeout=wait, isolation_level=None, check_same_thread=False)
    # Each write has seen its execution, and whose it is; SQLite would look both up again for each row.
    made.executescript(
        "PRAGMA foreign_keys = OFF; PRAGMA synchronous = FULL; PRAGMA recursive_triggers = OFF;"
        f"PRAGMA journal_size_limit = {LOG_LIMIT};"
    )
    return made


def _drop(connection: Connection) -> None:
    try:
        connection.close()
    except faults.DRIVERS:  # it was broken already
        connection.invalidate()
