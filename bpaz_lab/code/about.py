"""What a script must know of nodes and of the functions that stand for them."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, NamedTuple

from bpaz_lab.code.pretty import Expression, Items, literal, quoted
from bpaz_lab.errors import ScriptError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpaz_lab.graph.document import NodeEntry
    from bpaz_lab.graph.spec import PortSpec
    from bpaz_lab.nodes.base import Node
    from bpaz_lab.nodes.script import Piece

Arguments = list[tuple[str, Expression]]
"""Arguments of a call, by name."""


class Parameter(NamedTuple):
    """An input of the workflow, or of a body."""

    name: str
    variable: str
    data: bool
    """It is JSON, not a text."""
    default: Expression | None


def splits(cls: type[Node], output: str) -> bool:
    """Whether the result of a node's method is a dict by output."""
    methods = cls.shape().methods
    found = [method for method in methods if output in method.outputs] or list(methods)
    return any(method.split for method in found[:1])


def parameters_of(piece: Piece, *, anyway: bool = False) -> set[str] | None:
    """The parameters of a piece; None for one that takes any, unless they are asked for anyway."""
    parameters = inspect.signature(piece.function).parameters.values()
    if not anyway and any(each.kind is each.VAR_KEYWORD for each in parameters):
        return None
    return {each.name for each in parameters}


def default_of(entry: NodeEntry, port: PortSpec) -> Expression | None:
    """What an input of the run is when the run brings nothing."""
    if port.required:
        return None
    fields = entry["settings"].get("fields")
    for field in fields if isinstance(fields, list) else ():
        if isinstance(field, dict) and field.get("name") == port.name:
            return literal(field.get("default"))
    return literal(entry["settings"].get("default"))


def one_line(text: str) -> str:
    """A text that may stand in a comment."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def dict_of(arguments: Sequence[tuple[str, Expression]]) -> Items:
    """Arguments as a dict by name."""
    return Items("{}", [(f"{quoted(name)}: ", value) for name, value in arguments])


def tuple_of(names: list[str]) -> str:
    """Names as a tuple of texts."""
    parts = [quoted(name) for name in names]
    return f"({', '.join(parts)}{',' * (len(parts) == 1)})"


def distinct(id: str, wires: Arguments, settings: Sequence[str]) -> None:
    """Refuses an input and a setting of one name, which a call cannot tell apart.

    Raises:
        ScriptError: There are such.
    """
    if twice := {name for name, _ in wires} & {*settings}:
        raise ScriptError(
            f"{id} has an input and a setting of one name: {', '.join(sorted(twice))}",
            path=f"nodes.{id}",
            hint="Give the input another name, in the Start node or in the text that names it.",
        )
