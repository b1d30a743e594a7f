"""What a laboratory answers, as a cell likes it: records with names, and lists that show as tables."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from bpaz_lab.api.transport.transport import Transport

MOST: Final = 200
"""Items of a page that is fetched; more is more pages."""
_SHOWN: Final = 60
"""Rows that a table shows."""
_LONG: Final = 120
STYLE: Final = """<style>
.bpaz-list { color: var(--jp-ui-font-color1, inherit);
  font: 13px var(--jp-ui-font-family, system-ui, sans-serif); overflow-x: auto }
.bpaz-list table { color: inherit; border-collapse: collapse; margin: 4px 0; font-size: 13px }
.bpaz-list.bpaz-list th, .bpaz-list.bpaz-list td { text-align: left; padding: 4px 16px 4px 0;
  vertical-align: top; background: none; overflow-wrap: anywhere;
  border-bottom: 1px solid var(--jp-border-color2, rgba(128, 128, 128, 0.3)) }
.bpaz-list th { font-weight: 600 }
.bpaz-list .bpaz-dim { color: var(--jp-ui-font-color2, inherit) }
</style>"""

Item = TypeVar("Item")


class Record(dict[str, Any]):
    """One thing of the laboratory: the fields of the API's answer, also as attributes.

    What is a moment is a ``datetime``.

    Example:
        >>> Record({"name": "Notes", "version": 3}).version
        3
    """

    def __init__(self, told: Mapping[str, Any]) -> None:
        super().__init__({name: _moment(name, value) for name, value in told.items()})

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"there is no {name!r}; there are: {', '.join(self)}", name=name) from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self]

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={text(value)!r}" for name, value in self.items() if _is_short(value))
        return f"<{told}>"

    def _repr_html_(self) -> str:
        rows = [(name, value) for name, value in self.items() if _is_short(value)]
        return table(("", ""), rows) if rows else escape(repr(self))


class Table(list[Item], Generic[Item]):
    """A list that a notebook shows as a table.

    Args:
        items: The items.
        columns: The fields that are shown, in order.
        more: Whether the laboratory has more than these.
    """

    def __init__(self, items: Iterable[Item], columns: Sequence[str], *, more: bool = False) -> None:
        super().__init__(items)
        self.columns = tuple(columns)
        self.more = more

    def __repr__(self) -> str:
        rows = [[text(getattr(each, name, None)) for name in self.columns] for each in self[:_SHOWN]]
        widths = [max(map(len, column)) for column in zip(self.columns, *rows, strict=True)]
        lines = ["  ".join(f"{cell:<{n}}" for cell, n in zip(row, widths, strict=True)).rstrip()
                 for row in (self.columns, *rows)]  # fmt: skip
        return "\n".join([*lines, *([self._rest()] if self._rest() else [])]) if self else "none"

    def _repr_html_(self) -> str:
        rows = [[getattr(each, name, None) for name in self.columns] for each in self[:_SHOWN]]
        return table(
            [name.removesuffix("_at").replace("_", " ") for name in self.columns], rows, self._rest()
        )

    def _rest(self) -> str:
        hidden = len(self) - _SHOWN
        if hidden > 0:
            return f"and {hidden} more"
        return "there are more: list(limit=...)" if self.more else ""


def pages(
    transport: Transport, path: str, make: Callable[[dict[str, Any]], Item], **query: Any
) -> Iterator[Item]:
    """All items of a list, a page at a time.

    Args:
        transport: What asks.
        path: The list.
        make: Makes an item of its JSON.
        query: Filters, ``sort``, and ``limit`` as the size of a page.
    """
    cursor = ""
    while True:
        page = transport.call("GET", path, query={**query, "cursor": cursor})
        yield from map(make, page["items"])
        cursor = page["next"]
        if not cursor:
            return


def some(
    transport: Transport,
    path: str,
    make: Callable[[dict[str, Any]], Item],
    columns: Sequence[str],
    limit: int | None,
    **query: Any,
) -> Table[Item]:
    """The first items of a list; all of them where ``limit`` is None."""
    found: list[Item] = []
    for each in pages(transport, path, make, **query, limit=min(limit or MOST, MOST)):
        if limit is not None and len(found) == limit:
            return Table(found, columns, more=True)
        found.append(each)
    return Table(found, columns)


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], rest: str = "") -> str:
    """Rows as HTML in the colours of the page; every text is escaped."""
    cells = "".join(f"<th>{escape(each)}</th>" for each in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(text(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    shown = f"<thead><tr>{cells}</tr></thead>" if any(head) else ""
    foot = f'<div class="bpaz-dim">{escape(rest)}</div>' if rest else ""
    empty = "" if body else '<div class="bpaz-dim">none</div>'
    return f'{STYLE}<div class="bpaz-list"><table>{shown}<tbody>{body}</tbody></table>{empty}{foot}</div>'


def text(value: Any) -> str:
    """A value as a cell of a table shows it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        value = [f"{name}={text(each)}" for name, each in value.items()]
    if isinstance(value, list | tuple):
        value = ", ".join(map(text, value))
    told = " ".join(str(value).split())
    return told if len(told) <= _LONG else told[: _LONG - 1] + "…"


def _is_short(value: Any) -> bool:
    return value not in (None, "", []) and not isinstance(value, dict)


def _moment(name: str, value: Any) -> Any:
    if not (name.endswith("_at") and isinstance(value, str)):
        return value
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return value
