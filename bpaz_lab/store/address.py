"""Where the database is, out of the settings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from bpaz_lab.errors import SettingsError

if TYPE_CHECKING:
    from bpaz_lab.settings import Settings

FILE: Final = "bpaz_lab.sqlite3"
_POSTGRES: Final = re.compile(r"postgres(ql)?(\+\w+)?")
_SQLITE: Final = re.compile(r"sqlite(\+\w+)?")


def address(settings: Settings) -> URL:
    """The URL of the database, with the driver that is used here.

    Args:
        settings: ``database_url`` goes first, then ``postgres_host`` and what belongs to it; without both it
            is a file of SQLite in the data folder.

    Raises:
        SettingsError: The URL is none, or of another database; the text never shows it.

    Example:
        >>> from bpaz_lab.settings import Settings
        >>> address(Settings(database_url="postgres://ann@db/lab")).drivername
        'postgresql+psycopg'
    """
    told = settings.database_url.get_secret_value()
    if told:
        return _normal(told)
    if settings.postgres_host:
        return URL.create(
            "postgresql+psycopg",
            username=settings.postgres_user,
            password=settings.postgres_password.get_secret_value() or None,
            host=settings.postgres_host,
            port=settings.postgres_port,
            database=settings.postgres_db,
            query=_options({}),
        )
    return URL.create("sqlite+aiosqlite", database=str(settings.folder / FILE))


def file_of(url: URL) -> Path:
    """The file of a SQLite database."""
    return Path(url.database or "").absolute()


def libpq(url: URL) -> tuple[str, dict[str, str]]:
    """What Postgres' own programs are called with.

    Returns:
        A connection string without the password, and the environment that carries it, so that no list of
        processes shows it.
    """
    _, told = url.get_dialect()().create_connect_args(url)
    password = told.pop("password", None)
    return make_conninfo(**told), {"PGPASSWORD": str(password)} if password else {}


def place(url: URL) -> str:
    """Where the database is, for people to read; without anything secret."""
    if url.drivername.startswith("sqlite"):
        return f"SQLite, {file_of(url)}"
    return f"Postgres, {url.database} on {url.host or url.query.get('host', 'localhost')}"


def _normal(told: str) -> URL:
    try:
        url = make_url(told)
    except (ArgumentError, ValueError):
        raise _wrong("is no URL") from None
    if _SQLITE.fullmatch(url.drivername):
        if not url.database or ":memory:" in url.database or "memory" in url.query.get("mode", ""):
            raise _wrong("names no file; a database in memory would be lost at once")
        return url.set(drivername="sqlite+aiosqlite", database=str(Path(url.database).expanduser()))
    if _POSTGRES.fullmatch(url.drivername):
        return url.set(drivername="postgresql+psycopg", query=_options(dict(url.query)))
    raise _wrong(f"is of {url.drivername!r}, which is not supported")


def _options(query: dict[str, Any]) -> dict[str, Any]:
    """What the seed's settings of asyncpg are called by libpq."""
    if "ssl" in query:
        query["sslmode"] = query.pop("ssl")
    options = str(query.get("options", ""))
    if "jit=" not in options:
        query["options"] = f"{options} -c jit=off".strip()
    return {"application_name": "bpaz_lab"} | query


def _wrong(what: str) -> SettingsError:
    return SettingsError(
        f"BPAZ_DATABASE_URL {what}",
        path="database_url",
        hint="Write postgresql://user:password@host/database or sqlite:///path/to/file.",
    )
