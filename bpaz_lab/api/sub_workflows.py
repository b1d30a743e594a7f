"""Into a sub-workflow and out of it: ``extract`` and ``inline`` are inverse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.errors import FormatError
from bpaz_lab.graph.document import normal_body
from bpaz_lab.graph.naming import unique
from bpaz_lab.graph.order import split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpaz_lab.api.editing import Editing
    from bpaz_lab.api.handles import NodeHandle
    from bpaz_lab.graph.document import Body

START, END, PART = "Start", "End", "SubWorkflow"
ANYTHING: Final = "any"


def extract(scope: Editing, nodes: Sequence[NodeHandle | str], id: str = "") -> str:
    """Puts nodes into a sub-workflow of their own and returns its id; see ``Workflow.extract``."""
    section = scope.section
    chosen = [each if isinstance(each, str) else each.id for each in nodes]
    inside = [node for node in dict.fromkeys(chosen) if not _stands_for_run(scope, node)]
    if not inside:
        raise FormatError(
            "there is nothing to put into a sub-workflow",
            hint="Choose nodes that compute; what stands for the run stays outside.",
        )
    part = id or unique("part", section["nodes"])
    start, end = unique("inputs", inside), unique("outputs", inside)
    fields: dict[str, str] = {}  # what enters, by its source
    results: dict[str, str] = {}
    inner: list[list[str]] = []
    outer: list[list[str]] = []
    for source, target in section["edges"]:
        comes, goes = split(source)[0] in inside, split(target)[0] in inside
        if comes and goes:
            inner.append([source, target])
        elif goes:
            field = fields.setdefault(source, unique(split(target)[1], fields.values()))
            inner.append([f"{start}.{field}", target])
        elif comes:
            result = results.setdefault(source, unique(split(source)[1], results.values()))
            outer.append([f"{part}.{result}", target])
        else:
            outer.append([source, target])
    outer += [[source, f"{part}.{field}"] for source, field in fields.items()]
    for source, port in _ends(scope, inside).items():  # so that their results are seen as before
        results.setdefault(source, unique(port, results.values()))
    for target, port in _open(scope, inside).items():
        field = fields[f"run {target}"] = unique(port, fields.values())
        inner.append([f"{start}.{field}", target])
    inner += [[source, f"{end}.{result}"] for source, result in results.items()]
    body: dict[str, Any] = {
        "nodes": {node: section["nodes"][node] for node in inside},
        "edges": inner,
        "layout": {node: at for node, at in section["layout"].items() if node in inside},
    }
    if fields:
        kinds = [{"name": field, "kind": ANYTHING} for field in fields.values()]
        body["nodes"][start] = _entry(scope, START, {"fields": kinds})
    if results:
        body["nodes"][end] = _entry(scope, END, {"fields": list(results.values())})
    entry = {**_entry(scope, PART, {}), "body": normal_body(body)}  # type: ignore[arg-type]
    rest = {node: old for node, old in section["nodes"].items() if node not in inside}
    corner = [min(axis) for axis in zip(*body["layout"].values(), strict=True)]
    _replace(scope, {**rest, part: entry}, outer, {part: corner} if corner else {})
    return part


def inline(scope: Editing, id: str) -> list[str]:
    """Puts the nodes of a sub-workflow in its place and returns their ids; see ``Workflow.inline``."""
    section, entry = scope.section, scope._entry(id)
    if "body" not in entry or entry["type"] != PART:
        raise FormatError(
            f"{id} is no sub-workflow with a body of its own",
            path=f"nodes.{id}",
            hint="ForEach, Loop and Try run their bodies in their own way and stay.",
        )
    body = entry["body"]
    rest = {node: each for node, each in section["nodes"].items() if node != id}
    names: dict[str, str] = {}
    for node, each in body["nodes"].items():
        if each["type"] not in (START, END):
            names[node] = unique(node, [*rest, *names.values()])
    fresh = {name: body["nodes"][node] for node, name in names.items()}
    layout = {names[node]: at for node, at in body["layout"].items() if node in names}
    _replace(scope, {**rest, **fresh}, _dissolved(section, id, body, names), layout)
    return list(fresh)


def _dissolved(section: Body, id: str, body: Body, names: dict[str, str]) -> list[list[str]]:
    """The edges without the sub-workflow, its Start and its End."""
    kinds = {node: entry["type"] for node, entry in body["nodes"].items()}
    entering = {split(into)[1]: source for source, into in section["edges"] if split(into)[0] == id}
    leaving = {split(into)[1]: source for source, into in body["edges"] if kinds[split(into)[0]] == END}

    def source_of(port: str) -> str:
        """What feeds a port of the body: a node of it, or what came from outside; empty for nothing."""
        node, name = split(port)
        return entering.get(name, "") if kinds[node] == START else f"{names[node]}.{name}"

    edges: list[list[str]] = []
    for source, target in section["edges"]:
        node, name = split(source)
        comes = source if node != id else source_of(leaving[name]) if name in leaving else ""
        if comes and split(target)[0] != id:
            edges.append([comes, target])
    for source, target in body["edges"]:
        node, name = split(target)
        if kinds[node] != END and (comes := source_of(source)):
            edges.append([comes, f"{names[node]}.{name}"])
    return edges


def _stands_for_run(scope: Editing, node: str) -> bool:
    spec = scope.types.spec(scope._entry(node)["type"])
    fed_by_run = any(port.source == "run" for port in scope._ports(node).inputs)
    return fed_by_run or (spec is not None and spec.collects)


def _ends(scope: Editing, inside: Sequence[str]) -> dict[str, str]:
    """The main outputs of these nodes that feed nothing: port by place."""
    feeding = {split(source)[0] for source, _ in scope.section["edges"]}
    mains = {node: scope._ports(node).main for node in inside if node not in feeding}
    return {f"{node}.{main.name}": main.name for node, main in mains.items() if main}


def _open(scope: Editing, inside: Sequence[str]) -> dict[str, str]:
    """The required inputs of these nodes that nothing feeds, so that the run does: port by place."""
    fed = {target for _, target in scope.section["edges"]}
    found = {}
    for node in inside:
        settings = scope._entry(node)["settings"]
        for port in scope._ports(node).inputs:
            if port.required and f"{node}.{port.name}" not in fed and port.name not in settings:
                found[f"{node}.{port.name}"] = port.name
    return found


def _entry(scope: Editing, type: str, settings: dict[str, Any]) -> dict[str, Any]:
    return {"type": type, "version": scope.types.find(type).version, "settings": settings}


def _replace(scope: Editing, nodes: dict[str, Any], edges: list[list[str]], layout: dict[str, Any]) -> None:
    """Makes a body have these nodes and edges, as one undo step."""
    section = scope.section
    operations = scope._without([edge for edge in section["edges"] if edge not in edges])
    for node, entry in section["nodes"].items():
        if nodes.get(node) is not entry:
            operations.append({"path": ["nodes", node], "old": entry})
            operations += [
                {"path": ["layout", node], "old": at} for at in [section["layout"].get(node)] if at
            ]
    fresh = {node: entry for node, entry in nodes.items() if section["nodes"].get(node) is not entry}
    operations += [{"path": ["nodes", node], "new": entry} for node, entry in fresh.items()]
    operations += [{"path": ["layout", node], "new": at} for node, at in layout.items()]
    for group, told in section["groups"].items():
        if (left := [node for node in told["nodes"] if node in nodes]) != told["nodes"]:
            operations.append(scope._members(group, left))
    position: dict[str, int] = {}
    for source, target in sorted(edges, key=lambda edge: edge[1]):
        position[target] = position.get(target, -1) + 1
        if [source, target] not in section["edges"]:
            operations.append({"edge": [source, target], "new": position[target]})
    scope.apply(operations)
