"""The ledgers of executions: rows and pieces of values, each write fenced by the lease it comes under.

Plain functions over a connection, in the transaction of whoever calls: a server hands them to
``AsyncConnection.run_sync``, a process without one calls them from a thread (``store/direct.py``). Rows go in
and out by statements of the driver, since an object a row would cost more than the row.

Example:
    >>> FIELDS[:3]
    ('address', 'state', 'effect')
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlmodel import col, select, update

from bpaz_lab.errors import Conflict, IntegrityError, LeaseLost, NotFound
from bpaz_lab.store.tables import WorkflowExecution
from bpaz_lab.store.tables.columns import utcnow

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

FIELDS: Final = (
    "address", "state", "effect", "data", "parts", "size", "epoch", "began", "ended", "digest",
)  # fmt: skip
"""What a row has, in the order of ``engine.steps.StepRow``."""
ENDED: Final = ("completed", "failed", "cancelled")
"""Executions that nobody holds; each write to their ledgers is refused."""

_NAMES: Final = ", ".join(FIELDS)
_CHANGES: Final = ", ".join(f"{name} = excluded.{name}" for name in FIELDS[1:])
_KEEP: Final = (
    f"INSERT INTO execution_steps (execution_id, {_NAMES}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "  # noqa: S608
    f"ON CONFLICT (execution_id, address) DO UPDATE SET {_CHANGES}"
)
_KEEP_PART: Final = "INSERT INTO value_parts (user_id, digest, size, data) VALUES (?, ?, ?, ?) ON CONFLICT "
# Postgres: one that is just about to be pruned is held. SQLite has one writer, and would write it all again.
_IS_THERE: Final = {
    "sqlite": "DO NOTHING",
    "postgresql": "(user_id, digest) DO UPDATE SET created_at = excluded.created_at",
}
_REFER: Final = "INSERT INTO step_parts (execution_id, digest) VALUES (?, ?) ON CONFLICT DO NOTHING"
_WANTED_AGAIN: Final = timedelta(hours=12)
"""Half of what a piece that nothing refers to is kept, so that who was told it is there can refer to it."""


def fence(connection: Connection, id: UUID, epoch: int) -> UUID:
    """Holds an execution until the transaction ends, so that nobody takes it over meanwhile.

    Args:
        connection: A transaction; SQLite's must have begun IMMEDIATE.
        id: The execution.
        epoch: The one that its holder was given.

    Returns:
        Whose execution it is.

    Raises:
        LeaseLost: Somebody else holds it, it has ended, or it is gone.
    """
    lock = " FOR SHARE" if connection.dialect.name == "postgresql" else ""
    row = _run(
        connection,
        f"SELECT epoch, status, user_id FROM workflow_executions WHERE id = ?{lock}",  # noqa: S608
        (_key(connection, id),),
    ).first()
    if row is None or row[0] != epoch or row[1] in ENDED:
        raise _lost(id)
    return row[2] if isinstance(row[2], UUID) else UUID(row[2])


def demand_owner(connection: Connection, id: UUID, user_id: UUID) -> None:
    """Refuses an execution that is not a person's.

    Raises:
        NotFound: The person has none of that id.
    """
    statement = "SELECT 1 FROM workflow_executions WHERE id = ? AND user_id = ?"
    if _run(connection, statement, (_key(connection, id), _key(connection, user_id))).first() is None:
        raise _missing()


def write(
    connection: Connection,
    id: UUID,
    epoch: int,
    rows: Sequence[Sequence[Any] | Mapping[str, Any]],
    parts: Mapping[str, bytes],
) -> None:
    """Keeps rows, in place of those of the same address, and pieces of values.

    Args:
        connection: A transaction, as for `fence`.
        id: The execution.
        epoch: The one that its holder was given.
        rows: In the order of `FIELDS`, or as mappings with these names.
        parts: Pieces by their digest; those that are kept already need not come along.

    Raises:
        LeaseLost: Somebody else holds the execution; nothing is written.
        IntegrityError: A row names a piece that is neither kept nor among these; nothing is written.
    """
    owner = fence(connection, id, epoch)
    for digest, data in parts.items():
        put_part(connection, owner, digest, data)
    keep(connection, id, owner, [_values(row) for row in rows], parts)


def keep(
    connection: Connection, id: UUID, owner: UUID, rows: Sequence[Sequence[Any]], fresh: Collection[str] = ()
) -> None:
    """Keeps rows without asking who holds the execution, for one that nobody can hold yet.

    Args:
        connection: A transaction.
        id: The execution.
        owner: Whose it is.
        rows: In the order of `FIELDS`.
        fresh: Pieces that are known to be kept.

    Raises:
        IntegrityError: A row names a piece that is not kept.
    """
    named = {digest for row in rows for digest in row[4]}
    gone = lacking(connection, owner, named.difference(fresh))
    if gone:
        raise IntegrityError(
            f"{len(gone)} pieces of values are not kept, the first {min(gone)}",
            hint="Send them along with the rows that name them.",
        )
    key = _key(connection, id)
    if named:
        _run(connection, _REFER, [(key, digest) for digest in sorted(named)])
    if rows:
        _run(connection, _KEEP, [(key, *row[:4], _listed(row[4]), *row[5:]) for row in rows])


def read(
    connection: Connection,
    id: UUID,
    after: str | None = None,
    limit: int | None = None,
    *,
    most: int | None = None,
) -> list[dict[str, Any]]:
    """Rows by address, as they are; whether one is damaged says its seal.

    Args:
        connection: A transaction.
        id: The execution.
        after: The last address of the page before; None for the first page, which may begin with ``""``.
        limit: Rows of a page.
        most: Bytes of data after which a page ends, be it at its first row.
    """
    where, parameters = "", [_key(connection, id)]
    if after is not None:
        where = " AND address > ?"
        parameters.append(after)
    cut = "" if limit is None else f" LIMIT {int(limit)}"
    statement = f"SELECT {_NAMES} FROM execution_steps WHERE execution_id = ?{where} ORDER BY address{cut}"  # noqa: S608
    found, size = [], 0
    for row in _run(connection, statement, tuple(parameters)):
        found.append(dict(zip(FIELDS, (*row[:3], _bytes(row[3]), _digests(row[4]), *row[5:]), strict=True)))
        size += len(found[-1]["data"])
        if most is not None and size >= most:
            break
    return found


def part(connection: Connection, user_id: UUID, digest: str) -> bytes:
    """A piece of one of a person's values.

    Raises:
        NotFound: The person has none of that name.
    """
    statement = "SELECT data FROM value_parts WHERE user_id = ? AND digest = ?"
    row = _run(connection, statement, (_key(connection, user_id), digest)).first()
    if row is None:
        raise NotFound(
            f"the piece {digest[:64]} of a value is not kept", hint="The run can be repaired: --repair."
        )
    return _bytes(row[0])


def put_part(connection: Connection, user_id: UUID, digest: str, data: bytes) -> None:
    """Keeps a piece; one that no row names within a day is deleted.

    Args:
        connection: A transaction.
        user_id: Whose it is.
        digest: Its name, which the caller has checked.
        data: The piece.
    """
    statement = _KEEP_PART + _IS_THERE[connection.dialect.name]
    _run(connection, statement, (_key(connection, user_id), digest, len(data), data))


def lacking(connection: Connection, user_id: UUID, digests: Collection[str]) -> set[str]:
    """Those pieces that a person does not have; the others stay for half a day at least.

    Args:
        connection: A transaction that may write.
        user_id: Whose they are.
        digests: Their names.
    """
    if not digests:
        return set()
    names = sorted(set(digests))
    theirs = f"user_id = ? AND digest IN ({', '.join('?' * len(names))})"
    told = (_key(connection, user_id), *names)
    now, old = (_moment(connection, moment) for moment in (utcnow(), utcnow() - _WANTED_AGAIN))
    again = f"UPDATE value_parts SET created_at = ? WHERE {theirs} AND created_at < ?"  # noqa: S608
    _run(connection, again, (now, *told, old))
    found = _run(connection, f"SELECT digest FROM value_parts WHERE {theirs}", told)  # noqa: S608
    return set(names).difference(found.scalars())


def take(
    connection: Connection,
    id: UUID,
    *,
    epoch: int,
    holder: str,
    kernel_id: str | None = None,
    server_id: str | None = None,
) -> int:
    """Takes an execution over: of all who try at once, one does.

    Args:
        connection: A transaction.
        id: The execution.
        epoch: The one that it is known to have.
        holder: Who takes it, for people to read.
        kernel_id: The kernel that runs it.
        server_id: The server that the kernel belongs to.

    Returns:
        The epoch to write under.

    Raises:
        Conflict: Somebody else was quicker; ``current`` says who, and the epoch.
        NotFound: It is gone.
    """
    run = WorkflowExecution
    taken = connection.execute(
        update(run)
        .where(col(run.id) == id, col(run.epoch) == epoch)
        .values(
            epoch=epoch + 1,
            holder=holder[:255],
            kernel_id=kernel_id,
            server_id=server_id,
            heartbeat_at=utcnow(),
        )
    )
    if taken.rowcount:
        return epoch + 1
    now = connection.execute(select(run.epoch, run.holder).where(run.id == id)).first()
    if now is None:
        raise _missing()
    raise Conflict(
        f"{now.holder or 'somebody else'} took over run {id.hex} just now",
        hint="Wait for it to end, or look at it: bpaz runs show.",
        current={"epoch": now.epoch, "holder": now.holder},
    )


def beat(connection: Connection, id: UUID, epoch: int) -> None:
    """The holder of an execution says that it is there.

    Raises:
        LeaseLost: Somebody else holds it, it has ended, or it is gone.
    """
    ended = ", ".join(f"'{status}'" for status in ENDED)
    statement = (
        "UPDATE workflow_executions SET heartbeat_at = ? "  # noqa: S608
        f"WHERE id = ? AND epoch = ? AND status NOT IN ({ended})"
    )
    now = _moment(connection, utcnow())
    if not _run(connection, statement, (now, _key(connection, id), epoch)).rowcount:
        raise _lost(id)


def copy(
    connection: Connection,
    source: UUID,
    target: UUID,
    without: Collection[str] = (),
    *,
    seal: Callable[[dict[str, Any]], dict[str, Any]] = lambda row: row,
) -> int:
    """Gives a new execution the ledger of another one of the same person; no piece is copied.

    Args:
        connection: A transaction.
        source: The execution that it is forked from.
        target: The new one.
        without: Addresses that are left out.
        seal: Gives a row its seal in the new execution; a seal covers the execution too.

    Returns:
        How many rows it has got.

    Raises:
        NotFound: One of them is gone, or they are not of one person.
    """
    lock = " FOR SHARE" if connection.dialect.name == "postgresql" else ""  # its pieces must not be pruned
    statement = f"SELECT user_id FROM workflow_executions WHERE id = ?{lock}"  # noqa: S608
    owners = [_run(connection, statement, (_key(connection, id),)).scalar() for id in (source, target)]
    if None in owners or owners[0] != owners[1]:
        raise _missing()
    rows = [_values(seal(row)) for row in read(connection, source) if row["address"] not in without]
    keep(connection, target, owners[0] if isinstance(owners[0], UUID) else UUID(owners[0]), rows)
    return len(rows)


def outline(
    connection: Connection, id: UUID, after: str | None = None, limit: int | None = None
) -> list[dict[str, Any]]:
    """Rows as `read` gives them, without what the steps gave."""
    names = [name for name in FIELDS if name not in ("data", "parts")]
    where, parameters = "", [_key(connection, id)]
    if after is not None:
        where = " AND address > ?"
        parameters.append(after)
    cut = "" if limit is None else f" LIMIT {int(limit)}"
    statement = (
        f"SELECT {', '.join(names)} FROM execution_steps WHERE execution_id = ?{where} "  # noqa: S608
        f"ORDER BY address{cut}"
    )
    return [dict(zip(names, row, strict=True)) for row in _run(connection, statement, tuple(parameters))]


def _run(connection: Connection, statement: str, parameters: Any) -> Any:
    mark = statement.replace("?", "%s") if connection.dialect.name == "postgresql" else statement
    return connection.exec_driver_sql(mark, parameters)


def _key(connection: Connection, id: UUID) -> Any:
    """An id as the driver takes it."""
    return id if connection.dialect.name == "postgresql" else id.hex


def _moment(connection: Connection, moment: datetime) -> Any:
    """A moment as the driver takes it, and as ``tables/columns.py`` keeps it."""
    return moment if connection.dialect.name == "postgresql" else moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def _values(row: Sequence[Any] | Mapping[str, Any]) -> Sequence[Any]:
    return [row[name] for name in FIELDS] if isinstance(row, Mapping) else row


def _bytes(told: Any) -> bytes:
    return bytes(told) if isinstance(told, bytes | memoryview) else str(told).encode()


def _listed(digests: Sequence[str]) -> str:
    return json.dumps(list(digests)) if digests else "[]"  # most rows have none


def _digests(told: Any) -> tuple[str, ...]:
    """The names of pieces; none where the row is so damaged that it has no list of them."""
    if not told or told == "[]":
        return ()
    try:
        names = json.loads(told) if isinstance(told, str | bytes) else told
    except ValueError:
        return ()
    return tuple(map(str, names)) if isinstance(names, list) else ()


def _missing() -> NotFound:
    return NotFound("there is no such execution", hint="Check the id, or list what there is.")


def _lost(id: UUID) -> LeaseLost:
    return LeaseLost(
        f"somebody else goes on with run {id.hex}, or it has ended",
        hint="Look at it: bpaz runs show.",
        current={"id": id.hex},
    )
