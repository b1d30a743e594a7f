"""The function of a script that does what a workflow, or the body of a container, does.

Nodes become calls in the order of the edges. What hangs on a branch is called through ``step``, which knows
what comes when a branch is not taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from bpaz_lab.code.about import (
    Arguments,
    Parameter,
    default_of,
    dict_of,
    distinct,
    one_line,
    parameters_of,
    splits,
    tuple_of,
)
from bpaz_lab.code.condition import CALLED
from bpaz_lab.code.names import Names
from bpaz_lab.code.pretty import Call, Expression, Items, Text, flat, literal, quoted, statement
from bpaz_lab.graph.bodies import ERROR, body_ports
from bpaz_lab.graph.check import ports_of
from bpaz_lab.graph.order import demanded, ordered, predecessors, split
from bpaz_lab.graph.ports import CONVERSIONS, conversion
from bpaz_lab.nodes.script import Piece, piece_of

if TYPE_CHECKING:
    from bpaz_lab.code.shake import Shaken
    from bpaz_lab.graph.document import Body, NodeEntry
    from bpaz_lab.graph.spec import Ports, PortSpec
    from bpaz_lab.nodes.base import Node
    from bpaz_lab.nodes.catalogue import Catalogue

_CONVERT: Final = "bpaz_lab.nodes.convert"
_INDENT: Final = "    "
_RESERVED: Final = ("main", "workflow", "argparse", "json", "values")
_CALLED: Final = (
    *("MISSING", "step", "way", "via", "several", "gathered", "reached", "tried", "named", "credential"),
    *CALLED,
    *CONVERSIONS.values(),
    "to_list",
)
"""Functions that any script may call, which no variable may hide."""


class Script(Protocol):
    """The script that a function is written for."""

    types: Catalogue
    shaken: Shaken
    functions: list[str]

    def take(self, name: str, module: str = ..., /) -> str:
        """A function of the script, by where it comes from."""

    def piece(self, piece: Piece) -> str:
        """The function of a node."""

    def value(self, value: Any, expressions: tuple[str, ...], name: str = "") -> Expression:
        """A setting."""


class BodyWriter:
    """Writes the function of the workflow, or of a container's body."""

    def __init__(self, script: Script, body: Body, name: str, *, inner: bool = False) -> None:
        self.script = script
        self.body = body
        self.name = name
        self.inner = inner
        self.types = script.types
        self.ports = {id: ports_of(body, id, self.types) for id in body["nodes"]}
        self.demand = demanded(body, self.ports.__getitem__)
        self.feeding: dict[str, list[str]] = {}
        for source, target in body["edges"]:
            self.feeding.setdefault(target, []).append(source)
        self.parameters: dict[str, Parameter] = {}
        self.places: dict[str, str] = {}
        """What an output is called: code by ``node.port``."""
        self.uncertain: set[str] = set()
        self.bodies = {
            id: script.shaken.reserve(f"{name}_{id}" if inner else f"{id}_body")
            for id in self.demand
            if self.types.body(body["nodes"][id]) is not None
        }
        self.names = Names(*_RESERVED, *self.bodies.values(), *self._functions())
        self.lines: list[str] = []

    def _functions(self) -> list[str]:
        """The functions that are called here, which no variable may hide."""
        found = [*_CALLED]
        for id in self.demand:
            entry = self.body["nodes"][id]
            pieces = [
                piece_of(self.types.find(entry["type"]), output, entry["settings"])
                for output in self.demand[id]
            ]
            found += [self.script.piece(piece) for piece in pieces if piece is not None]
        return found

    def function(self) -> str:
        """The source of the function."""
        before = {
            id: {each for each in feeding if each in self.demand}
            for id, feeding in predecessors(self.body).items()
            if id in self.demand
        }
        for id in ordered(before)[0]:
            self._node(id)
        self._result()
        about = "One round." if self.inner else "The whole workflow."
        return "\n".join([f"def {self.name}({self._signature()}):", f'{_INDENT}"""{about}"""', *self.lines])

    # ---- one node ----------------------------------------------------------------------------------

    def _node(self, id: str) -> None:
        entry, ports = self.body["nodes"][id], self.ports[id]
        cls = self.types.find(entry["type"])
        if entry.get("policy", {}).get("disabled"):
            self._passed_by(id, ports)
        elif given := [port for port in ports.inputs if port.source == "run"]:
            for output in ports.outputs:
                source = next((port for port in given if port.name == output.name), given[0])
                self.places[f"{id}.{output.name}"] = self._parameter(
                    source, source.name, default_of(entry, source)
                )
        elif not cls.collects:
            if "title" in entry:
                self.lines.append(f"{_INDENT}# {one_line(entry['title'])}")
            self._calls(id, cls, entry, ports)

    def _calls(self, id: str, cls: type[Node], entry: NodeEntry, ports: Ports) -> None:
        """One call for each function that the demanded outputs need."""
        main = ports.main.name if ports.main else ""
        pieces: dict[str, list[str]] = {}
        found: dict[str, Piece] = {}
        own = self.demand[id] - {ERROR} if self._has_error(entry) else self.demand[id]
        for output in sorted(own or {main}):
            piece = piece_of(cls, output, entry["settings"])
            assert piece is not None
            function = self.script.piece(piece)
            found[function] = piece
            pieces.setdefault(function, []).append(output)
        for function, outputs in pieces.items():
            wanted = id if len(pieces) == 1 else f"{id}_{outputs[0]}"
            self._call(id, self.names.take(wanted), function, found[function], outputs)

    def _call(self, id: str, variable: str, function: str, piece: Piece, outputs: list[str]) -> None:
        """The call of one function, and what its outputs are called from now on."""
        entry, ports = self.body["nodes"][id], self.ports[id]
        policy = {k: v for k, v in entry.get("policy", {}).items() if k not in ("process", "disabled")}
        by_port = self._has_error(entry)
        split_up = splits(self.types.find(entry["type"]), outputs[0])
        wires = self._wires(id, piece)
        settings = [*self._inside(id, entry, piece), *self._settings(id, piece)]
        spec = self.types.spec(entry["type"])
        fields = [field.name for field in spec.fields if not field.port] if spec else []
        distinct(id, wires, [*fields, *(name for name, _ in settings)])
        called = self._guarded(function, policy, ports.main, split_up=split_up) if policy else function
        doubtful = any(
            source in self.uncertain for port in ports.inputs for source in self._sources(id, port)
        )
        if doubtful:
            needed = [port.name for port in ports.inputs if port.required and self._sources(id, port)]
            told: list[tuple[str, Expression]] = [("", called), ("", tuple_of(needed)), ("", dict_of(wires))]
            made = Call(self.script.take("step"), [*told, *settings])
        else:
            made = Call(self._named(id, called), [*wires, *settings])
        self.lines.append(statement(f"{variable} = ", made, indent=_INDENT))
        loose = doubtful or piece.branches or by_port
        for output in [*outputs, *[ERROR] * by_port]:
            if loose:
                self.uncertain.add(f"{id}.{output}")
            self.places[f"{id}.{output}"] = self._output(
                variable, output, split_up=split_up or by_port, loose=loose
            )

    def _has_error(self, entry: NodeEntry) -> bool:
        """Whether the policy of a node gives it one more output, for what went wrong."""
        bare: Any = {name: told for name, told in entry.items() if name != "policy"}
        own = self.types.ports(bare)
        by_port = entry.get("policy", {}).get("on_error") == "port"
        return by_port and own is not None and own.output(ERROR) is None

    def _inside(self, id: str, entry: NodeEntry, piece: Piece) -> list[tuple[str, Expression]]:
        """What a container's function gets beside its inputs: the function of its body."""
        inner = self.types.body(entry)
        if inner is None:
            return []
        name = self.bodies[id]
        self.script.functions.append(BodyWriter(self.script, inner, name, inner=True).function())
        told: list[tuple[str, Expression]] = [("body", name)]
        if "gives" in (parameters_of(piece, anyway=True) or ()):
            gives = body_ports(inner, self.types).outputs
            told.append(("gives", Items("[]", [("", Text(port.name)) for port in gives])))
        return told

    def _guarded(
        self, function: str, policy: dict[str, Any], main: PortSpec | None, *, split_up: bool
    ) -> Expression:
        """The function with the policy of its node."""
        name = main.name if main else ""
        if policy.get("on_error") == "port" and not split_up:
            function = f"{self.script.take('named')}({function}, {quoted(name)})"
            split_up = True
        options: Arguments = [("", function)]
        options += [(key, literal(value)) for key, value in sorted(policy.items())]
        return Call(self.script.take("tried"), [*options, *[("main", Text(name))] * split_up])

    def _named(self, id: str, called: Expression) -> str:
        """The function by name; one with a policy gets a variable of its own."""
        if isinstance(called, str):
            return called
        name = self.names.take(f"{id}_tried")
        self.lines.append(statement(f"{name} = ", called, indent=_INDENT))
        return name

    def _output(self, variable: str, output: str, *, split_up: bool, loose: bool) -> str:
        if not split_up:
            return variable
        if loose:
            return f"{self.script.take('way')}({variable}, {quoted(output)})"
        return f"{variable}[{quoted(output)}]"

    def _passed_by(self, id: str, ports: Ports) -> None:
        """A node that is disabled: what enters it goes on where it fits."""
        main = ports.main
        for output in ports.outputs:
            self.places[f"{id}.{output.name}"] = self.script.take("MISSING")
            self.uncertain.add(f"{id}.{output.name}")
        for port in ports.inputs:
            if main and self._sources(id, port) and conversion(port.tag, main.tag) == "":
                came = [self._source(source, port) for source in self._sources(id, port)]
                several = f"{self.script.take('several')}({', '.join(came)})"
                self.places[f"{id}.{main.name}"] = several if port.many else came[0]
                break

    # ---- what it is given --------------------------------------------------------------------------

    def _sources(self, id: str, port: PortSpec) -> list[str]:
        found = self.feeding.get(f"{id}.{port.name}", [])
        return [source for source in found if source in self.places]

    def _source(self, source: str, port: PortSpec) -> str:
        node, name = split(source)
        output = self.ports[node].output(name)
        assert output is not None
        place, convert = self.places[source], conversion(output.tag, port.tag)
        if not convert:
            return place
        function = self.script.take(convert, _CONVERT)
        via = self.script.take("via") if source in self.uncertain else ""
        return f"{via}({function}, {place})" if via else f"{function}({place})"

    def _wires(self, id: str, piece: Piece) -> list[tuple[str, Expression]]:
        found: list[tuple[str, Expression]] = []
        known = parameters_of(piece)
        for port in self.ports[id].inputs:
            if known is not None and port.name not in known:
                continue
            sources = self._sources(id, port)
            came = [self._source(source, port) for source in sources]
            if not sources and port.required:
                entry = self.body["nodes"][id]
                if port.name in entry["settings"]:
                    continue
                found.append((port.name, self._parameter(port, self._input_name(id, port), None)))
            elif port.many and sources:
                doubtful = any(source in self.uncertain for source in sources)
                several = self.script.take("several") if doubtful else ""
                found.append(
                    (port.name, f"{several}({', '.join(came)})" if several else f"[{', '.join(came)}]")
                )
            elif sources:
                found.append((port.name, came[0]))
        return found

    def _settings(self, id: str, piece: Piece) -> list[tuple[str, Expression]]:
        entry = self.body["nodes"][id]
        spec, known = self.types.spec(entry["type"]), parameters_of(piece)
        assert spec is not None
        told: list[tuple[str, Expression]] = []
        for field in spec.fields:
            if known is not None and field.name not in known:
                continue
            if field.port and self.feeding.get(f"{id}.{field.name}"):
                continue
            if field.name in entry["settings"]:
                value = entry["settings"][field.name]
            elif field.kind == "credential" and field.default is not None:
                value = field.default
            else:
                continue
            told.append((field.name, self.script.value(value, piece.expressions, field.name)))
        return told

    def _input_name(self, id: str, port: PortSpec) -> str:
        shared = [
            other
            for other, ports in self.ports.items()
            for each in ports.inputs
            if other in self.demand
            and each.name == port.name
            and (other != id)
            and each.required
            and not self.feeding.get(f"{other}.{each.name}")
        ]
        return f"{id}_{port.name}" if shared else port.name

    def _parameter(self, port: PortSpec, name: str, default: Expression | None) -> str:
        """The variable of an input; in a body one whose name is taken here comes out of the others."""
        known = self.parameters.get(name)
        if known is None:
            known = Parameter(name, self.names.take(name), port.tag != "text", default)
            self.parameters[name] = known
            if self.inner and known.variable != name:
                key = quoted(name)
                given = f"_[{key}]" if default is None else f"_.get({key}, {flat(default)})"
                self.lines.append(f"{_INDENT}{known.variable} = {given}")
        return known.variable

    def _signature(self) -> str:
        own = [each for each in self.parameters.values() if not self.inner or each.variable == each.name]
        own.sort(key=lambda each: each.default is not None)
        told = [
            each.variable if each.default is None else f"{each.variable}={flat(each.default)}" for each in own
        ]
        return ", ".join([*told, *["**_"] * self.inner])

    # ---- what comes out ----------------------------------------------------------------------------

    def _result(self) -> None:
        feeding = {
            split(source)[0] for source, target in self.body["edges"] if split(target)[0] in self.demand
        }
        collecting = [id for id in self.demand if self.types.find(self.body["nodes"][id]["type"]).collects]
        if self.inner:
            self._return(self._gathered(collecting))
            return
        ends: list[tuple[str, str, bool]] = []
        for id in collecting or [each for each in self.demand if each not in feeding]:
            main = self.ports[id].main
            if id in collecting and f"{id}.{main.name if main else ''}" not in self.places:
                ends.append((id, *self._collected(id)))
            elif main and f"{id}.{main.name}" in self.places:
                place = f"{id}.{main.name}"
                ends.append((id, self.places[place], place in self.uncertain))
        if len(ends) == 1 and not ends[0][2]:
            self._return(ends[0][1])
        elif ends:
            found = Items("{}", [(f"{quoted(id)}: ", told) for id, told, _ in ends])
            self._return(Call(self.script.take("reached"), [("", found)]))

    def _return(self, expression: Expression) -> None:
        self.lines.append(statement("return ", expression, indent=_INDENT))

    def _collected(self, id: str) -> tuple[str, bool]:
        """What a collecting node gives, and whether it may be missing."""
        cls, ports = self.types.find(self.body["nodes"][id]["type"]), self.ports[id]
        wired = [port for port in ports.inputs if self._sources(id, port)]
        sources = [source for port in wired for source in self._sources(id, port)]
        doubtful = any(source in self.uncertain for source in sources)
        main = ports.main
        if main and not splits(cls, main.name):
            told = (
                self._source(sources[0], wired[0])
                if sources
                else self._parameter(ports.inputs[0], self._input_name(id, ports.inputs[0]), None)
            )
            return told, doubtful
        values = [(port.name, self._source(self._sources(id, port)[0], port)) for port in wired]
        variable = self.names.take(id)
        if doubtful:
            gathered = self.script.take("gathered")
            made: Expression = Call(
                self.script.take("step"), [("", gathered), ("", "()"), ("", dict_of(values))]
            )
        else:
            made = dict_of(values)
        self.lines.append(statement(f"{variable} = ", made, indent=_INDENT))
        return variable, doubtful

    def _gathered(self, collecting: list[str]) -> Expression:
        """The outputs of a body by name, without those that did not come."""
        found: dict[str, tuple[str, bool]] = {}
        for id in collecting:
            for port in self.ports[id].inputs:
                if sources := self._sources(id, port):
                    told = self._source(sources[0], port), sources[0] in self.uncertain
                    found.setdefault(port.name, told)
        if any(doubtful for _, doubtful in found.values()):
            return Call(self.script.take("gathered"), [(name, told) for name, (told, _) in found.items()])
        return dict_of([(name, told) for name, (told, _) in found.items()])
