"""Pages of a list, each as quick as the first: a page begins behind the last row of the one before.

Counting rows off (OFFSET) reads all that it skips. Here a cursor holds the sort value and the id of the
last row, and an index leads straight to what follows (keyset pagination; Winand, "SQL Performance
Explained", chapter 7).
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import TypeDecorator, select, tuple_, union

from bpaz_lab.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bpaz_lab.store.database import Session

Row = TypeVar("Row")


@dataclass(frozen=True)
class Rows(Generic[Row]):
    """One page: the rows, and the cursor of the next page; empty at the end."""

    items: list[Row]
    next: str = ""


async def page(  # noqa: PLR0913 (each says one thing of the page)
    session: Session,
    statement: Any,
    table: Any,
    *,
    sort: str,
    limit: int,
    cursor: str,
    sortable: Collection[str],
    key: str = "id",
    among: Sequence[Any] = (),
) -> Rows[Any]:
    """One page of a statement that selects rows of a table.

    Args:
        session: The transaction.
        statement: ``select(Table).where(...)``, without an order.
        table: The table.
        sort: The column to sort by; ``-`` before it turns the order.
        limit: Rows of a page.
        cursor: What the page before gave as ``next``; empty for the first.
        sortable: The columns that may be sorted by; none of them may hold NULL.
        key: The column that tells rows with the same value apart.
        among: Conditions of which a row meets at least one. Each is looked up by an index of its own, where
            a single OR over them would read the whole table.

    Raises:
        RequestError: There is no such column to sort by, or the cursor is not of this list.
    """
    name, descending = sort.removeprefix("-"), sort.startswith("-")
    if name not in sortable:
        raise RequestError(
            f"the list cannot be sorted by {name!r}",
            path="query.sort",
            hint=f"Sort by one of: {', '.join(sorted(sortable))}; with '-' before it for the other way.",
        )
    column, last = getattr(table, name), getattr(table, key)
    if cursor:
        place = tuple_(column, last)
        value = tuple_(*_read(cursor, sort, (column, last)), types=[column.type, last.type])
        statement = statement.where(place < value if descending else place > value)
    order = (column.desc(), last.desc()) if descending else (column, last)
    if among:
        parts = [
            statement.with_only_columns(last).where(each).order_by(*order).limit(limit + 1).subquery()
            for each in among
        ]
        statement = statement.where(last.in_(union(*(select(part.c[0]) for part in parts))))
    found = list((await session.exec(statement.order_by(*order).limit(limit + 1))).all())
    rows = found[:limit]
    more = len(found) > limit
    return Rows(rows, _written(sort, getattr(rows[-1], name), getattr(rows[-1], key)) if more else "")


def _written(sort: str, *values: Any) -> str:
    told = [each.isoformat() if isinstance(each, datetime) else each for each in values]
    told = [str(each) if isinstance(each, UUID) else each for each in told]
    return base64.urlsafe_b64encode(json.dumps([sort, *told]).encode()).decode().rstrip("=")


def _read(cursor: str, sort: str, columns: tuple[Any, Any]) -> list[Any]:
    wrong = RequestError(
        "the cursor is not of this list", path="query.cursor", hint="Begin again without a cursor."
    )
    try:
        told = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError):
        raise wrong from None
    if not isinstance(told, list) or len(told) != 3 or told[0] != sort:
        raise wrong
    try:
        return [_value(each, column) for each, column in zip(told[1:], columns, strict=True)]
    except (ValueError, TypeError, OverflowError):
        raise wrong from None


def _value(told: Any, column: Any) -> Any:
    """What stood in the column, as the database can compare it; anybody may have written the cursor."""
    of = column.type
    kind = (of.impl if isinstance(of, TypeDecorator) else of).python_type
    if type(told) is not (str if kind in {datetime, UUID} else kind):
        raise TypeError(told)
    if kind is datetime:
        return datetime.fromisoformat(told).astimezone(UTC)
    if kind is UUID:
        return UUID(told)
    if isinstance(told, str) and b"\0" in told.encode():  # which fails at lone surrogates
        raise ValueError(told)
    if isinstance(told, int) and not -(2**31) <= told < 2**31:
        raise OverflowError(told)
    return told
