"""The edges of a body as the statements that draw them: chains of ``>>`` where these are unambiguous."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bpaz_lab.errors import ConnectionRefused
from bpaz_lab.graph.fitting import End, fitting
from bpaz_lab.graph.order import split

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bpaz_lab.graph.document import Body
    from bpaz_lab.nodes.catalogue import Catalogue


class Wire(NamedTuple):
    """One statement, of variables: a chain, or two nodes whose ports are named."""

    nodes: tuple[str, ...]
    ports: tuple[str, str] | None = None


def wires(
    body: Body,
    order: Sequence[str],
    there: Sequence[Sequence[str]],
    types: Catalogue,
    variables: Mapping[str, str],
    room: int,
) -> list[Wire]:
    """The statements, in the order of the nodes that the edges leave.

    Args:
        body: The nodes and edges.
        order: The nodes that are made by code.
        there: Edges that are there already.
        types: The node types.
        variables: The variable of each node.
        room: The characters of a line.
    """
    return list(_Wires(body, order, there, types, variables, room).all())


class _Wires:
    def __init__(
        self,
        body: Body,
        order: Sequence[str],
        there: Sequence[Sequence[str]],
        types: Catalogue,
        variables: Mapping[str, str],
        room: int,
    ) -> None:
        self.variables, self.room = variables, room
        self.ends = {id: End(id, types.ports(body["nodes"][id])) for id in order}  # type: ignore[arg-type]
        self.taken = {target for _, target in there}
        position = {id: number for number, id in enumerate(order)}
        self.leaving: dict[str, list[tuple[str, str]]] = {id: [] for id in order}
        self.queues: dict[str, list[str]] = {}
        """The sources that are still to come into each port, in their order."""
        for source, target in body["edges"]:
            if target not in self.taken:
                self.leaving[split(source)[0]].append((source, target))
                self.queues.setdefault(target, []).append(source)
        for edges in self.leaving.values():
            edges.sort(key=lambda edge: position[split(edge[1])[0]])

    def all(self) -> Iterator[Wire]:
        while any(self.leaving.values()):
            for node in self.leaving:
                while first := self._next(node):
                    yield from self._from(node, first)

    def _from(self, node: str, edge: tuple[str, str]) -> Iterator[Wire]:
        """The chain that an edge begins, or the edge alone."""
        if not self._fits(edge):
            self._draw(edge)
            (one, output), (other, into) = map(split, edge)
            yield Wire((self.variables[one], self.variables[other]), (output, into))
            return
        names = [self.variables[node]]
        following: tuple[str, str] | None = edge
        while following:
            self._draw(following)
            node = split(following[1])[0]
            names.append(self.variables[node])
            following = next((each for each in self._ready(node) if self._fits(each)), None)
            if following and len(" >> ".join([*names, self.variables[split(following[1])[0]]])) > self.room:
                break
        yield Wire(tuple(names))

    def _next(self, node: str) -> tuple[str, str] | None:
        ready = list(self._ready(node))
        return next((edge for edge in ready if self._fits(edge)), ready[0] if ready else None)

    def _ready(self, node: str) -> Iterator[tuple[str, str]]:
        """The edges whose turn it is: those before them into the same port are there."""
        return ((source, target) for source, target in self.leaving[node] if self.queues[target][0] == source)

    def _fits(self, edge: tuple[str, str]) -> bool:
        """Whether ``>>`` would draw just this edge now."""
        source, target = self.ends[split(edge[0])[0]], self.ends[split(edge[1])[0]]
        try:
            return fitting(source, target, self.taken) == edge
        except ConnectionRefused:
            return False

    def _draw(self, edge: tuple[str, str]) -> None:
        source, target = edge
        self.leaving[split(source)[0]].remove(edge)
        self.queues[target].remove(source)
        self.taken.add(target)
