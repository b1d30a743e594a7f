"""What SQLite needs: a file for its owner alone, its pragmas, and writers that queue instead of colliding."""

from __future__ import annotations

import json
import os
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import event
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from bpaz_lab.errors import StoreFull, StoreUnavailable
from bpaz_lab.store import sqlite_driver
from bpaz_lab.store.mounts import on_network

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import URL, Connection
    from sqlalchemy.ext.asyncio import AsyncEngine

LOG_LIMIT: Final = 1 << 20
"""Bytes that the log keeps when it begins anew; one large value would leave it as large for ever."""


def prepare(file: Path, *, own_folder: bool) -> None:
    """Makes the file and its folder, for their owner alone.

    Args:
        file: The database; SQLite gives its journals the same mode.
        own_folder: Whether the folder is bpaz_lab's; another's folder keeps its mode.

    Raises:
        StoreFull: There is no room, or no right to write.
        StoreUnavailable: The folder cannot be.
    """
    try:
        made = not file.parent.exists()
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if made or own_folder:
            file.parent.chmod(0o700)
        if not file.exists():
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
        if file.stat().st_mode & 0o077:
            file.chmod(0o600)
    except OSError as error:
        kind = StoreFull if isinstance(error, PermissionError) or error.errno in (28, 30, 122) else None
        raise (kind or StoreUnavailable)(
            f"{file} cannot be made: {error.strerror}", hint="Check BPAZ_DATA_FOLDER or BPAZ_DATABASE_URL."
        ) from None


def engine(
    url: URL, *, wait: float, write: bool, foreign_keys: bool = True, echo: bool = False, **pool: Any
) -> AsyncEngine:
    """An engine whose transactions are as they should be.

    A writer begins IMMEDIATE, which takes the right to write at once: two transactions that read first and
    write later would otherwise lock each other out, and one would have to fail
    (https://sqlite.org/lang_transaction.html). There is one writer in a process; others wait in its pool.
    A reader begins none: each of its statements sees what was committed before it, as with Postgres.

    Args:
        url: The database.
        wait: Seconds to wait for another process.
        write: Whether it may write; SQLite itself refuses otherwise.
        foreign_keys: Off only while tables are rebuilt.
        echo: Whether statements are logged.
        pool: Further settings of the pool.
    """
    made = create_async_engine(
        url,
        hide_parameters=True,
        echo=echo,
        json_serializer=partial(json.dumps, allow_nan=False),  # Postgres refuses NaN by itself
        connect_args={"isolation_level": None, "timeout": wait, "async_creator_fn": sqlite_driver.connect},
        **(pool or {"poolclass": NullPool}),
    )

    @event.listens_for(made.sync_engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA recursive_triggers = OFF")
        cursor.execute(f"PRAGMA journal_size_limit = {LOG_LIMIT}")
        if not write:
            cursor.execute("PRAGMA query_only = ON")
        cursor.close()

    if write:

        @event.listens_for(made.sync_engine, "begin")
        def begun(connection: Connection) -> None:
            driver: Any = connection.connection.driver_connection
            driver.begin("BEGIN IMMEDIATE")

    return made


async def set_journal(engine: AsyncEngine, file: Path) -> str:
    """Chooses how SQLite keeps transactions whole: WAL, or its rollback journal on a network file system.

    Returns:
        The mode, ``wal`` or ``delete``.
    """
    wanted = "delete" if on_network(file) else "wal"
    async with engine.connect() as connection:
        raw: Any = (await connection.get_raw_connection()).driver_connection
        async with raw.execute("PRAGMA journal_mode") as cursor:
            mode: str = (await cursor.fetchone())[0]
        if mode != wanted:
            async with raw.execute(f"PRAGMA journal_mode = {wanted}") as cursor:
                mode = (await cursor.fetchone())[0]
    return mode
