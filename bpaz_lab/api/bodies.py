"""The body of a container as an editing scope, and the way in and out of sub-workflows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.api.editing import Editing
from bpaz_lab.errors import FormatError
from bpaz_lab.graph.document import body_at, normal_body
from bpaz_lab.graph.naming import unique
from bpaz_lab.graph.order import split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpaz_lab.api.handles import NodeHandle
    from bpaz_lab.graph.changes import Operation
    from bpaz_lab.graph.document import Body as BodyDocument
    from bpaz_lab.graph.history import Change

START, END, PART = "Start", "End", "SubWorkflow"
ANYTHING: Final = "any"


class Body(Editing):
    """What is inside a container: edited like a workflow, run by its container.

    Its Start nodes say what the container takes, its End nodes what it gives.

    Example:
        >>> from bpaz_lab import Workflow
        >>> wf = Workflow()
        >>> with wf.add("SubWorkflow", id="part") as body:
        ...     start = body.add("Start", fields=[{"name": "topic"}])
        ...     _ = start >> body.add("PromptTemplate", template="All about {topic}") >> body.add("End")
        >>> wf["part"]
        <SubWorkflow 'part': topic -> result>
    """

    def __init__(self, outer: Editing, id: str) -> None:
        self.outer = outer
        self.id = id

    def __repr__(self) -> str:
        return f"<body of {'/'.join(self.within)!r}: {len(self)} nodes>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Body) and self.root is other.root and self.within == other.within

    __hash__ = None  # type: ignore[assignment]

    @property
    def root(self) -> Editing:
        """The whole workflow."""
        return self.outer.root

    @property
    def history(self) -> Any:  # type: ignore[override]
        """That of the whole workflow: an undo takes back the last step, wherever it was made."""
        return self.root.history

    @property
    def types(self) -> Any:  # type: ignore[override]
        """The node types of the whole workflow."""
        return self.root.types

    @property
    def within(self) -> tuple[str, ...]:
        """The containers around what is edited here, from the top down."""
        return (*self.outer.within, self.id)

    @property
    def section(self) -> BodyDocument:
        """The nodes, edges and looks that are edited here."""
        return body_at(self.history.document, self.within)

    def apply(self, operations: Sequence[Operation], *, origin: str = "") -> Change:
        """Applies operations on this body as one undo step; see ``Workflow.apply``."""
        return self.root.apply(self._scoped(operations), origin=origin)


def extract(scope: Editing, nodes: Sequence[NodeHandle | str], id: str = "") -> str:
    """Puts nodes into a sub-workflow of their own; ``inline`` takes that back. Returns its id.

    What enters them from outside becomes a field of a Start node, what leaves them one of an End node.
    Nodes that stand for the run itself (Start, ChatInput, End, ChatOutput) stay where they are.

    Raises:
        FormatError: Nothing is left to put there, or the rest would lead in a circle with it.
    """
    section = scope.section
    chosen = [each if isinstance(each, str) else each.id for each in nodes]
    inside = [node for node in dict.fromkeys(chosen) if not _stands_for_run(scope, node)]
    if not inside:
        raise FormatError(
            "there is nothing to put into a sub-workflow",
            hint="Choose nodes that compute; what stands for the run stays outside.",
        )
    name = id or unique("part", section["nodes"])
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
            outer.append([f"{name}.{result}", target])
        else:
            outer.append([source, target])
    outer += [[source, f"{name}.{field}"] for source, field in fields.items()]
    open_ports = _open(scope, inside)
    for target, port in open_ports.items():
        field = unique(port, fields.values())
        fields[f"run {field}"] = field
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
    places = [section["layout"][node] for node in inside if node in section["layout"]]
    corner = [min(x for x, _ in places), min(y for _, y in places)] if places else []
    rest = {node: old for node, old in section["nodes"].items() if node not in inside}
    _replace(scope, {**rest, name: entry}, outer, {name: corner} if corner else {})
    return name


def inline(scope: Editing, id: str) -> list[str]:
    """Puts the nodes of a sub-workflow in its place: the inverse of ``extract``. Returns their ids.

    Raises:
        FormatError: It is no sub-workflow with a body of its own.
    """
    section, entry = scope.section, scope._entry(id)
    if "body" not in entry or entry["type"] != PART:
        raise FormatError(
            f"{id} is no sub-workflow with a body of its own",
            path=f"nodes.{id}",
            hint="ForEach, Loop and Try run their bodies in their own way and stay.",
        )
    body = entry["body"]
    starts = {node for node, each in body["nodes"].items() if each["type"] == START}
    ends = {node for node, each in body["nodes"].items() if each["type"] == END}
    rest = {node: each for node, each in section["nodes"].items() if node != id}
    names: dict[str, str] = {}
    for node in body["nodes"]:
        if node not in starts | ends:
            names[node] = unique(node, [*rest, *names.values()])
    feeding = {target: source for source, target in section["edges"] if split(target)[0] == id}
    gives = {split(target)[1]: source for source, target in body["edges"] if split(target)[0] in ends}

    def renamed(port: str) -> str:
        node, name = split(port)
        return f"{names[node]}.{name}"

    edges: list[list[str]] = []
    for source, target in section["edges"]:
        if split(target)[0] == id:
            continue
        if split(source)[0] != id:
            edges.append([source, target])
        elif inner := gives.get(split(source)[1]):
            through = feeding.get(f"{id}.{split(inner)[1]}") if split(inner)[0] in starts else renamed(inner)
            edges += [[through, target]] if through else []
    for source, target in body["edges"]:
        if split(target)[0] in ends:
            continue
        if split(source)[0] not in starts:
            edges.append([renamed(source), renamed(target)])
        elif outside := feeding.get(f"{id}.{split(source)[1]}"):
            edges.append([outside, renamed(target)])
    fresh = {names[node]: each for node, each in body["nodes"].items() if node in names}
    layout = {names[node]: at for node, at in body["layout"].items() if node in names}
    _replace(scope, {**rest, **fresh}, edges, layout)
    return list(fresh)


def _stands_for_run(scope: Editing, node: str) -> bool:
    entry = scope._entry(node)
    spec = scope.types.spec(entry["type"])
    fed_by_run = any(port.source == "run" for port in scope._ports(node).inputs)
    return fed_by_run or (spec is not None and spec.collects)


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
            if node in section["layout"]:
                operations.append({"path": ["layout", node], "old": section["layout"][node]})
    for node, entry in nodes.items():
        if section["nodes"].get(node) is not entry:
            operations.append({"path": ["nodes", node], "new": entry})
    for node, at in layout.items():
        operations.append({"path": ["layout", node], "new": at})
    for group, told in section["groups"].items():
        if (left := [node for node in told["nodes"] if node in nodes]) != told["nodes"]:
            operations.append(scope._members(group, left))
    seen: dict[str, int] = {}
    for source, target in sorted(edges, key=lambda edge: edge[1]):
        position = seen[target] = seen.get(target, -1) + 1
        if [source, target] not in section["edges"]:
            operations.append({"edge": [source, target], "new": position})
    scope.apply(operations)
