"""A workflow as a script that runs without bpaz_lab: plain functions of LangChain, called in order.

Each node becomes a call of the function that its type offers (``nodes/script.py``). The functions are copied
as they stand, and the settings are literals in the calls, so nothing of a document becomes code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bpaz_lab.code.condition import compiled
from bpaz_lab.code.names import Names
from bpaz_lab.code.pretty import Call, Expression, Items, Text, flat, literal, quoted, statement
from bpaz_lab.code.shake import Shaken
from bpaz_lab.errors import DocumentError, ScriptError
from bpaz_lab.graph.bodies import ERROR, body_ports
from bpaz_lab.graph.check import check, ports_of
from bpaz_lab.graph.document import normal
from bpaz_lab.graph.order import demanded, ordered, predecessors, split
from bpaz_lab.graph.ports import conversion
from bpaz_lab.guard.credentials import PROVIDERS
from bpaz_lab.nodes.script import Piece, piece_of

if TYPE_CHECKING:
    from bpaz_lab.graph.document import Body, Document, NodeEntry
    from bpaz_lab.graph.spec import Ports, PortSpec
    from bpaz_lab.nodes.base import Node
    from bpaz_lab.nodes.catalogue import Catalogue

_STANDING: Final = "bpaz_lab.nodes.standing"
_CONVERT: Final = "bpaz_lab.nodes.convert"
_INDENT: Final = "    "
_RESERVED: Final = ("main", "workflow", "argparse", "json", "values")


class Parameter(NamedTuple):
    """An input of the workflow, or of a body."""

    name: str
    variable: str
    data: bool
    """It is JSON, not a text."""
    default: Expression | None


def to_script(document: Document, types: Catalogue) -> str:
    """The script.

    Args:
        document: The workflow, without problems.
        types: The node types.

    Raises:
        ScriptError: A node cannot be in a script: one made in a notebook, or one that its package gives no
            function for; ``problems`` names all.
        DocumentError: The workflow has problems.
    """
    document = normal(document)
    if problems := check(document, types):
        raise DocumentError.of(problems)
    if faults := _unscripted(document, types, ""):
        raise faults[0] if len(faults) == 1 else DocumentError.of(faults)
    return _Writer(document, types).text()


def _unscripted(body: Body, types: Catalogue, within: str) -> list[DocumentError]:
    faults: list[DocumentError] = []
    for id, entry in body["nodes"].items():
        cls, path = types.find(entry["type"]), f"{within}nodes.{id}"
        plain = cls.collects or any(port.source == "run" for port in ports_of(body, id, types).inputs)
        main = ports_of(body, id, types).main
        if not plain and piece_of(cls, main.name if main else "", entry["settings"]) is None:
            why = "it is made in a notebook" if cls.package == "cell" else "its type offers no plain function"
            faults.append(
                ScriptError(
                    f"{id} ({entry['type']}) cannot be in a script: {why}",
                    path=path,
                    hint="Take it out, or run the workflow with: bpaz run --with MODULE",
                )
            )
        inner = types.body(entry)
        if inner is not None:
            faults += _unscripted(inner, types, f"{path}.body.")
    return faults


class _Writer:
    """Writes one script."""

    def __init__(self, document: Document, types: Catalogue) -> None:
        self.document = document
        self.types = types
        self.shaken = Shaken("argparse", "json")
        self.functions: list[str] = []
        self.names = Names(*_RESERVED)
        self.packages: dict[str, None] = {}

    def text(self) -> str:
        body = _Body(self, self.document, "workflow")
        made = body.function()
        main = _main(body.parameters)
        imports, pieces = self.shaken.text()
        title = _one_line(self.document["name"]).replace("\\", "/").replace('"""', "'''") or "A workflow"
        head = [f'"""{title}', ""]
        if self.packages:
            head += [f"Needs: pip install {' '.join(sorted(self.packages))}", ""]
        head += ["Run it with --help to see its inputs.", '"""', ""]
        return "\n\n\n".join(
            [
                "\n".join([*head, "from __future__ import annotations", "", *imports]),
                *pieces,
                *self.functions,
                made,
                main,
                'if __name__ == "__main__":\n    main()\n',
            ]
        )

    def take(self, name: str, module: str = _STANDING) -> str:
        """A function of the script, by where it comes from."""
        return self.shaken.take(module, name)

    def piece(self, piece: Piece) -> str:
        """The function of a node."""
        self.packages.update(dict.fromkeys(piece.packages))
        return self.shaken.take(piece.function.__module__, piece.function.__name__)

    def value(self, value: Any, expressions: tuple[str, ...], name: str = "") -> Expression:
        """A setting: credentials come from the environment, expressions become functions."""
        if name in expressions and isinstance(value, str) and value:
            return compiled(value, self.shaken)
        if isinstance(value, dict):
            if value.keys() == {"$cred"}:
                known = PROVIDERS.get(str(value["$cred"]).lower())
                own = f"BPAZ_CREDENTIAL_{str(value['$cred']).upper().replace('-', '_')}"
                return Call(self.take("credential"), [("", Text(known.variable if known else own))])
            return Items(
                "{}",
                [(f"{quoted(key)}: ", self.value(item, expressions, key)) for key, item in value.items()],
            )
        if isinstance(value, list):
            return Items("[]", [("", self.value(item, expressions)) for item in value])
        return literal(value)


class _Body:
    """Writes the function of the workflow, or of a container's body."""

    def __init__(self, script: _Writer, body: Body, name: str, *, inner: bool = False) -> None:
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
        self.names = Names(*_RESERVED, *self._functions())
        self.lines: list[str] = []

    def _functions(self) -> list[str]:
        """Names that a variable would hide: those of functions are taken when they are written."""
        found = []
        for id in self.demand:
            cls = self.types.find(self.body["nodes"][id]["type"])
            for output in (*self.demand[id], ""):
                if piece := piece_of(cls, output, self.body["nodes"][id]["settings"]):
                    found.append(self.script.piece(piece))
        return [
            *found,
            *("MISSING", "step", "way", "via", "several", "gathered", "reached", "tried", "named"),
        ]

    def function(self) -> str:
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
                    source, source.name, _default(entry, source)
                )
        elif not cls.collects:
            if "title" in entry:
                self.lines.append(f"{_INDENT}# {_one_line(entry['title'])}")
            self._calls(id, cls, entry, ports)

    def _calls(self, id: str, cls: type[Node], entry: NodeEntry, ports: Ports) -> None:
        """One call for each function that the demanded outputs need."""
        main = ports.main.name if ports.main else ""
        pieces: dict[str, list[str]] = {}
        found: dict[str, Piece] = {}
        for output in sorted(self.demand[id] - {ERROR} or {main}):
            piece = piece_of(cls, output, entry["settings"])
            assert piece is not None
            function = self.script.piece(piece)
            found[function] = piece
            pieces.setdefault(function, []).append(output)
        for function, outputs in pieces.items():
            wanted = id if len(pieces) == 1 else f"{id}_{outputs[0]}"
            self._call(id, self.names.take(wanted), function, found[function], outputs)

    def _call(self, id: str, variable: str, function: str, piece: Piece, outputs: list[str]) -> None:
        entry, ports = self.body["nodes"][id], self.ports[id]
        cls = self.types.find(entry["type"])
        wires, settings = self._wires(id, piece), self._settings(id, piece)
        if twice := {name for name, _ in wires} & {name for name, _ in settings}:
            raise ScriptError(
                f"{id} has an input and a setting of one name: {', '.join(sorted(twice))}",
                path=f"nodes.{id}",
                hint="Give the field of its Start node another name.",
            )
        main = ports.main.name if ports.main else ""
        split_result = _splits(cls, outputs[0])
        inner = self.types.body(entry)
        if inner is not None:
            name = self.script.names.take(f"{self.name}_{id}" if self.inner else f"{id}_body")
            self.script.functions.append(_Body(self.script, inner, name, inner=True).function())
            gives = body_ports(inner, self.types).outputs
            if "gives" in (_parameters(piece, anyway=True) or ()):
                settings.insert(0, ("gives", Items("[]", [("", Text(port.name)) for port in gives])))
            settings.insert(0, ("body", name))
        policy = {k: v for k, v in entry.get("policy", {}).items() if k != "process"}
        if policy.get("on_error") == "port" and not split_result:
            function = f"{self.script.take('named')}({function}, {quoted(main)})"
            split_result = True
        if policy:
            options: list[tuple[str, Expression]] = [("", function)]
            options += [(name, literal(value)) for name, value in sorted(policy.items())]
            if split_result:
                options.append(("main", Text(main)))
            settings.insert(0, ("", Call(self.script.take("tried"), options)))
        doubtful = any(
            source in self.uncertain for port in ports.inputs for source in self._sources(id, port)
        )
        loose = doubtful or piece.branches or policy.get("on_error") == "port"
        if doubtful:
            needed = [port.name for port in ports.inputs if port.required and self._sources(id, port)]
            called = settings.pop(0)[1] if policy else function
            needs = Items("()", [("", Text(name)) for name in needed] or [])
            arguments: list[tuple[str, Expression]] = [
                ("", called),
                ("", _tuple(needs)),
                ("", Items("{}", [(f"{quoted(name)}: ", value) for name, value in wires])),
            ]
            made = Call(self.script.take("step"), [*arguments, *settings])
        elif policy:
            wrapped = settings.pop(0)[1]
            made = Call(self._wrapped(id, wrapped), [*wires, *settings])
        else:
            made = Call(function, [*settings[:1], *wires, *settings[1:]] if inner else [*wires, *settings])
        self.lines.append(statement(f"{variable} = ", made, indent=_INDENT))
        for output in [*outputs, ERROR] if policy.get("on_error") == "port" else outputs:
            place = f"{id}.{output}"
            if loose:
                self.uncertain.add(place)
            if not split_result:
                self.places[place] = variable
            elif loose:
                self.places[place] = f"{self.script.take('way')}({variable}, {quoted(output)})"
            else:
                self.places[place] = f"{variable}[{quoted(output)}]"

    def _wrapped(self, id: str, call: Expression) -> str:
        """The function with its policy, in a variable of its own."""
        name = self.names.take(f"{id}_with_policy")
        self.lines.append(statement(f"{name} = ", call, indent=_INDENT))
        return name

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
        known = _parameters(piece)
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
        spec, known = self.types.spec(entry["type"]), _parameters(piece)
        assert spec is not None
        told: list[tuple[str, Expression]] = []
        for field in spec.fields:
            if known is not None and field.name not in known:
                continue
            if self.feeding.get(f"{id}.{field.name}"):
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
        if main and not _splits(cls, main.name):
            told = (
                self._source(sources[0], wired[0])
                if sources
                else self._parameter(ports.inputs[0], self._input_name(id, ports.inputs[0]), None)
            )
            return told, doubtful
        values = [(port.name, self._source(self._sources(id, port)[0], port)) for port in wired]
        variable = self.names.take(id)
        if doubtful:
            wires = Items("{}", [(f"{quoted(name)}: ", value) for name, value in values])
            gathered = self.script.take("gathered")
            made = Call(self.script.take("step"), [("", gathered), ("", "()"), ("", wires)])
        else:
            made = Items("{}", [(f"{quoted(name)}: ", value) for name, value in values])
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
        return Items("{}", [(f"{quoted(name)}: ", told) for name, (told, _) in found.items()])


def _splits(cls: type[Node], output: str) -> bool:
    """Whether the result of a node's method is a dict by output."""
    methods = cls.shape().methods
    found = [method for method in methods if output in method.outputs] or list(methods)
    return any(method.split for method in found[:1])


def _parameters(piece: Piece, *, anyway: bool = False) -> set[str] | None:
    """The parameters of a piece; None for one that takes any, unless they are asked for anyway."""
    import inspect

    parameters = inspect.signature(piece.function).parameters.values()
    if not anyway and any(each.kind is each.VAR_KEYWORD for each in parameters):
        return None
    return {each.name for each in parameters}


def _default(entry: NodeEntry, port: PortSpec) -> Expression | None:
    """What an input of the run is when the run brings nothing."""
    if port.required:
        return None
    fields = entry["settings"].get("fields")
    for field in fields if isinstance(fields, list) else ():
        if isinstance(field, dict) and field.get("name") == port.name:
            return literal(field.get("default"))
    return literal(entry["settings"].get("default"))


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _tuple(items: Items) -> str:
    parts = [quoted(item.value) for _, item in items.items if isinstance(item, Text)]
    return f"({', '.join(parts)}{',' * (len(parts) == 1)})"


def _main(parameters: dict[str, Parameter]) -> str:
    lines = ["def main():", '    """Reads the command line and prints the result."""']
    lines.append("    parser = argparse.ArgumentParser(description=__doc__)")
    for each in parameters.values():
        options: list[tuple[str, Expression]] = [("", Text(f"--{each.name.replace('_', '-')}"))]
        if each.variable != each.name:
            options.append(("dest", Text(each.variable)))
        if each.data:
            options += [("type", "json.loads"), ("help", Text("JSON"))]
        options.append(("default", each.default) if each.default is not None else ("required", "True"))
        lines.append(statement("", Call("parser.add_argument", options), indent=_INDENT))
    return "\n".join(
        [
            *lines,
            "    result = workflow(**vars(parser.parse_args()))",
            "    if not isinstance(result, str):",
            "        result = json.dumps(result, indent=2, ensure_ascii=False, default=str)",
            "    print(result)",
        ]
    )
