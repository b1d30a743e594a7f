"""What is wrong with a workflow: every problem at once, each with its path and a hint. Runs nothing."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Protocol

from bpaz_lab.errors import (
    ConnectionRefused,
    CycleError,
    DocumentError,
    EdgeError,
    FormatError,
    LiteralSecret,
    MissingInput,
    UnknownNodeType,
)
from bpaz_lab.graph.order import circle, leads_to, ordered, predecessors, split
from bpaz_lab.graph.ports import conversion, is_resource
from bpaz_lab.graph.spec import Ports, PortSpec
from bpaz_lab.guard.secret import looks_like_secret
from bpaz_lab.guard.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from bpaz_lab.graph.document import Body, NodeEntry
    from bpaz_lab.graph.spec import NodeSpec


class Types(Protocol):
    """What the checks ask of the catalogue."""

    def spec(self, name: str) -> NodeSpec | None:
        """The spec of a type, or None."""

    def ports(self, entry: NodeEntry) -> Ports | None:
        """The ports of a node with its settings, its policy and its body; None for an unknown type."""

    def body(self, entry: NodeEntry) -> Body | None:
        """The body that a container runs, its own or the one that its settings name; None without one.

        Raises:
            DocumentError: What the settings name is not there.
        """

    def reference(self, entry: NodeEntry) -> str:
        """What a container names instead of a body of its own; empty for any other node."""

    def problems(self, name: str, settings: Mapping[str, Any]) -> list[DocumentError]:
        """What is wrong with these settings; paths start at the setting."""


def check(body: Body, types: Types, within: str = "", trail: tuple[str, ...] = ()) -> list[DocumentError]:
    """All problems of a workflow, in the order nodes, edges, circles; empty when there is none.

    Args:
        body: The nodes and edges.
        types: The node types.
        within: Where the body stands, such as ``nodes.each.body.``; empty at the top.
        trail: The workflows that lead here, each named by the one before.

    Example:
        >>> from bpaz_lab.graph.document import parse
        >>> from bpaz_lab.nodes.catalogue import catalogue
        >>> text = '{"bpaz": 1, "name": "x", "nodes": {"a": {"type": "Nope"}}, "edges": [["b.x", "a.y"]]}'
        >>> for problem in check(parse(text), catalogue()):
        ...     print(problem.code, problem.path)
        unknown_node_type nodes.a.type
        edge edges.0
    """
    ports = {name: ports_of(body, name, types) for name in body["nodes"]}
    fed = {target for _, target in body["edges"]}
    problems: list[DocumentError] = []
    for name in body["nodes"]:
        problems += _node_problems(body, name, types, ports[name], fed)
        if within:
            problems += _unfed(name, ports[name], fed, body["nodes"][name])
    problems += _edge_problems(body, ports)
    feeding = predecessors(body)
    _, stuck = ordered(feeding)
    if stuck:
        problems.append(_cycle(circle(feeding, stuck)))
    for problem in problems if within else ():
        problem.path = f"{within}{problem.path}"
    for name, entry in body["nodes"].items():
        if "body" in entry or types.reference(entry):
            problems += _inside(name, entry, types, within, trail)
    return problems


def _inside(
    name: str, entry: NodeEntry, types: Types, within: str, trail: tuple[str, ...]
) -> list[DocumentError]:
    """The problems of a container's body, its own or the one that it names."""
    spec, reference = types.spec(entry["type"]), types.reference(entry)
    if reference in trail:
        circle_of = " -> ".join([*trail[trail.index(reference) :], reference])
        return [
            CycleError(
                f"sub-workflows lead in a circle: {circle_of}",
                path=f"{within}nodes.{name}.settings.workflow",
                hint="A workflow cannot run itself; use a Loop.",
            )
        ]
    try:
        body = types.body(entry)
    except DocumentError as error:
        error.path = f"{within}nodes.{name}.{error.path}"
        return error.problems
    if "body" in entry and spec is not None and not spec.container:
        return [
            FormatError(
                f"{name} ({entry['type']}) is no container, and has a body",
                path=f"{within}nodes.{name}.body",
                hint="Remove it, or choose a container such as SubWorkflow.",
            )
        ]
    inner = (*trail, reference) if reference else trail
    return [] if body is None else check(body, types, f"{within}nodes.{name}.body.", inner)


def _unfed(name: str, ports: Ports, fed: set[str], entry: NodeEntry) -> list[DocumentError]:
    """Inside a body nothing comes but by wires: a required input that has none is a problem."""
    return [
        MissingInput(
            f"{name} needs {port.name!r}, and nothing is connected to it",
            path=f"nodes.{name}.inputs.{port.name}",
            hint="Connect it; what comes from outside of the body enters by a field of its Start node.",
        )
        for port in ports.inputs
        if port.required
        and port.source == "wire"
        and not is_resource(port.tag)  # which the check of the node reports
        and f"{name}.{port.name}" not in fed
        and port.name not in entry["settings"]
    ]


def ports_of(body: Body, name: str, types: Types) -> Ports:
    """The ports of a node; a placeholder's are those that its edges name."""
    entry = body["nodes"][name]
    found = types.ports(entry)
    return _inferred(name, body["edges"]) if found is None else found


def _node_problems(body: Body, name: str, types: Types, ports: Ports, fed: set[str]) -> list[DocumentError]:
    """The problems of one node: its type, its settings, resources that nothing feeds."""
    entry = body["nodes"][name]
    spec = types.spec(entry["type"])
    if spec is None:
        return [_unknown(name, entry["type"])]
    problems: list[DocumentError] = []
    for problem in types.problems(entry["type"], entry["settings"]):
        problem.path = f"nodes.{name}.settings.{problem.path}"
        problems.append(problem)
    known = {problem.path for problem in problems}
    problems += [p for p in secrets(entry["settings"], f"nodes.{name}.settings") if p.path not in known]
    for port in ports.inputs:
        if port.required and is_resource(port.tag) and f"{name}.{port.name}" not in fed:
            problems.append(
                MissingInput(
                    f"{name} needs {port.tag}, and nothing is connected to {port.name!r}",
                    path=f"nodes.{name}.inputs.{port.name}",
                    hint="Connect one.",
                )
            )
    return problems


def secrets_in(body: Body, within: str = "") -> list[DocumentError]:
    """A problem for each literal secret in the settings and policies of a body, and of the bodies in it."""
    found: list[DocumentError] = []
    for name, entry in body["nodes"].items():
        path = f"{within}nodes.{name}"
        found += secrets(entry["settings"], f"{path}.settings")
        found += secrets(entry.get("policy"), f"{path}.policy")
        if "body" in entry:
            found += secrets_in(entry["body"], f"{path}.body.")
    return found


def secrets(value: Any, path: str) -> list[DocumentError]:
    """A problem for each literal secret inside a JSON value."""
    if isinstance(value, dict):
        return [fault for key, part in value.items() for fault in secrets(part, f"{path}.{key}")]
    if isinstance(value, list):
        return [fault for number, part in enumerate(value) for fault in secrets(part, f"{path}.{number}")]
    if isinstance(value, str) and looks_like_secret(value):
        return [
            LiteralSecret(
                "this looks like a secret, and a workflow never holds one",
                path=path,
                hint="Take it out, revoke it if it was shared, and name a credential instead.",
            )
        ]
    return []


def edge_problem(
    body: Body, source: str, target: str, types: Types, *, others: Iterable[list[str]] | None = None
) -> DocumentError | None:
    """Why an edge may not be there, or None; ``others`` are the edges beside it (default: all)."""
    edges = list(body["edges"] if others is None else others)
    ends = [_end(body, port, types) for port in (source, target)]
    for (node, name), ports, side in zip(
        map(split, (source, target)), ends, ("output", "input"), strict=True
    ):
        if missing := _missing_end(body, node, name, ports, side):
            return missing
    assert ends[0] is not None
    assert ends[1] is not None
    (one, output), (other, into) = split(source), split(target)
    out_port, in_port = ends[0].output(output), ends[1].input(into)
    assert out_port is not None
    assert in_port is not None
    taken = [other for other, into in edges if into == target]
    if problem := _misfit(source, out_port, target, in_port, taken):
        return problem
    if one == other or leads_to({**body, "edges": edges}, other, one):
        return CycleError(
            f"{source} -> {target} would lead in a circle", hint="Loops are container nodes, not edges."
        )
    return None


def target_problem(body: Body, target: str, types: Types) -> EdgeError | None:
    """Why a run cannot compute ``node`` or ``node.port``, or None: it does not exist."""
    node, port = split(target)
    ports = _end(body, target, types)
    return None if ports is not None and not port else _missing_end(body, node, port, ports, "output")


def _edge_problems(body: Body, ports: dict[str, Ports]) -> list[DocumentError]:
    problems: list[DocumentError] = []
    entering: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for number, (source, target) in enumerate(body["edges"]):
        (one, output), (other, into) = split(source), split(target)
        problem: DocumentError | None = _missing_end(
            body, one, output, ports.get(one), "output"
        ) or _missing_end(body, other, into, ports.get(other), "input")
        if problem is None:
            out_port, in_port = ports[one].output(output), ports[other].input(into)
            assert out_port is not None
            assert in_port is not None
            problem = _misfit(source, out_port, target, in_port, entering[target])
        if problem is not None:
            problem.path = f"edges.{number}"
            problems.append(problem)
        entering[target][source] = None
    return problems


def _end(body: Body, port: str, types: Types) -> Ports | None:
    node = split(port)[0]
    return ports_of(body, node, types) if node in body["nodes"] else None


def _missing_end(body: Body, node: str, name: str, ports: Ports | None, side: str) -> EdgeError | None:
    if ports is None:
        return EdgeError(
            f"there is no node {node!r}",
            hint=closest(node, body["nodes"]) or f"The nodes are: {_listed(body['nodes'])}.",
        )
    known = ports.outputs if side == "output" else ports.inputs
    names = [port.name for port in known if port.source == "wire"]
    if name in names:
        return None
    if any(port.name == name for port in known):
        return EdgeError(f"{node}.{name} is fed by the run, not by a wire", hint=f"Pass it: run({name}=...).")
    return EdgeError(
        f"{node} ({body['nodes'][node]['type']}) has no {side} {name!r}",
        hint=closest(name, names) or f"Its {side}s are: {_listed(names)}.",
    )


def _misfit(
    source: str, out_port: PortSpec, target: str, in_port: PortSpec, taken: Collection[str]
) -> ConnectionRefused | None:
    if conversion(out_port.tag, in_port.tag) is None:
        return ConnectionRefused(
            f"{source} gives {out_port.tag}, but {target} takes {in_port.tag}",
            hint=f"Put a node between them that makes {in_port.tag} of {out_port.tag}.",
        )
    if source in taken:
        return ConnectionRefused(f"{source} -> {target} is already there")
    if taken and not in_port.many:
        return ConnectionRefused(
            f"{target} takes one wire, and {next(iter(taken))} is connected to it",
            hint=f"Disconnect {next(iter(taken))} first.",
        )
    return None


def _cycle(nodes: list[str]) -> CycleError:
    return CycleError(
        f"the edges lead in a circle: {' -> '.join([*nodes, nodes[0]])}",
        path=f"nodes.{nodes[0]}",
        hint="Remove one of the edges; loops are container nodes.",
    )


def _unknown(name: str, kind: str) -> UnknownNodeType:
    package = kind.partition(":")[0] if ":" in kind else ""
    install = f"pip install {package}" if package else "Install the package that brings it, or run its cell"
    return UnknownNodeType(
        f"no installed package provides the node type {kind!r}",
        path=f"nodes.{name}.type",
        hint=f"{install}; its settings and wires are kept meanwhile.",
    )


def _inferred(name: str, edges: Iterable[list[str]]) -> Ports:
    """The ports of a node of an unknown type, as far as its edges tell."""
    inputs: dict[str, None] = {}
    outputs: dict[str, None] = {}
    for source, target in edges:
        if split(source)[0] == name:
            outputs[split(source)[1]] = None
        if split(target)[0] == name:
            inputs[split(target)[1]] = None
    return Ports(
        inputs=tuple(PortSpec(name=port, tag="any", many=True) for port in inputs),
        outputs=tuple(
            PortSpec(name=port, tag="any", main=number == 0) for number, port in enumerate(outputs)
        ),
    )


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:12]) + (" …" if len(names) > 12 else "") if names else "none"
