"""The commands ``bpaz db``: versions of the tables, backups, upkeep and figures."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bpaz_lab.errors import InputError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Awaitable, Callable

    from bpaz_lab.store.database import Database


def add(commands: Any) -> None:
    """Adds ``db`` and its commands to those of the command line."""
    db = commands.add_parser("db", help="the database: versions, backups, upkeep, figures")
    parts = db.add_subparsers(required=True, metavar="COMMAND")

    upgrade = _part(parts, "upgrade", _upgrade, "bring the tables to this version of bpaz_lab")
    upgrade.add_argument("revision", nargs="?", default="head", help="a version; the latest by default")

    downgrade = _part(parts, "downgrade", _downgrade, "bring the tables back to an earlier version")
    downgrade.add_argument("revision", nargs="?", default="-1", help="a version, or -N for N versions back")
    downgrade.add_argument("--yes", action="store_true", help="do not ask")

    _part(parts, "current", _current, "say which version the tables have")
    _part(parts, "history", _history, "list all versions")

    revision = _part(parts, "revision", _revision, "write a migration from what differs (for developers)")
    revision.add_argument("-m", "--message", required=True, help="what it brings")

    _part(parts, "check", _check, "compare the tables of the database with those of the code")

    backup = _part(parts, "backup", _backup, "make a compressed backup")
    backup.add_argument(
        "--to", type=Path, metavar="FOLDER", help="where to; 'backups' in the data folder by default"
    )
    backup.add_argument("--keep", type=_days, default=30, metavar="DAYS", help="remove older ones there (30)")

    restore = _part(parts, "restore", _restore, "bring a backup back")
    restore.add_argument("file", help="what 'bpaz db backup' made")
    restore.add_argument(
        "--force", action="store_true", help="also where there are rows, which are then gone"
    )

    maintain = _part(parts, "maintain", _maintain, "what is old deleted, ANALYZE, VACUUM")
    maintain.add_argument("--reindex", action="store_true", help="also rebuild all indexes")
    maintain.add_argument(
        "--days", type=_days, metavar="N", help="days that login activity is kept; BPAZ_LOGIN_ACTIVITY_DAYS"
    )

    _part(parts, "stats", _stats, "show slow queries, use of indexes, churn of tables, connections")


def _part(parts: Any, name: str, work: Callable[..., Awaitable[int]], help: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = parts.add_parser(name, help=help)
    parser.set_defaults(command=lambda parsed: _with_database(work, parsed))
    return parser


def _days(told: str) -> int:
    days = int(told)
    if days < 1:
        raise ValueError(told)
    return days


def _with_database(work: Callable[..., Awaitable[int]], parsed: argparse.Namespace) -> int:
    from bpaz_lab.settings import Settings
    from bpaz_lab.store.database import Database

    async def main() -> int:
        database = Database.of(Settings.read())
        try:
            return await work(database, parsed)
        finally:
            await database.close()

    return asyncio.run(main())


async def _upgrade(database: Database, parsed: argparse.Namespace) -> int:
    from bpaz_lab.store import schema

    before = await database.migrate(schema.current)
    if before and database.dialect == "sqlite" and before != schema.head():
        await _save_first(database)
    await database.migrate(lambda connection: schema.upgrade(connection, parsed.revision))
    await _told_change(database, before)
    return 0


async def _downgrade(database: Database, parsed: argparse.Namespace) -> int:
    from bpaz_lab.store import schema

    if not parsed.yes and not _sure("What only the later version keeps will be lost. Go on?"):
        return 1
    before = await database.migrate(schema.current)
    if database.dialect == "sqlite":
        await _save_first(database)
    await database.migrate(lambda connection: schema.downgrade(connection, parsed.revision))
    await _told_change(database, before)
    return 0


async def _current(database: Database, _parsed: argparse.Namespace) -> int:
    from bpaz_lab.store import schema
    from bpaz_lab.store.address import place

    state = await database.migrate(schema.state)
    version = await database.migrate(schema.current) or "no tables yet"
    says = {"empty": "", "current": " (current)", "older": " (older: bpaz db upgrade)", "newer": " (newer)"}
    print(f"{place(database.url)}: {version}{says[state]}")
    return 0


async def _history(_database: Database, _parsed: argparse.Namespace) -> int:
    from bpaz_lab.store import schema

    for version, brings in schema.history():
        print(f"{version}  {brings}")
    return 0


async def _revision(database: Database, parsed: argparse.Namespace) -> int:
    from bpaz_lab.store import schema

    print(await database.migrate(lambda connection: schema.revision(connection, parsed.message)))
    return 0


async def _check(database: Database, _parsed: argparse.Namespace) -> int:
    from bpaz_lab.store import schema

    found = await database.migrate(schema.drift)
    for each in found:
        print(each)
    print(f"{len(found)} differences" if found else "no differences")
    return 1 if found else 0


async def _backup(database: Database, parsed: argparse.Namespace) -> int:
    from bpaz_lab.store import backup

    to = parsed.to or backup.folder(database)
    _tell("backing up")
    made = await backup.back_up(database, to, tell=_tell)
    print(made)
    for old in backup.prune(to, parsed.keep):
        _tell(f"removed {old.name}, older than {parsed.keep} days")
    return 0


async def _restore(database: Database, parsed: argparse.Namespace) -> int:
    from bpaz_lab.store import backup, schema

    await backup.restore(database, Path(parsed.file), force=parsed.force, tell=_tell)
    rows, state = await database.migrate(schema.rows), await database.migrate(schema.state)
    print(f"restored {rows} rows")
    if state == "older":
        _tell("The backup is of an older version. Run: bpaz db upgrade")
    return 0


async def _maintain(database: Database, parsed: argparse.Namespace) -> int:
    from bpaz_lab.store.maintain import maintain

    days = parsed.days or database.settings.login_activity_days
    done = await maintain(database, days=days, reindex=parsed.reindex, tell=_tell)
    executions, ledgers, parts = done.pruned
    print(
        f"deleted {done.login_activity} rows of login activity, {executions} executions, {ledgers} ledgers, "
        f"{parts} pieces of values; done: {', '.join(done.statements)}"
    )
    return 0


async def _stats(database: Database, _parsed: argparse.Namespace) -> int:
    from bpaz_lab.store.stats import stats

    for number, table in enumerate(await stats(database)):
        print(f"{'' if not number else chr(10)}{table.title}")
        print(_drawn(table.columns, table.rows) if table.rows else f"  {table.note or 'nothing yet'}")
    return 0


def _drawn(columns: list[str], rows: list[tuple[Any, ...]]) -> str:
    """A table as text: numbers to the right, all else to the left."""
    cells = [columns, *[["" if cell is None else str(cell) for cell in row] for row in rows]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    number = [all(isinstance(row[at], int | float) for row in rows) for at in range(len(columns))]
    return "\n".join(
        "  " + "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, number, strict=True)
        ).rstrip()
        for line in cells
    )  # fmt: skip


async def _save_first(database: Database) -> None:
    from bpaz_lab.store import backup

    _tell(f"backed up into {await backup.back_up(database)}")


async def _told_change(database: Database, before: str) -> None:
    from bpaz_lab.store import schema

    after = await database.migrate(schema.current)
    was = f", and were at {before}" if before and before != after else ""
    print(f"the tables are at {after}{was}" if after else "there are no tables any more")


def _sure(question: str) -> bool:
    if not sys.stdin.isatty():
        raise InputError("nobody is there to ask", hint="Say --yes.")
    return input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}


def _tell(text: str) -> None:
    print(text, file=sys.stderr)
