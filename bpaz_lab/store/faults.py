"""Faults of databases and drivers as errors of bpaz_lab, in one place.

What a driver says may hold values of rows and addresses, so its text goes no further: an error names the
kind of fault, the table, and the code of the database.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import exc
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError, StatementError

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

# https://www.postgresql.org/docs/current/errcodes-appendix.html and https://sqlite.org/rescode.html
_TAKEN: Final = ("23505", "23P01", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY")
_REFERRED: Final = ("23503", "23001", "SQLITE_CONSTRAINT_FOREIGNKEY")
_FULL: Final = ("53100", "25006", "SQLITE_FULL", "SQLITE_READONLY", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHM")
_AWAY: Final = (
    "08", "53", "57", "40", "55P03", "58030", "3D000", "28",
    "SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_PROTOCOL",
)  # fmt: skip
_OUTDATED: Final = ("42P01", "42703")
_UNFIT: Final = ("22", "SQLITE_TOOBIG", "SQLITE_MISMATCH")
_BROKEN: Final = ("XX", "SQLITE_CORRUPT", "SQLITE_NOTADB")


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
    except SQLAlchemyError as error:
        raise translated(error) from None


def translated(error: SQLAlchemyError) -> BpazError:
    """The error of bpaz_lab that says the same as one of SQLAlchemy."""
    if isinstance(error, exc.TimeoutError):
        return StoreUnavailable(
            "all connections to the database are busy", hint="Try again; see database_pool_size."
        )
    if not isinstance(error, DBAPIError):
        return _unfit() if isinstance(error, StatementError) else StoreError(_named(error))
    code, table = _code(error.orig), _table(error.orig)
    of = f" ({table})" if table else ""
    if code.startswith(_TAKEN):
        return Conflict(
            f"there is one like that already{of}", hint="Choose another name, or change that one."
        )
    if code.startswith(_REFERRED):
        return Conflict(
            f"other things hang on it, or what it belongs to is gone{of}", hint="Look at it again."
        )
    if code.startswith(_FULL):
        return StoreFull(
            f"the disk is full, or the database may only be read [{code}]",
            hint="Make room on its disk, or give the right to write; nothing was half-saved.",
        )
    return _other(error, code)


def _other(error: DBAPIError, code: str) -> BpazError:
    if (
        code.startswith(_OUTDATED)
        or "no such table" in str(error.orig)
        or "no such column" in str(error.orig)
    ):
        return SchemaOutdated("the database lacks a table or a column", hint="Run: bpaz db upgrade")
    if code.startswith(_UNFIT) or isinstance(error.orig, _driver_error(error, "DataError")):
        return _unfit()
    if code.startswith(_BROKEN):
        return StoreError(
            f"the database is damaged [{code}]", hint="Bring back a backup: bpaz db restore FILE"
        )
    if code.startswith(_AWAY) or error.connection_invalidated or (not code and _lost(error)):
        return StoreUnavailable(
            f"the database cannot be reached or is busy{f' [{code}]' if code else ''}",
            hint="The same request may work in a moment.",
        )
    if isinstance(error, IntegrityError):
        return StoreError(f"the database refuses this change [{code}]", hint="Look at it again.")
    return StoreError(_named(error, code), hint="The server's log tells more.")


def _lost(error: DBAPIError) -> bool:
    """Whether a driver that has no code to give says that there is no connection."""
    return isinstance(
        error.orig, (_driver_error(error, "OperationalError"), _driver_error(error, "InterfaceError"))
    )


def _driver_error(error: DBAPIError, name: str) -> type[BaseException]:
    """The driver's own class of that name (PEP 249)."""
    for cls in type(error.orig).__mro__:
        if cls.__name__ == name:
            return cls
    return _Never


class _Never(BaseException):
    """No error is one of these."""


def _code(error: Any) -> str:
    """The five signs of Postgres, or SQLite's name of the fault; empty where the driver has none."""
    return str(getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None) or "")


def _table(error: Any) -> str:
    diagnosis = getattr(error, "diag", None)
    if diagnosis is not None:
        return str(diagnosis.table_name or "")
    said = str(error)  # UNIQUE constraint failed: user_credentials.user_id, user_credentials.name
    return said.partition(": ")[2].partition(".")[0] if said.startswith("UNIQUE constraint failed: ") else ""


def _unfit() -> RequestError:
    return RequestError(
        "a value cannot be stored", hint="Numbers must be finite, texts without NUL, and short."
    )


def _named(error: SQLAlchemyError, code: str = "") -> str:
    return f"the database did not do it: {type(error).__name__}{f' [{code}]' if code else ''}"
