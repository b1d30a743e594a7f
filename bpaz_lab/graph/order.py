"""The order of a workflow: what depends on what, what leads in a circle, and what must be computed."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from bpaz_lab.graph.document import Body
    from bpaz_lab.graph.spec import Ports


def split(port: str) -> tuple[str, str]:
    """``"load.documents"`` as node and port."""
    node, _, name = port.partition(".")
    return node, name


def predecessors(body: Body) -> dict[str, set[str]]:
    """The nodes that feed each node directly; edges of nodes that are not there do not count."""
    nodes = body["nodes"]
    feeding: dict[str, set[str]] = {node: set() for node in nodes}
    for source, target in body["edges"]:
        one, other = split(source)[0], split(target)[0]
        if one in nodes and other in nodes:
            feeding[other].add(one)
    return feeding


def ordered(feeding: Mapping[str, Iterable[str]]) -> tuple[list[str], list[str]]:
    """Sorts so that every node comes after what feeds it (Kahn's algorithm, stable).

    Returns:
        The order, and the nodes that cannot be ordered because they lead in a circle or hang on one.
    """
    waiting = {node: len(set(before)) for node, before in feeding.items()}
    after: dict[str, list[str]] = defaultdict(list)
    for node, before in feeding.items():
        for each in dict.fromkeys(before):
            after[each].append(node)
    ready = [node for node, count in waiting.items() if not count]
    for node in ready:
        for follower in after[node]:
            waiting[follower] -= 1
            if not waiting[follower]:
                ready.append(follower)
    return ready, [node for node, count in waiting.items() if count]


def circle(feeding: Mapping[str, Iterable[str]], stuck: Iterable[str]) -> list[str]:
    """One circle among the nodes that could not be ordered, in the direction of the edges."""
    stuck = set(stuck)
    node, path = min(stuck), []
    while node not in path:
        path.append(node)
        node = min(before for before in feeding[node] if before in stuck)
    return path[path.index(node) :][::-1]


def leads_to(body: Body, start: str, goal: str) -> bool:
    """Whether edges lead from node ``start`` to node ``goal`` (a node leads to itself)."""
    return goal in following(body, start)


def following(body: Body, start: str) -> set[str]:
    """The node and everything that hangs on it."""
    after: dict[str, list[str]] = defaultdict(list)
    for source, target in body["edges"]:
        after[split(source)[0]].append(split(target)[0])
    seen, stack = {start}, [start]
    while stack:
        fresh = set(after[stack.pop()]) - seen
        seen |= fresh
        stack.extend(fresh)
    return seen


def demanded(
    body: Body,
    ports_of: Callable[[str], Ports],
    targets: Iterable[str] = (),
    given: Collection[str] = (),
) -> dict[str, set[str]]:
    """The outputs that a run computes, by node.

    Without ``targets`` the ends are all sinks (nodes none of whose outputs is connected) with their main
    outputs. From the ends the demand goes back along the edges, but only through the inputs that a
    demanded output needs.

    Args:
        body: A body without problems.
        ports_of: The ports of a node.
        targets: ``"node"`` for its main output, or ``"node.port"``.
        given: Nodes whose outputs are there already, so that they need nothing.

    Returns:
        Output names by node; a node without outputs has an empty set; a node not in it is not computed.
    """
    feeding: dict[str, list[tuple[str, str]]] = defaultdict(list)
    connected: set[str] = set()
    for source, target in body["edges"]:
        node, port = split(target)
        feeding[node].append((port, source))
        connected.add(source.partition(".")[0])
    ends = list(targets) or [node for node in body["nodes"] if node not in connected]
    demand: dict[str, set[str]] = defaultdict(set)
    stack = ends
    while stack:
        node, port = split(stack.pop())
        ports = ports_of(node)
        if not port and ports.main:
            port = ports.main.name
        wanted = demand[node]
        if port in wanted:
            continue
        if port:
            wanted.add(port)
        if node in given:
            continue
        output = ports.output(port)
        for name, source in feeding.get(node, ()):
            if output is None or _needed(ports, name, output.needs):
                stack.append(source)
    return dict(demand)


def _needed(ports: Ports, name: str, needs: tuple[str, ...]) -> bool:
    """Ports that no method names (``**inputs``) are needed by every output."""
    return name in needs or not any(name in port.needs for port in ports.outputs)
