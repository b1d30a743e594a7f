"""The plan of a run: which methods are called with what, and what waits for what.

A plan is made once for a revision of a workflow and shared by its runs. Every computed output and every
input that the run itself gives has a *slot* in a list of values, so that a step reads and writes by
position. The body of a container has a plan of its own, kept with the container's step.

Steps are cut into *regions* at nodes with ``boundary`` (an approval): a region is what LangGraph sees as
one node, and a run that does without LangGraph takes no notice of them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from bpaz_lab.engine.ledger import STRICT
from bpaz_lab.graph.bodies import ERROR, with_error
from bpaz_lab.graph.order import demanded, ordered, split
from bpaz_lab.graph.ports import conversion, is_resource
from bpaz_lab.nodes.call import Call, calls_of
from bpaz_lab.nodes.convert import CONVERTERS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from bpaz_lab.graph.document import Body, NodeEntry
    from bpaz_lab.graph.spec import Ports, PortSpec
    from bpaz_lab.nodes.base import Node
    from bpaz_lab.nodes.catalogue import Catalogue


class Source(NamedTuple):
    """The other end of a wire."""

    place: str
    """``node.port``."""
    tag: str


class Feed(NamedTuple):
    """Where one argument comes from: the slots of its wires, or of the run's own input."""

    name: str
    slots: tuple[tuple[int, Callable[[Any], Any] | None], ...]
    many: bool
    required: bool
    wired: bool
    tag: str
    sources: tuple[Source, ...]
    """The other ends of the wires, in the order of the slots; none where the run itself feeds it."""


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
    cls: type[Node]
    entry: NodeEntry
    made: Node | None
    """The node itself; None where it is passed by or its outputs are given."""
    bound: list[Bound]
    slots: dict[str, int]
    """Every output, computed or not, to its slot."""
    region: int = 0
    followers: list[int] = field(default_factory=list)
    waits: int = 0
    optional: bool = False
    """It lies on a branch that may not be taken."""
    plain: bool = True
    """It needs nothing but to be called: no policy, no body, no limit, no rivals."""
    eager: bool = False
    """It starts with the first input that came."""
    rivals: tuple[int, ...] = ()
    """Of an eager step: the steps that nothing else needs."""
    error: int | None = None
    """The slot of the output ``error`` that its policy adds."""
    tags: dict[str, str] = field(default_factory=dict)
    """Every output to the tag of what it carries."""
    main: str = ""
    """The output that counts where none is named; empty for a node without outputs."""
    passes: tuple[Feed, int] | None = None
    """Of a node that is passed by: what goes on, and into which slot."""
    body: Plan | None = None
    """Of a container: the plan of its body."""
    strict: bool = False
    """It must not happen twice: a ledger is told before it begins."""
    live: tuple[str, ...] = ()
    """The outputs that carry live objects, which nothing keeps."""


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
    outputs: dict[str, Feed]
    """What enters the collecting nodes, by name: the outputs of a body."""
    pauses: bool = False
    """A node of it, or of a body in it, may ask a person."""
    racers: frozenset[int] = frozenset()
    """The steps that are for nothing when another branch comes first."""


def plan(
    body: Body,
    catalogue: Catalogue,
    targets: Iterable[str] = (),
    name: str = "",
    given: Collection[str] = (),
) -> Plan:
    """Makes the plan of a body that has no problems.

    Args:
        body: The nodes and edges.
        catalogue: The node types.
        targets: What to compute, ``node`` or ``node.port``; all sinks where empty.
        name: The workflow's name, for events.
        given: Nodes whose outputs the run brings along, so that nothing before them is computed.

    Raises:
        MissingPackage: A node that would be computed needs a package that is not installed.

    Example:
        >>> from bpaz_lab.graph.document import parse
        >>> from bpaz_lab.nodes.catalogue import catalogue
        >>> document = parse('{"bpaz": 1, "name": "x", "nodes": {"a": {"type": "TextInput"}}}')
        >>> [step.node for step in plan(document, catalogue()).steps]
        ['a']
    """
    return _Planner(body, catalogue, tuple(targets), name, given).plan()


class _Planner:
    def __init__(
        self,
        body: Body,
        catalogue: Catalogue,
        targets: tuple[str, ...],
        name: str,
        given: Collection[str] = (),
    ) -> None:
        self.body = body
        self.name = name
        self.targets = targets
        self.given = given
        self.catalogue = catalogue
        self.kinds: dict[str, tuple[type[Node], Ports | None]] = {}
        """The class of each type, with its ports where they do not depend on the settings."""
        self.types: dict[str, type[Node]] = {}
        self.ports: dict[str, Ports] = {}
        self.own: dict[str, Ports] = {}
        """The ports without the output ``error`` that a policy adds."""
        self.plain: dict[tuple[type[Node], frozenset[str]], _Made] = {}
        self.demand = demanded(body, self.ports_of, targets, given)
        self.incoming: dict[str, list[str]] = defaultdict(list)
        self.feeding: dict[str, list[str]] = {node: [] for node in body["nodes"] if node in self.demand}
        for source, target in body["edges"]:
            one, other = source.partition(".")[0], target.partition(".")[0]
            if one in self.demand and other in self.demand and other not in given:
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
            cut = step.cls.boundary
            step.region = max([each.region + (cut or each.cls.boundary) for each in before], default=0)
            step.waits = len(before)
            for each in before:
                each.followers.append(step.index)
        made = list(steps.values())
        for step in made:
            if step.eager:
                step.rivals = _rivals(step, made)
        return Plan(
            name=self.name,
            steps=made,
            regions=max((step.region for step in made), default=0) + 1,
            inputs=list(self.inputs.values()),
            slots={
                f"{node}.{name}": step.slots[name]
                for node, step in steps.items()
                for name in self.demand[node]
            },
            size=next(self.places),
            ends=self._ends(),
            outputs={
                feed.name: feed
                for step in made
                if step.cls.collects
                for bound in step.bound
                for feed in bound.feeds
                if feed.wired
            },
            pauses=any(_may_ask(step) for step in made),
            racers=frozenset(index for step in made for index in step.rivals),
        )

    def ports_of(self, node: str) -> Ports:
        """The ports of a node that is computed; the first call looks its type up."""
        found = self.ports.get(node)
        if found is None:
            entry = self.body["nodes"][node]
            cls, found = self.kinds.get(entry["type"]) or self._kind(entry["type"])
            self.types[node] = cls
            if found is None:
                own: Any = {key: value for key, value in entry.items() if key != "policy"}
                found = self.catalogue.ports(own)
                assert found is not None
            self.own[node] = found
            if "policy" in entry:
                found = with_error(found, entry)
            self.ports[node] = found
        return found

    def _kind(self, name: str) -> tuple[type[Node], Ports | None]:
        cls = self.catalogue.find(name)
        self.kinds[name] = cls, None if cls.dynamic() else cls.shape().ports
        return self.kinds[name]

    def _step(self, index: int, node: str) -> Step:
        slots: dict[str, int] = {}
        for port in self.ports[node].outputs:
            place = f"{node}.{port.name}"
            slots[port.name] = self.slots[place] = next(self.places)
            self.tags[place] = port.tag
        cls, entry = self.types[node], self.body["nodes"][node]
        policy = entry.get("policy")
        if node in self.given:
            self.uncertain.update(slots.values())
            return Step(index, node, cls, entry, None, [], slots, plain=False)
        if policy and policy.get("disabled"):
            return self._passed_by(index, node, slots)
        made = self._made(node)
        calls = made.calls
        if policy and policy.get("process"):
            calls = [call._replace(process=call.style in ("sync", "iterator")) for call in calls]
        bound = [self._bound(node, call, made) for call in calls]
        optional = bool(self.uncertain) and any(
            slot in self.uncertain for each in bound for feed in each.feeds for slot, _ in feed.slots
        )
        extra = self.ports[node] is not self.own[node]
        if optional or extra:
            self.uncertain.update(slots.values())
        for each in bound:
            if each.call.split:
                self.uncertain.update(slot for _, slot in each.slots)
        step = Step(index, node, cls, entry, made.node, bound, slots, optional=optional)
        step.error = slots[ERROR] if extra else None
        step.tags, step.main, step.eager = made.tags, made.main, made.eager
        if cls.container and (body := self.catalogue.body(entry)) is not None:
            step.body = _Planner(body, self.catalogue, (), self.name).plan()
        step.strict = cls.effect in STRICT and not cls.container
        step.live = made.live
        step.plain = not (policy or cls.container or cls.concurrency or step.eager)
        return step

    def _passed_by(self, index: int, node: str, slots: dict[str, int]) -> Step:
        """A node that is disabled: what enters it goes on, where its tag is that of the main output."""
        ports, main = self.ports[node], self.ports[node].main
        step = Step(index, node, self.types[node], self.body["nodes"][node], None, [], slots, plain=False)
        self.uncertain.update(slots.values())
        for port in ports.inputs:
            sources = self.incoming.get(f"{node}.{port.name}")
            if sources and main and conversion(port.tag, main.tag) == "":
                step.passes = self._feed(port, sources), slots[main.name]
                break
        return step

    def _made(self, node: str) -> _Made:
        """The calls of a node; nodes without settings share those of their class."""
        cls, ports, wanted = self.types[node], self.own[node], self.demand[node]
        if ports is not self.ports[node]:  # the error of a node is known when its result is asked for
            wanted = (wanted - {ERROR}) or {port.name for port in ports.outputs if port.main}
        if settings := self.body["nodes"][node]["settings"]:
            return _Made.of(cls.of(settings), ports, wanted)
        key = cls, frozenset(wanted)
        if key not in self.plain:
            self.plain[key] = _Made.of(cls.of({}), ports, wanted)
        return self.plain[key]

    def _bound(self, node: str, call: Call, made: _Made) -> Bound:
        defaults, ports = made.defaults, made.inputs
        feeds: list[Feed] = []
        constants: dict[str, Any] = {}
        for name in call.inputs:
            port, place = ports[name], f"{node}.{name}"
            if sources := self.incoming.get(place):
                feeds.append(self._feed(port, sources))
                if name in defaults:
                    constants[name] = defaults[name]
            else:
                wires = ((self._input(place, node, port, defaults).slot, None),)
                feeds.append(Feed(name, wires, False, port.required, False, port.tag, ()))
        slots = [(output, self.slots[f"{node}.{output}"]) for output in call.outputs]
        return Bound(call, tuple(feeds), constants, tuple(slots))

    def _feed(self, port: PortSpec, sources: list[str]) -> Feed:
        ends = tuple([Source(source, self.tags[source]) for source in sources])
        wires = tuple(
            [(self.slots[place], CONVERTERS.get(conversion(tag, port.tag) or "")) for place, tag in ends]
        )
        return Feed(port.name, wires, port.many, port.required, True, port.tag, ends)

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
    """What the methods of a node are, the arguments that its settings give, and its ports by name."""

    node: Node
    calls: list[Call]
    defaults: dict[str, Any]
    inputs: dict[str, PortSpec]
    tags: dict[str, str]
    main: str
    eager: bool
    live: tuple[str, ...]

    @classmethod
    def of(cls, node: Node, ports: Ports, wanted: set[str]) -> _Made:
        return cls(
            node=node,
            calls=calls_of(node, ports, wanted),
            defaults=node._defaults,
            inputs={port.name: port for port in ports.inputs},
            tags={port.name: port.tag for port in ports.outputs},
            main=ports.main.name if ports.main else "",
            eager=node.eager(),
            live=tuple(port.name for port in ports.outputs if is_resource(port.tag)),
        )


def _may_ask(step: Step) -> bool:
    return bool(
        step.cls.boundary
        or [bound for bound in step.bound if bound.call.context]
        or (step.body is not None and step.body.pauses)
    )


def _rivals(eager: Step, steps: list[Step]) -> tuple[int, ...]:
    """The steps before an eager one that nothing but it needs: when it starts they are for nothing."""
    only = {eager.index}
    for step in reversed(steps[: eager.index]):  # followers come later in the order
        if step.followers and only.issuperset(step.followers) and not step.cls.collects:
            only.add(step.index)
    return tuple(sorted(only - {eager.index}))
