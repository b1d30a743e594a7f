"""The body of a container seen from outside: what goes into it by name, and what comes out.

A body takes what its nodes take from the run (the fields of Start, ChatInput), and gives what enters its
collecting nodes (the fields of End, ChatOutput).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from bpaz_lab.graph.order import split
from bpaz_lab.graph.spec import Ports, PortSpec

if TYPE_CHECKING:
    from bpaz_lab.graph.check import Types
    from bpaz_lab.graph.document import Body, NodeEntry

ERROR = "error"
"""The output that a node has beside its own where its policy says ``on_error: port``."""


def body_ports(body: Body, types: Types) -> Ports:
    """The inputs and outputs of a body, each name once, in the order of the nodes.

    The tag of an output is that of the port which feeds it.
    """
    feeding = {target: source for source, target in body["edges"]}
    ports = cache(lambda name: types.ports(body["nodes"][name]))  # which looks into the bodies inside, too
    inputs: dict[str, PortSpec] = {}
    outputs: dict[str, PortSpec] = {}
    for name, entry in body["nodes"].items():
        spec, own = types.spec(entry["type"]), ports(name)
        if spec is None or own is None:
            continue
        for port in own.inputs:
            if port.source == "run":
                inputs.setdefault(port.name, port.model_copy(update={"source": "wire"}))
            elif spec.collects:
                node, output = split(feeding.get(f"{name}.{port.name}", ""))
                before = ports(node) if node in body["nodes"] else None
                found = before.output(output) if before else None
                outputs.setdefault(
                    port.name,
                    PortSpec(
                        name=port.name,
                        tag=found.tag if found else port.tag,
                        title=port.title,
                        main=not outputs,
                    ),
                )
    return Ports(inputs=tuple(inputs.values()), outputs=tuple(outputs.values()))


def with_error(ports: Ports, entry: NodeEntry) -> Ports:
    """The ports with the output ``error``, where the policy of the node asks for it."""
    if entry.get("policy", {}).get("on_error") != "port" or ports.output(ERROR):
        return ports
    main = ports.main
    needs = main.needs if main else tuple(port.name for port in ports.inputs)
    error = PortSpec(
        name=ERROR,
        tag="data",
        title="Error",
        help="What went wrong: code, message, hint and path. It comes instead of the results.",
        main=main is None,
        needs=needs,
    )
    return Ports(inputs=ports.inputs, outputs=(*ports.outputs, error))
