"""A list as CSV, which opens in a spreadsheet without doing anything there."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.services.route import Raw

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pydantic import BaseModel

    from bpaz_lab.store.paging import Rows

MOST: Final = 100_000
"""Rows of one file; filter for less."""
_AT_ONCE: Final = 1000
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


async def as_csv(
    name: str, model: type[BaseModel], page: Callable[[int, str], Awaitable[Rows[Any]]], cursor: str = ""
) -> Raw:
    """All pages of a list as one file.

    Args:
        name: The name of the file, without its ending.
        model: What a row is shown as; its fields are the columns.
        page: Gives a page, of so many rows from that cursor on.
        cursor: Where to begin.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    columns = list(model.model_fields)
    writer.writerow(columns)
    for _ in range(MOST // _AT_ONCE):
        rows = await page(_AT_ONCE, cursor)
        for row in rows.items:
            told = model.model_validate(row).model_dump(mode="json")
            writer.writerow([cell(told[column]) for column in columns])
        cursor = rows.next
        if not cursor:
            break
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Raw(text.getvalue(), "text/csv; charset=utf-8", headers)


def cell(value: Any) -> Any:
    """A value as a cell that no spreadsheet takes for a formula (OWASP, "CSV Injection").

    Example:
        >>> cell("=1+1"), cell("ada"), cell(-2)
        ("'=1+1", 'ada', -2)
    """
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULAS):
        return f"'{value}"
    return value
