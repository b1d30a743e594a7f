"""What a ``Workflow`` remembers of the laboratory that keeps it, and what two saves at once lead to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bpaz_lab.graph.changes import same
from bpaz_lab.graph.document import normal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpaz_lab.graph.changes import Operation
    from bpaz_lab.graph.document import Document


@dataclass(frozen=True)
class Stored:
    """Where a workflow is kept, and as which version it was loaded or saved last.

    Attributes:
        where: The laboratory.
        id: The workflow there.
        version: The version that this one began with.
        document: The document of that version.
    """

    where: str
    id: str
    version: int
    document: Document

    def __repr__(self) -> str:
        return f"<version {self.version} of {self.id} in {self.where}>"


def operations(old: Document, new: Document) -> list[Operation]:
    """What turns one document into another, for ``Workflow.apply``: one undo step, seen on open canvases.

    Args:
        old: The document as it is.
        new: The document that it shall become.

    Example:
        >>> from bpaz_lab.graph.document import new
        >>> operations(new("Notes"), new("My notes"))
        [{'path': ['name'], 'old': 'Notes', 'new': 'My notes'}]
    """
    one, other = normal(old), normal(new)
    gone, come = _edges(one["edges"], other["edges"])
    found: list[dict[str, Any]] = list(gone)
    if one["name"] != other["name"]:
        found.append({"path": ["name"], "old": one["name"], "new": other["name"]})
    for section in ("nodes", "layout", "notes", "groups"):
        found += _values(section, one[section], other[section])
    return [*found, *come]  # type: ignore[list-item]


def _values(section: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    for key in dict.fromkeys([*one, *other]):
        sides = {name: side[key] for name, side in (("old", one), ("new", other)) if key in side}
        if len(sides) == 1 or not same(sides["old"], sides["new"]):
            found.append({"path": [section, key], **sides})
    return found


def _edges(one: list[Any], other: list[Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The wires into each port that has others now: all of them taken out, and put in as they shall be."""
    gone, come = [], []
    for target in dict.fromkeys(edge[1] for edge in [*one, *other]):
        before, after = ([list(edge) for edge in side if edge[1] == target] for side in (one, other))
        if before != after:
            gone += [{"edge": edge, "old": 0} for edge in before]
            come += [{"edge": edge, "new": position} for position, edge in enumerate(after)]
    return gone, come
