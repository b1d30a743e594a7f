"""Runs and what was forked from them, as a tree: what ``lab.executions.tree()`` gives.

Example:
    >>> one = {"id": "a1" * 16, "parent_id": None, "forked_at": None, "status": "completed", "name": "L"}
    >>> two = {**one, "id": "b2" * 16, "parent_id": "a1" * 16, "forked_at": "draft", "status": "paused"}
    >>> Tree([two, one])
    a1a1a1a1     completed  L
    └─ b2b2b2b2  paused     L  at draft
"""

from __future__ import annotations

from collections import defaultdict
from html import escape
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.api.lab.table import STYLE, Record, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SHORT: Final = 8
"""Characters of an id that are shown, as git does."""


class Tree:
    """Runs and their forks: the latest run first, its forks below it in their order.

    Args:
        told: The runs as the laboratory lists them, latest first.
        more: Whether it has more than these.
    """

    def __init__(self, told: Iterable[Mapping[str, Any]], *, more: bool = False) -> None:
        self._told = {str(each["id"]): each for each in told}
        self._more = more
        self._below: dict[str, list[str]] = defaultdict(list)
        for id, each in self._told.items():
            parent = str(each["parent_id"]) if each["parent_id"] else ""
            self._below[parent if parent in self._told else ""].append(id)

    def __len__(self) -> int:
        return len(self._told)

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        """The runs, each before its forks."""
        return (self._told[id] for _, _, id in self._lines())

    def of(self, id: str) -> Tree:
        """The tree that a run is in."""
        while (parent := str(self._told[id]["parent_id"] or "")) in self._told:
            id = parent
        kept: list[str] = [id]
        for each in kept:
            kept += self._below[each]
        return Tree([each for key, each in self._told.items() if key in set(kept)])

    def __repr__(self) -> str:
        rows = [[f"{lead}{id[:SHORT]}", *self._cells(id)] for lead, _, id in self._lines()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(f"{c:<{n}}" for c, n in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([*lines, *(["…"] if self._more else [])]) or "none"

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><td style="padding-left: {20 * depth}px"><code>{"└ " * bool(depth)}{id[:SHORT]}</code></td>'
            + "".join(f"<td>{escape(cell)}</td>" for cell in self._cells(id))
            + "</tr>"
            for _, depth, id in self._lines()
        )
        head = "<tr><th>run</th><th>status</th><th>workflow</th><th>begun</th><th>forked</th></tr>"
        more = '<div class="bpaz-dim">there are more: tree(limit=...)</div>' if self._more else ""
        empty = "" if rows else '<div class="bpaz-dim">none</div>'
        return (
            f'{STYLE}<div class="bpaz-list"><table><thead>{head}</thead><tbody>{rows}</tbody></table>'
            f"{empty}{more}</div>"
        )

    def _cells(self, id: str) -> list[str]:
        each = self._told[id]
        parent = str(each["parent_id"] or "")
        where = f"at {each['forked_at']}" if each["forked_at"] else ""
        if parent and parent not in self._told:
            where = f"{where} of {parent[:SHORT]}".strip()
        begun = [text(Record(each).created_at)] if each.get("created_at") else []
        return [text(each["status"]), text(each["name"]), *begun, where]

    def _lines(self) -> Iterator[tuple[str, int, str]]:
        """What stands before each run as text, how deep it is, and its id."""
        stack = [("", "", 0, id) for id in reversed(self._below[""])]
        while stack:
            lead, below, depth, id = stack.pop()
            yield lead, depth, id
            forks = self._below[id][::-1]  # oldest first
            for number, fork in reversed([*enumerate(forks)]):
                last = number == len(forks) - 1
                branch, rest = ("└─ ", "   ") if last else ("├─ ", "│  ")
                stack.append((below + branch, below + rest, depth + 1, fork))
