"""The database: SQLite for one person, Postgres for a team; the rest of the product sees no difference."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession as Session

from bpaz_lab.store import faults, postgres, schema, sqlite
from bpaz_lab.store.address import address, file_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from sqlalchemy import Connection

    from bpaz_lab.settings import Settings

__all__ = ["Database", "Session"]

Result = TypeVar("Result")


class Database:
    """The database of an installation.

    A server may start while its database is away: the first session tries again, and says what is wrong
    until it is right.

    Args:
        settings: Where it is, and how many connections it may have.

    Attributes:
        dialect: ``sqlite`` or ``postgresql``.
        url: Its address; printing it hides the password.

    Example:
        >>> import asyncio, tempfile
        >>> from sqlmodel import select
        >>> from bpaz_lab.settings import Settings
        >>> from bpaz_lab.store.tables import Role
        >>> async def names(folder):
        ...     database = Database.of(Settings(data_folder=folder))
        ...     async with database.session() as session:
        ...         found = (await session.exec(select(Role.name).order_by(Role.name))).all()
        ...     await database.close()
        ...     return found
        >>> asyncio.run(names(tempfile.mkdtemp()))
        ['admin', 'user', 'viewer']
    """

    def __init__(self, settings: Settings) -> None:
        self.url = address(settings)
        self.dialect: Literal["sqlite", "postgresql"] = (
            "sqlite" if self.url.drivername.startswith("sqlite") else "postgresql"
        )
        self.settings = settings
        self._starting = asyncio.Lock()
        self._started = False
        if self.dialect == "sqlite":
            self._writer, self._reader = self._sqlite(write=True), self._sqlite(write=False)
        else:
            self._writer, self._reader = self._postgres(write=True), self._postgres(write=False)
        self._sessions = {
            read_only: async_sessionmaker(engine, class_=Session, expire_on_commit=False)
            for read_only, engine in ((False, self._writer), (True, self._reader))
        }

    @classmethod
    def of(cls, settings: Settings) -> Database:
        """The database that the settings name; nothing is opened yet.

        Raises:
            SettingsError: The settings name none.
        """
        return cls(settings)

    async def start(self) -> None:
        """Opens it and sees to its tables: SQLite is brought up to date, Postgres is looked at.

        Raises:
            SchemaOutdated: The tables are older (Postgres) or newer than this version of bpaz_lab.
            StoreUnavailable: It cannot be reached.
            StoreFull: SQLite has no room, or no right to write.
        """
        async with self._starting:
            if self._started:
                return
            if self.dialect == "sqlite":
                file = file_of(self.url)
                sqlite.prepare(file, own_folder=file.parent == self.settings.folder.absolute())
            with faults.told():
                if self.dialect == "sqlite":
                    await sqlite.set_journal(self._writer, file_of(self.url))
                    await self._upgrade_sqlite()
                else:
                    async with self._reader.connect() as connection:
                        await connection.run_sync(schema.demand_current)
            self._started = True

    async def close(self) -> None:
        """Closes all connections; a session that is asked for afterwards opens them again."""
        self._started = False
        await self._writer.dispose()
        await self._reader.dispose()

    @asynccontextmanager
    async def session(self, *, read_only: bool = False) -> AsyncIterator[Session]:
        """One transaction: committed at the end, rolled back at an error.

        Args:
            read_only: The database refuses to write. There is no transaction then: each statement sees what
                was committed before it, and SQLite's readers do not wait for its writer.

        Raises:
            Conflict: A row is there already, or others hang on it.
            StoreUnavailable: The database cannot be reached or is busy.
            StoreFull: The disk is full, or the database may only be read.
            StoreError: Another fault; see ``store/faults.py``.
        """
        if not self._started:
            await self.start()
        with faults.told():
            async with self._sessions[read_only]() as session:
                yield session
                await session.commit()

    async def ping(self) -> None:
        """Asks the database for a sign of life.

        Raises:
            StoreUnavailable: There is none.
        """
        async with self.session(read_only=True) as session:
            await (await session.connection()).execute(text("SELECT 1"))

    async def migrate(self, work: Callable[[Connection], Result]) -> Result:
        """Does work on the tables in one transaction; no other process migrates at the same time.

        Args:
            work: A function of ``store/schema.py``; it gets the connection.

        Raises:
            StoreError: It was not done, and nothing is changed.
        """
        if self.dialect == "sqlite":
            sqlite.prepare(file_of(self.url), own_folder=False)
            engine = self._sqlite(write=True, migrates=True)
        else:
            engine = self._postgres(write=True)
        try:
            with faults.told():
                async with engine.begin() as connection:
                    return await connection.run_sync(schema.alone, work)
        finally:
            await engine.dispose()

    async def command(self, *statements: str) -> None:
        """Runs statements that stand in no transaction, such as VACUUM.

        Raises:
            StoreError: One was not done; those before it were.
        """
        with faults.told():
            async with self._writer.connect() as connection:
                if self.dialect == "postgresql":
                    await connection.execution_options(isolation_level="AUTOCOMMIT")
                    run: Callable[[str], Awaitable[object]] = connection.exec_driver_sql
                else:  # SQLAlchemy would begin a transaction
                    raw: Any = (await connection.get_raw_connection()).driver_connection
                    run = raw.execute
                for statement in statements:
                    await run(statement)

    async def _upgrade_sqlite(self) -> None:
        async with self._reader.connect() as connection:
            if await connection.run_sync(schema.state) == "current":
                return
        await self.migrate(schema.bring_up)

    def _sqlite(self, *, write: bool, migrates: bool = False) -> AsyncEngine:
        settings = self.settings
        size = 1 if write else settings.database_pool_size
        pool = {"pool_size": size, "max_overflow": 0, "pool_timeout": settings.database_pool_timeout}
        return sqlite.engine(
            self.url,
            wait=settings.database_pool_timeout,
            write=write,
            foreign_keys=not migrates,
            echo=settings.debug,
            **({} if migrates else pool),
        )

    def _postgres(self, *, write: bool) -> AsyncEngine:
        settings = self.settings
        return postgres.engine(
            self.url,
            wait=settings.database_pool_timeout,
            write=write,
            echo=settings.debug,
            pool_size=_half(settings.database_pool_size) or 1,
            max_overflow=_half(settings.database_max_overflow),
            pool_timeout=settings.database_pool_timeout,
            pool_recycle=settings.database_pool_recycle,
        )


def _half(connections: int) -> int:
    """Those that write, and as many that read."""
    return (connections + 1) // 2
