"""What of a document no line of the Python API can say, so that code gives it as it stands in the file.

That is what an editor would refuse to make anew: nodes whose type is not installed here, settings that do
not fit (yet), edges that lead nowhere.
"""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING, Any, NamedTuple

from bpaz_lab.graph.order import ordered, split
from bpaz_lab.graph.ports import conversion

if TYPE_CHECKING:
    from bpaz_lab.graph.document import Body, NodeEntry
    from bpaz_lab.graph.spec import Ports
    from bpaz_lab.nodes.catalogue import Catalogue

_PARAMETERS = frozenset({"id", "at"})
"""Parameters of ``add`` that are no settings."""


class Beyond(NamedTuple):
    """The parts of a body that code cannot say."""

    nodes: set[str]
    edges: list[list[str]]
    layout: set[str]
    notes: set[str]
    groups: set[str]

    def __bool__(self) -> bool:
        return any(self)


def beyond(body: Body, types: Catalogue) -> Beyond:
    """Finds what code cannot say."""
    known = body["nodes"].keys()
    nodes = {id for id, entry in body["nodes"].items() if not _sayable(entry, types)}
    return Beyond(
        nodes=nodes,
        edges=_edges(body, nodes, types),
        layout=body["layout"].keys() - known,
        notes={id for id, note in body["notes"].items() if note.keys() != {"text", "at"}},
        groups={
            id
            for id, group in body["groups"].items()
            if group.keys() != {"title", "nodes"} or not known >= set(group["nodes"])
        },
    )


def kept_policy(policy: dict[str, Any]) -> dict[str, Any]:
    """What ``set_policy`` would keep of a policy."""
    return {
        name: value
        for name, value in policy.items()
        if (value is not None or name == "default")
        and (name != "default" or policy.get("on_error") == "default")
    }


def _sayable(entry: NodeEntry, types: Catalogue) -> bool:
    cls = types.get(entry["type"])
    if cls is None or cls.__name__ != entry["type"] or cls.version != entry["version"]:
        return False
    names = entry["settings"]
    if any(not name.isidentifier() or keyword.iskeyword(name) or name in _PARAMETERS for name in names):
        return False
    if entry.get("title") == "" or ("policy" in entry and not _whole(entry["policy"])):
        return False
    bare: Any = {name: value for name, value in entry.items() if name != "body"}
    if ("body" in entry) != (cls.container and not types.reference(bare)):
        return False
    if "body" in entry and beyond(entry["body"], types):
        return False
    return not types.problems(entry["type"], entry["settings"])


def _whole(policy: Any) -> bool:
    return bool(policy) and kept_policy(policy) == policy


def _edges(body: Body, nodes: set[str], types: Catalogue) -> list[list[str]]:
    """Edges that cannot be, those of nodes that code cannot say, and their siblings, for the order."""
    ports = {id: types.ports(entry) for id, entry in body["nodes"].items() if id not in nodes}
    feeding: dict[str, set[str]] = {}
    for one, other in ((split(source)[0], split(target)[0]) for source, target in body["edges"]):
        feeding.setdefault(one, set())
        feeding.setdefault(other, set()).add(one)  # nodes that are gone count: edges lead through them
    stuck = set(ordered(feeding)[1])
    entering: dict[str, list[str]] = {}
    shut: set[str] = set()
    for source, target in body["edges"]:
        before = entering.setdefault(target, [])
        circular = split(source)[0] in stuck and split(target)[0] in stuck
        if circular or not _joins(source, target, ports, before):
            shut.add(target)
        before.append(source)
    return [edge for edge in body["edges"] if edge[1] in shut]


def _joins(source: str, target: str, ports: dict[str, Ports | None], before: list[str]) -> bool:
    (one, output), (other, into) = split(source), split(target)
    given, taken = ports.get(one), ports.get(other)
    if given is None or taken is None or one == other:
        return False
    out_port, in_port = given.output(output), taken.input(into)
    if out_port is None or in_port is None or in_port.source == "run":
        return False
    return (
        conversion(out_port.tag, in_port.tag) is not None
        and source not in before
        and (in_port.many or not before)
    )
