"""The plan of a run: which methods are called with what, and what waits for what.

A plan is made once for a revision of a workflow and shared by its runs. Every computed output and every
input that the run itself gives has a *slot* in a list of values, so that a step reads and writes by
position. Steps are cut into *regions* at nodes with ``boundary`` (an approval, a loop head): a region
never waits for a person, and is what LangGraph sees as one node.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from bpaz_lab.graph.order import demanded, ordered, split
from bpaz_lab.graph.ports import conversion
from bpaz_lab.nodes.call import Call, calls_of
from bpaz_lab.nodes.convert import CONVERTERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bpaz_lab.graph.document import Body
    from bpaz_lab.graph.spec import Ports, PortSpec
    from bpaz_lab.nodes.base import Node
    from bpaz_lab.nodes.catalogue import Catalogue


class Feed(NamedTuple):
    """Where one argument comes from: the slots of its wires, or of the run's own input."""

    name: str
    slots: tuple[tuple[int, Callable[[Any], Any] | None], ...]
    many: bool
    required: bool


class Bound(NamedTuple):
    """A call, its arguments' sources, and the slots that its outputs fill."""

    call: Call
    feeds: tuple[Feed, ...]
    constants: dict[str, Any]
    """Arguments that the settings give."""
    slots: tuple[tuple[str, int], ...]


class RunInput(NamedTuple):
    """An input that the run gives."""

    name: str
    node: str
    port: PortSpec
    slot: int
    default: Any
    has_default: bool


@dataclass(slots=True)
class Step:
    """One node of the plan."""

    index: int
    node: str
    bound: list[Bound]
    region: int
    followers: list[int] = field(default_factory=list)
    waits: int = 0
    wired: bool = False
    """Some argument comes by wire, so that the step can be skipped."""


@dataclass(slots=True)
class Plan:
    """What a run executes; see the module's docstring."""

    name: str
    steps: list[Step]
    regions: int
    inputs: list[RunInput]
    slots: dict[str, int]
    """``node.port`` to slot, for every computed output."""
    size: int
    """The number of slots."""
    ends: dict[str, int]
    """The nodes whose main output is the output of the run, to its slot."""


def plan(body: Body, catalogue: Catalogue, targets: Iterable[str] = (), name: str = "") -> Plan:
    """Makes the plan of a body that has no problems.

    Args:
        body: The nodes and edges.
        catalogue: The node types.
        targets: What to compute, ``node`` or ``node.port``; all sinks where empty.
        name: The workflow's name, for events.

    Raises:
        MissingPackage: A node that would be computed needs a package that is not installed.

    Example:
        >>> from bpaz_lab.graph.document import parse
        >>> from bpaz_lab.nodes.catalogue import catalogue
        >>> document = parse('{"bpaz": 1, "name": "x", "nodes": {"a": {"type": "TextInput"}}}')
        >>> [step.node for step in plan(document, catalogue()).steps]
        ['a']
    """
    return _Planner(body, catalogue, tuple(targets), name).plan()


class _Planner:
    def __init__(self, body: Body, catalogue: Catalogue, targets: tuple[str, ...], name: str) -> None:
        self.body = body
        self.name = name
        self.targets = targets
        self.types = {node: catalogue.find(entry["type"]) for node, entry in body["nodes"].items()}
        self.ports: dict[str, Ports] = {}
        self.incoming: dict[str, list[str]] = {}
        for source, target in body["edges"]:
            self.incoming.setdefault(target, []).append(source)
        self.slots: dict[str, int] = {}
        self.inputs: list[RunInput] = []
        self.given: dict[tuple[str, str], int] = {}
        self.size = 0

    def plan(self) -> Plan:
        demand = demanded(self.body, self.ports_of, self.targets)
        for cls in {self.types[node] for node in demand}:
            cls.require()
        feeding: dict[str, list[str]] = {node: [] for node in self.body["nodes"] if node in demand}
        for source, target in self.body["edges"]:
            one, other = split(source)[0], split(target)[0]
            if other in demand and one in demand:
                feeding[other].append(one)
        order, _ = ordered(feeding)
        for node in order:
            for port in self.ports_of(node).outputs:
                self.slots[f"{node}.{port.name}"] = self._slot()
        steps: list[Step] = []
        places: dict[str, int] = {}
        for node in order:
            before = [places[each] for each in dict.fromkeys(feeding[node])]
            step = self._step(len(steps), node, demand[node])
            step.region = max(
                (steps[each].region + self._cut(steps[each], step) for each in before), default=0
            )
            for each in before:
                if steps[each].region == step.region:
                    steps[each].followers.append(step.index)
                    step.waits += 1
            places[node] = step.index
            steps.append(step)
        return Plan(
            name=self.name,
            steps=steps,
            regions=max((step.region for step in steps), default=0) + 1,
            inputs=self.inputs,
            slots={port: slot for port, slot in self.slots.items() if self._computed(port, demand)},
            size=self.size,
            ends=self._ends(demand),
        )

    def ports_of(self, node: str) -> Ports:
        """The ports of a node, asked once."""
        found = self.ports.get(node)
        if found is None:
            cls, settings = self.types[node], self.body["nodes"][node]["settings"]
            known = {each.name: each.default for each in cls.shape().fields} if cls.dynamic() else {}
            found = self.ports[node] = cls.ports({**known, **settings})
        return found

    def _slot(self) -> int:
        self.size += 1
        return self.size - 1

    def _computed(self, port: str, demand: dict[str, set[str]]) -> bool:
        node, name = split(port)
        return name in demand.get(node, ())

    def _cut(self, before: Step, step: Step) -> int:
        return int(self.types[before.node].boundary or self.types[step.node].boundary)

    def _step(self, index: int, node: str, wanted: set[str]) -> Step:
        entry, ports = self.body["nodes"][node], self.ports_of(node)
        made = self.types[node].of(entry["settings"])
        calls = calls_of(made, ports, wanted)
        bound = [self._bound(node, made, ports, call) for call in calls]
        wired = any(f"{node}.{feed.name}" in self.incoming for each in bound for feed in each.feeds)
        return Step(index=index, node=node, bound=bound, region=0, wired=wired)

    def _bound(self, node: str, made: Node, ports: Ports, call: Call) -> Bound:
        feeds: list[Feed] = []
        constants: dict[str, Any] = {}
        defaults = made._defaults
        for name in call.inputs:
            port = ports.input(name)
            assert port is not None
            sources = self.incoming.get(f"{node}.{name}")
            if sources:
                wires = tuple((self.slots[source], self._converter(source, port)) for source in sources)
                feeds.append(Feed(name, wires, port.many, port.required))
                if name in defaults:
                    constants[name] = defaults[name]
            else:
                slot = self._input(node, port, defaults)
                feeds.append(Feed(name, ((slot, None),), many=False, required=port.required))
        return Bound(
            call, tuple(feeds), constants, tuple((out, self.slots[f"{node}.{out}"]) for out in call.outputs)
        )

    def _converter(self, source: str, target: PortSpec) -> Callable[[Any], Any] | None:
        node, name = split(source)
        port = self.ports_of(node).output(name)
        assert port is not None
        return CONVERTERS.get(conversion(port.tag, target.tag) or "")

    def _input(self, node: str, port: PortSpec, defaults: dict[str, Any]) -> int:
        known = self.given.get((node, port.name))
        if known is not None:
            return known
        slot = self.given[node, port.name] = self._slot()
        self.inputs.append(
            RunInput(port.name, node, port, slot, defaults.get(port.name), port.name in defaults)
        )
        return slot

    def _ends(self, demand: dict[str, set[str]]) -> dict[str, int]:
        connected = {split(source)[0] for source, target in self.body["edges"] if split(target)[0] in demand}
        collecting = [node for node in demand if self.types[node].collects]
        asked = [split(target) for target in self.targets]
        ends = asked or [(node, "") for node in collecting or [n for n in demand if n not in connected]]
        found = {}
        for node, port in ends:
            main = self.ports_of(node).main
            name = port or (main.name if main else "")
            if name:
                found[f"{node}.{port}" if port else node] = self.slots[f"{node}.{name}"]
        return found
