"""What an administrator looks at: slow queries, indexes, churn of tables, connections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import inspect, text

from bpaz_lab.store.address import file_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bpaz_lab.store.database import Database, Session


@dataclass(frozen=True)
class Table:
    """One table of figures.

    Attributes:
        title: What it tells.
        columns: The names of the columns.
        rows: The figures.
        note: What else to know, where there are no rows.
    """

    title: str
    columns: list[str]
    rows: list[tuple[Any, ...]]
    note: str = ""


_SLOW: Final = """
SELECT calls, round(total_exec_time::numeric, 1) AS total_ms, round(mean_exec_time::numeric, 2) AS mean_ms,
       rows, left(regexp_replace(query, '\\s+', ' ', 'g'), 120) AS query
FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY mean_exec_time DESC LIMIT 10
"""
_POSTGRES: Final = {
    "Indexes by use": """
SELECT relname AS table, indexrelname AS index, idx_scan AS scans, idx_tup_read AS read,
       idx_tup_fetch AS fetched, pg_size_pretty(pg_relation_size(indexrelid)) AS size
FROM pg_stat_user_indexes ORDER BY idx_scan DESC, relname, indexrelname
""",
    "Tables by rows": """
SELECT relname AS table, n_tup_ins AS inserted, n_tup_upd AS updated, n_tup_del AS deleted,
       n_live_tup AS live, n_dead_tup AS dead, pg_size_pretty(pg_total_relation_size(relid)) AS size,
       coalesce(last_autovacuum, last_vacuum)::timestamp(0) AS vacuumed
FROM pg_stat_user_tables ORDER BY n_live_tup DESC, relname
""",
    "Connections": """
SELECT coalesce(application_name, '') AS application, coalesce(state, 'background') AS state,
       count(*) AS count, current_setting('max_connections') AS of_at_most
FROM pg_stat_activity WHERE datname = current_database() GROUP BY 1, 2 ORDER BY 3 DESC
""",
    "Transactions": """
SELECT numbackends AS connections, xact_commit AS committed, xact_rollback AS rolled_back,
       blks_read AS blocks_read, blks_hit AS blocks_hit, pg_size_pretty(pg_database_size(datname)) AS size
FROM pg_stat_database WHERE datname = current_database()
""",
}
_OFF: Final = (
    "pg_stat_statements is off: add it to shared_preload_libraries, then CREATE EXTENSION pg_stat_statements"
)
_HAS_SLOW: Final = "SELECT 1 FROM pg_extension WHERE extname = 'pg_stat_statements'"


async def stats(database: Database) -> list[Table]:
    """The figures of a database.

    Raises:
        StoreError: It does not tell.
    """
    async with database.session(read_only=True) as session:
        if database.dialect == "sqlite":
            connection = await session.connection()
            return [_file(database, await connection.run_sync(_pragmas)), await connection.run_sync(_counts)]
        return [
            await _slow(session),
            *[await _table(session, title, query) for title, query in _POSTGRES.items()],
        ]


async def _slow(session: Session) -> Table:
    connection = await session.connection()
    if not (await connection.execute(text(_HAS_SLOW))).first():
        return Table("Slow queries", [], [], _OFF)
    return await _table(session, "Slow queries", _SLOW)


async def _table(session: Session, title: str, query: str) -> Table:
    found = await (await session.connection()).execute(text(query))
    return Table(title, list(found.keys()), [tuple(row) for row in found])


def _pragmas(connection: Connection) -> dict[str, Any]:
    names = ("journal_mode", "page_count", "page_size", "freelist_count")
    return {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names}


def _file(database: Database, told: dict[str, Any]) -> Table:
    size, free = told["page_count"] * told["page_size"], told["freelist_count"] * told["page_size"]
    row = (str(file_of(database.url)), told["journal_mode"], size, free)
    return Table("File", ["file", "journal", "bytes", "free bytes"], [row])


def _counts(connection: Connection) -> Table:
    inspector = inspect(connection)
    quote = connection.dialect.identifier_preparer.quote
    rows = [
        (
            name,
            connection.exec_driver_sql(f"SELECT count(*) FROM {quote(name)}").scalar_one(),  # noqa: S608
            len(inspector.get_indexes(name)),
        )
        for name in inspector.get_table_names()
    ]
    return Table("Tables by rows", ["table", "rows", "indexes"], sorted(rows, key=lambda row: -row[1]))
