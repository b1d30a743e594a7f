"""The ports that travel beside the document: of nodes whose ports are not those of their type.

They are keyed by *place*: the ids from the top down, such as ``each/clean``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpaz_lab.errors import FormatError
from bpaz_lab.graph.check import ports_of
from bpaz_lab.graph.document import body_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bpaz_lab.graph.changes import Operation
    from bpaz_lab.graph.document import Body, Document, NodeEntry
    from bpaz_lab.graph.spec import Ports
    from bpaz_lab.nodes.catalogue import Catalogue


class PortsOfNodes:
    """What a page was told of ports, and what it must be told next."""

    def __init__(self) -> None:
        self.told: dict[str, Ports] = {}

    def all(self, document: Document, types: Catalogue) -> dict[str, Ports]:
        """Everything, for a page that opens."""
        self.told = {}
        return self.fresh(document, types, [place for place, _ in walk(document)])

    def touched(
        self, document: Document, types: Catalogue, operations: Iterable[Operation]
    ) -> dict[str, Ports]:
        """Of the nodes that an edit concerned, with the containers around them and the bodies in them."""
        return self.fresh(document, types, places(document, operations))

    def registered(self, document: Document, types: Catalogue, type: str) -> dict[str, Ports]:
        """Of the nodes of a type that is new; the page has forgotten theirs."""
        found = [place for place, entry in walk(document) if entry["type"] == type]
        for place in found:
            self.told.pop(place, None)
        around = {outer: None for place in found for outer in _around(place.split("/")[:-1])}
        return self.fresh(document, types, [*found, *around])

    def fresh(self, document: Document, types: Catalogue, wanted: Iterable[str]) -> dict[str, Ports]:
        """Those that the page does not know, of the nodes at these places."""
        found = {}
        for place in wanted:
            ports = self._own(document, types, place)
            if ports is not None and ports != self.told.get(place):
                found[place] = self.told[place] = ports
        return found

    def _own(self, document: Document, types: Catalogue, place: str) -> Ports | None:
        """The ports of a node where they are not those of its type, or were not."""
        *containers, id = place.split("/")
        try:
            body = body_at(document, containers)
        except FormatError:
            return None
        if id not in body["nodes"]:
            return None
        entry = body["nodes"][id]
        spec = types.spec(entry["type"])
        plain = spec is not None and not spec.dynamic and "policy" not in entry and place not in self.told
        return None if plain else ports_of(body, id, types)


def walk(body: Body, within: str = "") -> Iterator[tuple[str, NodeEntry]]:
    """All nodes of a body and of the bodies in it, each with its place.

    Example:
        >>> inner = {"nodes": {"b": {"type": "T"}}}
        >>> [place for place, _ in walk({"nodes": {"a": {"type": "C", "body": inner}}})]
        ['a', 'a/b']
    """
    for id, entry in body["nodes"].items():
        yield f"{within}{id}", entry
        if "body" in entry:
            yield from walk(entry["body"], f"{within}{id}/")


def places(document: Document, operations: Iterable[Operation]) -> list[str]:
    """The places whose ports may be others after an edit."""
    found: dict[str, None] = {}
    for operation in operations:
        within = operation.get("within", [])
        ids: list[str] = []
        if "edge" in operation:
            ids = [end.partition(".")[0] for end in operation["edge"]]
        elif operation["path"][0] == "nodes" and len(operation["path"]) > 1:
            ids = [operation["path"][1]]
        for id in ids:
            found.update(_below(document, [*within, id]))
        if ids:
            found.update(dict.fromkeys(_around(within)))
    return list(found)


def _around(containers: list[str]) -> list[str]:
    """The containers as places, the innermost first: the ports of each follow from what is inside."""
    return ["/".join(containers[:depth]) for depth in range(len(containers), 0, -1)]


def _below(document: Document, ids: list[str]) -> dict[str, None]:
    """The place of a node, and of all that is inside it."""
    place = "/".join(ids)
    try:
        entry = body_at(document, ids[:-1])["nodes"].get(ids[-1])
    except FormatError:
        entry = None
    if entry is None or "body" not in entry:
        return {place: None}
    return {place: None, **dict.fromkeys(inner for inner, _ in walk(entry["body"], f"{place}/"))}
