"""``wf.add(runnable)``: what a runnable is called, and its node type.

A document holds no code, so a runnable is known by a name, as a function of a cell is: its own name,
that of the variable that holds it, or the id it is added with. One that has none of these gets a name of
its own that no other runnable has.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.graph.naming import unique
from bpaz_lab.nodes.runnable import RunnableNode, runnable_class

if TYPE_CHECKING:
    from bpaz_lab.nodes.base import Node
    from bpaz_lab.nodes.catalogue import Catalogue

_NAMELESS: Final = frozenset({"LangGraph", "<lambda>"})
"""What LangGraph and Python call things that nobody named."""


def wrapped(runnable: Any, id: str, types: Catalogue) -> type[Node]:
    """The node type of a runnable, registered.

    Args:
        runnable: A LangChain Runnable, or a compiled LangGraph graph.
        id: The id that it is added with; its name where it has no other.
        types: The node types.

    Raises:
        NodeTypeError: The runnable cannot be a node, or an installed package has a type of its name.
    """
    name = _slug(getattr(runnable, "name", None)) or _variable(runnable) or id
    if not name:
        name = next((cls.__name__ for cls in types if _is(cls, runnable)), "")
        name = name or unique(type(runnable).__name__, [cls.__name__ for cls in types])
    known = types.get(name)
    if known is not None and _is(known, runnable):
        return known
    made = runnable_class(runnable, name)
    types.register(made)
    return made


def _is(cls: type[Node], runnable: Any) -> bool:
    return issubclass(cls, RunnableNode) and cls.held.value is runnable


def _slug(name: Any) -> str:
    if not isinstance(name, str) or name in _NAMELESS:
        return ""
    plain = re.sub(r"[^0-9A-Za-z]+", "_", name).strip("_")
    return plain if plain.isidentifier() else ""


def _variable(runnable: Any) -> str:
    """The variable that holds the runnable where ``wf.add`` was called; empty where none does."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("bpaz_lab."):
        frame = frame.f_back
    for scope in (frame.f_locals, frame.f_globals):
        for name, value in list(scope.items()):
            if value is runnable and name.isidentifier() and not name.startswith("_"):
                return name
    return ""
