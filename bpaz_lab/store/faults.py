"""Faults of databases and drivers as errors of bpaz_lab, in one place.

What a driver says may hold values of rows and addresses, so its text goes no further: an error names the
kind of fault, the table, and the code of the database.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import psycopg
from sqlalchemy import exc
from sqlalchemy.exc import DBAPIError, SQLAlchemyError, StatementError

from bpaz_lab.errors import (
    BpazError,
    Conflict,
    RequestError,
    SchemaOutdated,
    StoreError,
    StoreFull,
    StoreUnavailable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

# How codes of Postgres and names of SQLite begin, the finer ones first.
# https://www.postgresql.org/docs/current/errcodes-appendix.html and https://sqlite.org/rescode.html
_CODES: Final = {
    "taken": ("23505", "23P01", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"),
    "referred": ("23503", "23001", "SQLITE_CONSTRAINT_FOREIGNKEY"),
    "refused": ("23", "SQLITE_CONSTRAINT"),
    "full": ("53100", "25006", "SQLITE_FULL", "SQLITE_READONLY", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHM"),
    "outdated": ("42P01", "42703"),
    "unfit": ("22", "SQLITE_TOOBIG", "SQLITE_MISMATCH"),
    "damaged": ("XX", "SQLITE_CORRUPT", "SQLITE_NOTADB"),
    "away": (
        "08", "25P03", "28", "3D000", "40", "53", "55P03", "57", "58030",
        "SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_PROTOCOL",
    ),
}  # fmt: skip
# A connection that could not be made has no code; libpq's text names host, user and database beside these.
_REASONS: Final = (
    "password authentication failed", "no password supplied", "does not exist", "no pg_hba.conf entry",
    "failed to resolve host", "Connection refused", "timeout expired", "too many clients",
    "too many connections", "starting up", "shutting down", "SSL", "server closed the connection",
)  # fmt: skip
_SAYS: Final[dict[str, tuple[type[BpazError], str, str]]] = {
    "taken": (Conflict, "there is one like that already", "Choose another name, or change that one."),
    "referred": (Conflict, "other things hang on it, or what it belongs to is gone", "Look at it again."),
    "refused": (StoreError, "the database refuses this change", "Look at it again."),
    "full": (
        StoreFull,
        "the disk is full, or the database may only be read",
        "Make room on its disk, or give the right to write; nothing was half-saved.",
    ),
    "outdated": (SchemaOutdated, "the database lacks a table or a column", "Run: bpaz db upgrade"),
    "unfit": (
        RequestError,
        "a value cannot be stored",
        "Numbers must be finite and not too large, texts without NUL and not too long.",
    ),
    "damaged": (StoreError, "the database is damaged", "Bring back a backup: bpaz db restore FILE"),
    "away": (
        StoreUnavailable,
        "the database cannot be reached or is busy",
        "The same request may work in a moment.",
    ),
    "pool": (
        StoreUnavailable,
        "all connections to the database are busy",
        "Try again; see BPAZ_DATABASE_POOL_SIZE.",
    ),
    "other": (StoreError, "the database did not do it", "The server's log tells more."),
}

_ENDED: Final = "This connection is closed"
"""What SQLAlchemy's pool says when each connection that it tried had been ended by the server."""
DRIVERS: Final = (SQLAlchemyError, sqlite3.Error, psycopg.Error)
"""What SQLAlchemy and the drivers raise."""


@contextmanager
def told() -> Iterator[None]:
    """Raises faults of the database as errors of bpaz_lab.

    Raises:
        Conflict: The row is there already, or other rows hang on it.
        StoreUnavailable: The database cannot be reached, is busy, or is going down.
        StoreFull: The disk is full, or the database may only be read.
        SchemaOutdated: A table or column is missing.
        RequestError: A value that this database cannot hold, such as a text with a NUL.
        StoreError: Any other fault.
    """
    try:
        yield
    except DRIVERS as error:
        raise translated(error) from None


def translated(error: SQLAlchemyError | sqlite3.Error | psycopg.Error) -> BpazError:
    """The error of bpaz_lab that says the same as one of SQLAlchemy, or of a driver."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(error, exc.TimeoutError):
        kind = "pool"
    elif isinstance(error, exc.DisconnectionError) or str(error).startswith(_ENDED):
        kind = "away"
    elif isinstance(error, DBAPIError | sqlite3.Error | psycopg.Error):
        kind = _kind(cause, lost=getattr(error, "connection_invalidated", False))
    else:
        kind = "unfit" if isinstance(error, StatementError) else "other"
    cls, message, hint = _SAYS[kind]
    where = (
        _table(cause) or _code(cause) or _reason(cause) or (type(cause).__name__ if kind == "other" else "")
    )
    return cls(f"{message} [{where}]" if where else message, hint=hint)


def _kind(error: BaseException | None, *, lost: bool) -> str:
    code = _code(error)
    for kind, begins in _CODES.items():
        if code.startswith(begins):
            return kind
    if str(error).startswith(("no such table", "no such column")):
        return "outdated"
    if _is_a(error, "DataError"):
        return "unfit"
    # A driver that has no code to give speaks of the connection.
    return "away" if lost or (not code and _is_a(error, "OperationalError", "InterfaceError")) else "other"


def _is_a(error: BaseException | None, *names: str) -> bool:
    """Whether it is one of the driver's own errors of these names (PEP 249)."""
    return any(cls.__name__ in names for cls in type(error).__mro__)


def _code(error: Any) -> str:
    """The five signs of Postgres, or SQLite's name of the fault; empty where the driver has none."""
    return str(getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None) or "")


def _reason(error: Any) -> str:
    """Why there is no connection, in words that name nobody."""
    return next((reason for reason in _REASONS if reason in str(error)), "")


def _table(error: Any) -> str:
    diagnosis = getattr(error, "diag", None)
    if diagnosis is not None:
        return str(diagnosis.table_name or "")
    said = str(error)  # UNIQUE constraint failed: user_credentials.user_id, user_credentials.name
    return said.partition(": ")[2].partition(".")[0] if said.startswith("UNIQUE constraint failed: ") else ""
