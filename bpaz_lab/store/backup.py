"""Backups: compressed, kept 30 days, brought back row for row.

SQLite is copied by its backup interface, Postgres by its own programs ``pg_dump`` and ``pg_restore``.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Final

from bpaz_lab.errors import Conflict, StoreError, StoreFull
from bpaz_lab.store import faults, schema, sqlite_copy
from bpaz_lab.store.address import file_of, libpq

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bpaz_lab.store.database import Database

DAYS: Final = 30
_ENDINGS: Final = {"sqlite": ".sqlite3.gz", "postgresql": ".dump"}
_PROGRAMS: Final = (
    "Install Postgres' programs, of the server's version or later: apt install postgresql-client"
)


def folder(database: Database) -> Path:
    """Where backups go by default: beside SQLite's file, or into the data folder."""
    if database.dialect == "sqlite":
        return sqlite_copy.folder_for(file_of(database.url))
    return sqlite_copy.folder_for(database.settings.folder / "x")


async def back_up(
    database: Database, into: Path | None = None, *, tell: Callable[[str], None] = lambda _: None
) -> Path:
    """Makes a backup while everything goes on.

    Args:
        database: The database; it need not be started.
        into: The folder; by default `folder`.
        tell: Gets a line of progress from time to time.

    Returns:
        The file, which only its owner may read.

    Raises:
        StoreUnavailable: The database cannot be reached.
        StoreFull: There is no room.
        StoreError: A program is missing, or says why not.
    """
    place = folder(database) if into is None else into
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = file_of(database.url).stem if database.dialect == "sqlite" else database.url.database or "postgres"
    to = place / f"{name}-{sqlite_copy.stamp()}{_ENDINGS[database.dialect]}"
    with faults.told():
        if database.dialect == "sqlite":
            if not file_of(database.url).exists():
                raise StoreError(f"there is no database yet: {file_of(database.url)}")
            return await asyncio.to_thread(sqlite_copy.pack, file_of(database.url), to, tell)
    return await asyncio.to_thread(_dump, database, to)


def prune(place: Path, days: int = DAYS) -> list[Path]:
    """Removes backups that are older than some days; the latest stays, however old it is.

    Returns:
        What was removed.
    """
    found = sorted(
        (file for file in place.iterdir() if file.name.endswith(tuple(_ENDINGS.values()))),
        key=lambda file: file.stat().st_mtime,
    )
    old = [file for file in found[:-1] if file.stat().st_mtime < time.time() - days * 86400]
    for file in old:
        file.unlink()
    return old


async def restore(
    database: Database, file: Path, *, force: bool = False, tell: Callable[[str], None] = lambda _: None
) -> None:
    """Brings a backup back, row for row, into a database of the same kind.

    Args:
        database: Where to.
        file: What `back_up` made.
        force: Also into a database that has rows, which are then gone.
        tell: Gets a line of progress from time to time.

    Raises:
        Conflict: The database has rows.
        SchemaOutdated: The backup is of a newer version of bpaz_lab.
        StoreError: The file is no backup of this kind of database, or was damaged; nothing is changed.
    """
    rows = await database.migrate(schema.rows)
    if rows and not force:
        raise Conflict(
            f"the database has {rows} rows, which would be lost",
            hint="Restore into an empty database, or say --force.",
        )
    with faults.told():
        if database.dialect == "sqlite":
            await asyncio.to_thread(sqlite_copy.unpack, file, file_of(database.url), tell)
        else:
            await asyncio.to_thread(_load, database, file)


def _dump(database: Database, to: Path) -> Path:
    told, secret = libpq(database.url)
    try:
        with sqlite_copy.written(to) as part:
            _run(
                "pg_dump",
                ["--format=custom", "--no-owner", "--no-privileges", f"--file={part}", told],
                secret,
            )
    except OSError as error:
        raise StoreFull(f"{to} cannot be written: {error.strerror}", hint="Make room on its disk.") from None
    return to


def _load(database: Database, file: Path) -> None:
    try:
        with file.open("rb") as start:
            begins = start.read(5)
    except OSError as error:
        raise StoreError(f"{file} cannot be read: {error.strerror}", hint="Check the path.") from None
    if begins != b"PGDMP":
        raise StoreError(f"{file} is no backup of Postgres", hint="Take a file that bpaz db backup made.")
    told, secret = libpq(database.url)
    careful = ["--single-transaction", "--exit-on-error", "--clean", "--if-exists"]
    _run("pg_restore", [*careful, "--no-owner", "--no-privileges", f"--dbname={told}", str(file)], secret)


def _run(program: str, words: list[str], secret: dict[str, str]) -> None:
    path = shutil.which(program)
    if path is None:
        raise StoreError(f"the program {program} is not on the PATH", hint=_PROGRAMS)
    done = subprocess.run(  # noqa: S603 (its words are ours)
        [path, *words], env={**os.environ, **secret}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise StoreError(
            f"{program}: {said[0].removeprefix(f'{program}: ').removeprefix('error: ')[:300]}",
            hint=_PROGRAMS if "version mismatch" in done.stderr else "Nothing was changed.",
        )
