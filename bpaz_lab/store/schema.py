"""Which version the tables have, and how they come to another one: Alembic inside the package.

Every function works on the connection that it is given and in its transaction.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import inspect, text
from sqlalchemy.exc import SAWarning

from bpaz_lab.errors import SchemaOutdated, StoreError
from bpaz_lab.store.sqlite_copy import before_upgrade

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

State = Literal["empty", "older", "current", "newer"]
Result = TypeVar("Result")

PLACES: Final = ["bpaz_lab.store:migrations/versions"]
"""Where the versions lie."""
_LOCK: Final = 0x6270617A  # "bpaz"; any number, as long as all versions use the same


def config(connection: Connection | None = None, **attributes: Any) -> Config:
    """Alembic's configuration; there is no file of it."""
    made = Config(attributes={"connection": connection, **attributes})
    made.set_main_option("script_location", "bpaz_lab.store:migrations")
    made.set_main_option("path_separator", "newline")
    made.set_main_option("version_locations", "\n".join(PLACES))
    return made


def head() -> str:
    """The version that this bpaz_lab knows."""
    return ScriptDirectory.from_config(config()).get_current_head() or ""


def current(connection: Connection) -> str:
    """The version of the database; empty where it has no tables."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def state(connection: Connection) -> State:
    """How the database's version stands to that of this bpaz_lab."""
    there, scripts = current(connection), ScriptDirectory.from_config(config())
    if not there:
        return "empty"
    if there == scripts.get_current_head():
        return "current"
    return "older" if there in {script.revision for script in scripts.walk_revisions()} else "newer"


def demand_current(connection: Connection) -> None:
    """Lets only a database of this version through.

    Raises:
        SchemaOutdated: It is of another version; the hint says what to do.
    """
    found = state(connection)
    if found == "newer":
        raise _newer(connection)
    if found != "current":
        raise SchemaOutdated(
            "the database has no tables yet" if found == "empty" else "the tables of the database are older",
            hint="Run: bpaz db upgrade",
        )


def bring_up(connection: Connection) -> None:
    """Brings SQLite up to date; it is backed up before, into ``backups`` beside it.

    Raises:
        SchemaOutdated: It is newer.
    """
    found = state(connection)
    if found == "current":
        return  # another process was quicker
    if found == "older":
        before_upgrade(connection, current(connection))
    upgrade(connection)


def upgrade(connection: Connection, to: str = "head") -> None:
    """Migrates to a later version.

    Raises:
        SchemaOutdated: The database is newer than this bpaz_lab.
        StoreError: There is no such version, or rows do not fit the new tables.
    """
    if state(connection) == "newer":
        raise _newer(connection)
    _alembic(command.upgrade, connection, to)


def downgrade(connection: Connection, to: str = "-1") -> None:
    """Migrates to an earlier version; what only later versions have is lost.

    Raises:
        SchemaOutdated: The database is newer than this bpaz_lab.
        StoreError: There is no such version.
    """
    if state(connection) == "newer":
        raise _newer(connection)
    _alembic(command.downgrade, connection, to)


def drift(connection: Connection) -> list[str]:
    """What differs between the tables of the database and those of the code; empty when nothing does."""
    found: list[str] = []

    def compared(_context: Any, _revision: Any, directives: list[Any]) -> None:
        for each in directives[0].upgrade_ops.as_diffs():
            found.extend(map(str, each) if isinstance(each, list) else [str(each)])
        directives.clear()

    demand_current(connection)
    _alembic(command.revision, connection, None, autogenerate=True, process_revision_directives=compared)
    return found


def history() -> list[tuple[str, str]]:
    """All versions, the latest first, and what each brought."""
    scripts = ScriptDirectory.from_config(config())
    return [(script.revision, script.doc) for script in scripts.walk_revisions()]


def revision(connection: Connection, message: str) -> str:
    """Writes a new migration from what differs; for developers of bpaz_lab.

    Returns:
        The path of the new file, which is to be read and corrected.
    """
    number = f"{len(history()) + 1:04d}"
    made = _alembic(command.revision, connection, message, autogenerate=True, rev_id=number)
    return str(made.path)


def rows(connection: Connection) -> int:
    """How many rows there are, but for those that every new database has."""
    inspector = inspect(connection)
    names = set(inspector.get_table_names()) - {"alembic_version", "roles"}
    prepared = connection.dialect.identifier_preparer
    return sum(
        connection.execute(text(f"SELECT count(*) FROM {prepared.quote(name)}")).scalar_one()  # noqa: S608
        for name in sorted(names)
    )


def alone(connection: Connection, work: Callable[[Connection], Result]) -> Result:
    """Does work while no other process migrates; SQLite's transaction sees to that by itself."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    result = work(connection)
    if connection.dialect.name == "sqlite":
        lost = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if lost:
            raise StoreError(
                f"{len(lost)} rows refer to rows that are gone, the first in {lost[0][0]}",
                hint="Nothing was changed. Bring back a backup: bpaz db restore FILE",
            )
    return result


def _alembic(does: Callable[..., Any], connection: Connection, *arguments: Any, **named: Any) -> Any:
    with warnings.catch_warnings():
        # Indexes of expressions and partial ones cannot be compared, which Alembic says each time.
        warnings.simplefilter("ignore", SAWarning)
        try:
            return does(config(connection), *arguments, **named)
        except CommandError as error:
            raise StoreError(
                f"the tables stay as they are: {error}", hint="See the versions: bpaz db history"
            ) from None


def _newer(connection: Connection) -> SchemaOutdated:
    return SchemaOutdated(
        f"the database is of a newer version ({current(connection)[:40]}) than this bpaz_lab ({head()})",
        hint="Run: pip install --upgrade bpaz-lab",
    )
