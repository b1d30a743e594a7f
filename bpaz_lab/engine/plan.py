"""The plan of a run: which methods are called with what, and what waits for what.

A plan is made once for a revision of a workflow and shared by its runs. Every computed output and every
input that the run itself gives has a *slot* in a list of values, so that a step reads and writes by
position. Steps are cut into *regions* at nodes with ``boundary`` (an approval, a loop head): a region
never waits for a person, and is what LangGraph sees as one node.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import count
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
    wired: bool


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
    optional: bool = False
    """It lies on a branch that may not be taken."""


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
        self.catalogue = catalogue
        self.kinds: dict[str, tuple[type[Node], Ports | None]] = {}
        """The class of each type, with its ports where they do not depend on the settings."""
        self.types: dict[str, type[Node]] = {}
        self.ports: dict[str, Ports] = {}
        self.plain: dict[tuple[type[Node], frozenset[str]], _Made] = {}
        self.demand = demanded(body, self.ports_of, targets)
        self.incoming: dict[str, list[str]] = defaultdict(list)
        self.feeding: dict[str, list[str]] = {node: [] for node in body["nodes"] if node in self.demand}
        for source, target in body["edges"]:
            one, other = source.partition(".")[0], target.partition(".")[0]
            if one in self.demand and other in self.demand:
                self.incoming[target].append(source)
                self.feeding[other].append(one)
        self.places = count()
        self.slots: dict[str, int] = {}
        self.tags: dict[str, str] = {}
        self.uncertain: set[int] = set()
        """The slots that stay empty when a branch is not taken."""
        self.inputs: dict[str, RunInput] = {}

    def plan(self) -> Plan:
        for cls, node in {self.types[node]: node for node in self.demand}.items():
            cls.require(f"nodes.{node}")
        steps: dict[str, Step] = {}
        for node in ordered(self.feeding)[0]:
            before = [steps[each] for each in dict.fromkeys(self.feeding[node])]
            step = steps[node] = self._step(len(steps), node)
            step.region = max([each.region + self._cut(each, step) for each in before], default=0)
            for each in before:
                if each.region == step.region:
                    each.followers.append(step.index)
                    step.waits += 1
        return Plan(
            name=self.name,
            steps=list(steps.values()),
            regions=max((step.region for step in steps.values()), default=0) + 1,
            inputs=list(self.inputs.values()),
            slots={port: self.slots[port] for node in steps for port in self._computed(node)},
            size=next(self.places),
            ends=self._ends(),
        )

    def ports_of(self, node: str) -> Ports:
        """The ports of a node that is computed; the first call looks its type up."""
        found = self.ports.get(node)
        if found is None:
            entry = self.body["nodes"][node]
            cls, found = self.kinds.get(entry["type"]) or self._kind(entry["type"])
            self.types[node] = cls
            if found is None:
                known = {each.name: each.default for each in cls.shape().fields}
                found = cls.ports({**known, **entry["settings"]})
            self.ports[node] = found
        return found

    def _kind(self, name: str) -> tuple[type[Node], Ports | None]:
        cls = self.catalogue.find(name)
        self.kinds[name] = cls, None if cls.dynamic() else cls.shape().ports
        return self.kinds[name]

    def _computed(self, node: str) -> list[str]:
        return [f"{node}.{output}" for output in self.demand[node]]

    def _cut(self, before: Step, step: Step) -> int:
        return int(self.types[before.node].boundary or self.types[step.node].boundary)

    def _step(self, index: int, node: str) -> Step:
        for port in self.ports[node].outputs:
            place = f"{node}.{port.name}"
            self.slots[place], self.tags[place] = next(self.places), port.tag
        made = self._made(node)
        bound = [self._bound(node, call, made.defaults) for call in made.calls]
        optional = bool(self.uncertain) and any(
            slot in self.uncertain for each in bound for feed in each.feeds for slot, _ in feed.slots
        )
        for each in bound:
            if optional or each.call.split:
                self.uncertain.update(slot for _, slot in each.slots)
        return Step(index=index, node=node, bound=bound, region=0, optional=optional)

    def _made(self, node: str) -> _Made:
        """The calls of a node; nodes without settings share those of their class."""
        cls, ports, wanted = self.types[node], self.ports[node], self.demand[node]
        if settings := self.body["nodes"][node]["settings"]:
            return _Made.of(cls.of(settings), ports, wanted)
        key = cls, frozenset(wanted)
        if key not in self.plain:
            self.plain[key] = _Made.of(cls.of({}), ports, wanted)
        return self.plain[key]

    def _bound(self, node: str, call: Call, defaults: dict[str, Any]) -> Bound:
        ports = self.ports[node]
        feeds: list[Feed] = []
        constants: dict[str, Any] = {}
        for name in call.inputs:
            port = ports.input(name)
            assert port is not None
            place = f"{node}.{name}"
            if sources := self.incoming.get(place):
                wires = tuple([self._wire(source, port) for source in sources])
                feeds.append(Feed(name, wires, port.many, port.required, wired=True))
                if name in defaults:
                    constants[name] = defaults[name]
            else:
                wires = ((self._input(place, node, port, defaults).slot, None),)
                feeds.append(Feed(name, wires, many=False, required=port.required, wired=False))
        slots = [(output, self.slots[f"{node}.{output}"]) for output in call.outputs]
        return Bound(call, tuple(feeds), constants, tuple(slots))

    def _wire(self, source: str, target: PortSpec) -> tuple[int, Callable[[Any], Any] | None]:
        return self.slots[source], CONVERTERS.get(conversion(self.tags[source], target.tag) or "")

    def _input(self, place: str, node: str, port: PortSpec, defaults: dict[str, Any]) -> RunInput:
        name = port.name
        if place not in self.inputs:  # else two methods of the node take it
            self.inputs[place] = RunInput(
                name, node, port, next(self.places), defaults.get(name), name in defaults
            )
        return self.inputs[place]

    def _ends(self) -> dict[str, int]:
        feeding = {node for before in self.feeding.values() for node in before}
        sinks = [node for node in self.demand if node not in feeding]
        collecting = [node for node in self.demand if self.types[node].collects]
        asked = [split(target) for target in self.targets]
        found = {}
        for node, port in asked or [(node, "") for node in collecting or sinks]:
            main = self.ports[node].main
            name = port or (main.name if main else "")
            if name:
                found[f"{node}.{port}" if port else node] = self.slots[f"{node}.{name}"]
        return found


class _Made(NamedTuple):
    """What the methods of a node are, and the arguments that its settings give."""

    calls: list[Call]
    defaults: dict[str, Any]

    @classmethod
    def of(cls, node: Node, ports: Ports, wanted: set[str]) -> _Made:
        return cls(calls_of(node, ports, wanted), node._defaults)
