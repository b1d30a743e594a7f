"""A workflow as the Python that makes it: code that a person would keep.

Example:
    >>> from bpaz_lab.graph.document import parse
    >>> from bpaz_lab.nodes.catalogue import catalogue
    >>> node = '{"type": "TextInput", "settings": {"text": "hi"}}'
    >>> document = parse('{"bpaz": 1, "name": "Hi", "nodes": {"hello": ' + node + "}}")
    >>> print(to_python(document, catalogue()), end="")
    import bpaz_lab as bz
    <BLANKLINE>
    wf = bz.Workflow("Hi")
    hello = wf.add("TextInput", id="hello", text="hi")
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bpaz_lab.code.beyond import Beyond, beyond
from bpaz_lab.code.names import Names
from bpaz_lab.code.pretty import (
    INDENT,
    WIDTH,
    Call,
    Expression,
    Items,
    Text,
    chain,
    literal,
    number,
    quoted,
    statement,
)
from bpaz_lab.code.wires import Wire, wires
from bpaz_lab.graph.check import ports_of
from bpaz_lab.graph.document import normal
from bpaz_lab.graph.layout import lines, places
from bpaz_lab.graph.naming import snake, unique
from bpaz_lab.graph.order import predecessors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bpaz_lab.graph.document import Body, Document, NodeEntry
    from bpaz_lab.nodes.catalogue import Catalogue

DEEPEST: Final = 6
"""Bodies inside one another that are indented; Python itself allows 20."""
_AS_IT_STANDS: Final = "# As it stands in the file: what this installation could not make anew."


def to_python(document: Document, types: Catalogue, *, layout: bool = True) -> str:
    """The Python that makes the workflow; ``from_python`` reads it back.

    Args:
        document: The workflow, of today's form.
        types: The node types; what they do not know is given as it stands in the document.
        layout: Whether the code says where the nodes lie on the canvas.
    """
    return _Writer(types, layout=layout).workflow(normal(document))


class _Scope(NamedTuple):
    """A body that is being written."""

    body: Body
    name: str
    """Its variable: ``wf``, ``body``."""
    variables: Mapping[str, str]
    indent: str
    depth: int


class _Writer:
    def __init__(self, types: Catalogue, *, layout: bool) -> None:
        self.types = types
        self.layout = layout
        self.names = Names("bz", "wf", "body")
        self.lines: list[str] = []

    def workflow(self, document: Document) -> str:
        self.lines = ["import bpaz_lab as bz", ""]
        odd = beyond(document, self.types)
        variables = self._variables(document)
        if odd:
            self.lines.append(_AS_IT_STANDS)
            call = Call("bz.Workflow.from_dict", [("", literal(_part(document, odd)))])
            self.lines.append(statement("wf = ", call))
        else:
            self.lines.append(statement("wf = ", Call("bz.Workflow", [("", Text(document["name"]))])))
        self._body(_Scope(document, "wf", variables, "", 0), odd)
        return "\n".join(self.lines).rstrip("\n") + "\n"

    def _variables(self, body: Body, container: str = "") -> dict[str, str]:
        return {
            id: self.names.take(id, f"{container}_{id}") if container else self.names.take(id)
            for id in body["nodes"]
        }

    def _say(self, scope: _Scope, before: str, expression: Expression, after: str = "") -> None:
        self.lines.append(statement(before, expression, indent=scope.indent, after=after))

    def _gap(self, scope: _Scope, comment: str = "") -> None:
        if not scope.depth:
            self.lines += ["", f"# {comment}"] if comment else [""]

    # ---- nodes and edges ---------------------------------------------------------------------------

    def _body(self, scope: _Scope, odd: Beyond) -> None:
        body = scope.body
        made = [id for id in body["nodes"] if id in odd.nodes]
        order = [id for id in reading_order(body) if id not in odd.nodes]
        for id in made:
            self.lines.append(f"{scope.variables[id]} = {scope.name}[{quoted(id)}]")
        for id in order:
            self._node(scope, id, made)
            made.append(id)
        room = WIDTH - len(scope.indent)
        found = wires(body, order, odd.edges, self.types, scope.variables, room)
        if found:
            self._gap(scope)
        for wire in found:
            self._wire(scope, wire)
        self._looks(scope, odd, made)

    def _node(self, scope: _Scope, id: str, made: list[str]) -> None:
        entry, variable = scope.body["nodes"][id], scope.variables[id]
        arguments: list[tuple[str, Expression]] = [("", Text(entry["type"]))]
        if unique(snake(entry["type"]), made) != id:
            arguments.append(("id", Text(id)))
        arguments += [(name, literal(entry["settings"][name])) for name in self._settings(entry)]
        self._say(scope, f"{variable} = ", Call(f"{scope.name}.add", arguments))
        if "body" in entry:
            self._inside(scope, id, entry["body"])
        if "title" in entry:
            self._say(scope, f"{variable}.title = ", Text(entry["title"]))
        if "policy" in entry:
            policy = [(name, literal(value)) for name, value in sorted(entry["policy"].items())]
            self._say(scope, "", Call(f"{variable}.set_policy", policy))

    def _settings(self, entry: NodeEntry) -> Iterable[str]:
        """The names of the settings, in the order of the form."""
        spec = self.types.spec(entry["type"])
        known = [field.name for field in spec.fields if field.name in entry["settings"]] if spec else []
        return [*known, *sorted(entry["settings"].keys() - set(known))]

    def _inside(self, outer: _Scope, id: str, body: Body) -> None:
        if not any(body.values()):
            return
        variable, depth = outer.variables[id], outer.depth + 1
        name = "body" if depth == 1 else self.names.take(f"{variable}_body")
        deep = depth > DEEPEST
        if deep:
            self.lines.append(f"{outer.indent}{name} = {variable}.body")
        else:
            self.lines.append(f"{outer.indent}with {variable} as {name}:")
        indent = outer.indent if deep else outer.indent + INDENT
        self._body(
            _Scope(body, name, self._variables(body, variable), indent, depth), beyond(body, self.types)
        )

    def _wire(self, scope: _Scope, wire: Wire) -> None:
        if wire.ports is None:
            self.lines.append(chain(wire.nodes, scope.indent))
            return
        ends = [("", f"{node}[{quoted(port)}]") for node, port in zip(wire.nodes, wire.ports, strict=True)]
        self._say(scope, "", Call(f"{scope.name}.connect", ends))

    # ---- looks -------------------------------------------------------------------------------------

    def _looks(self, scope: _Scope, odd: Beyond, made: list[str]) -> None:
        said: list[Call] = []
        known = [*odd.notes]
        for id, note in scope.body["notes"].items():
            if id not in odd.notes:
                arguments: list[tuple[str, Expression]] = [("", Text(note["text"]))]
                if any(note["at"]):
                    arguments.append(("at", _point(note["at"])))
                said.append(_identified(Call(f"{scope.name}.note", arguments), "note", id, known))
        known = [*odd.groups]
        for id, group in scope.body["groups"].items():
            if id not in odd.groups:
                members = Items("[]", [("", scope.variables[node]) for node in group["nodes"]])
                call = Call(f"{scope.name}.group", [("", Text(group["title"])), ("", members)])
                said.append(_identified(call, "group", id, known))
        if said:
            self._gap(scope)
        for call in said:
            self._say(scope, "", call)
        if self.layout:
            self._layout(scope, odd, made)

    def _layout(self, scope: _Scope, odd: Beyond, made: list[str]) -> None:
        body = scope.body
        placed = {id: at for id, at in body["layout"].items() if id not in odd.layout}
        if not placed:
            return
        anew: Any = {**body, "nodes": {id: body["nodes"][id] for id in made}, "layout": {}}
        self._gap(scope, "On the canvas")
        if placed == places(anew, lambda node: self._lines(body, node)):
            self.lines.append(f"{scope.indent}{scope.name}.arrange()")
            return
        for id in made:
            if id in placed:
                x, y = placed[id]
                self.lines.append(
                    f"{scope.indent}{scope.name}.move({scope.variables[id]}, {number(x)}, {number(y)})"
                )

    def _lines(self, body: Body, id: str) -> int:
        return lines(ports_of(body, id, self.types), self.types.spec(body["nodes"][id]["type"]))


def reading_order(body: Body) -> list[str]:
    """Every node after what feeds it, and otherwise as they stand in the document."""
    feeding = predecessors(body)
    position = {id: number for number, id in enumerate(body["nodes"])}
    followers: dict[str, list[str]] = {id: [] for id in feeding}
    for id, before in feeding.items():
        for each in before:
            followers[each].append(id)
    waiting = {id: len(before) for id, before in feeding.items()}
    ready = [(position[id], id) for id, count in waiting.items() if not count]
    heapify(ready)
    order = []
    while ready:
        _, id = heappop(ready)
        order.append(id)
        for follower in followers[id]:
            waiting[follower] -= 1
            if not waiting[follower]:
                heappush(ready, (position[follower], follower))
    return [*order, *(id for id, count in waiting.items() if count)]


def _part(document: Document, odd: Beyond) -> dict[str, Any]:
    """The part of a document that code cannot say, as a document."""
    part: dict[str, Any] = {
        "nodes": {id: entry for id, entry in document["nodes"].items() if id in odd.nodes},
        "edges": odd.edges,
        "layout": {id: at for id, at in document["layout"].items() if id in odd.layout},
        "notes": {id: note for id, note in document["notes"].items() if id in odd.notes},
        "groups": {id: group for id, group in document["groups"].items() if id in odd.groups},
    }
    return {"bpaz": 1, "name": document["name"], **{name: told for name, told in part.items() if told}}


def _identified(call: Call, prefix: str, id: str, known: list[str]) -> Call:
    """The call with the id, where it would not get that one by itself."""
    own = unique(prefix, known)
    known.append(id)
    return call if own == id else Call(call.function, [*call.arguments, ("id", Text(id))])


def _point(at: list[float]) -> Expression:
    return Items("()", [("", number(value)) for value in at])
