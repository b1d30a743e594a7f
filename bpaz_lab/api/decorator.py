"""``@bz.node``: a function of a cell becomes a node type at once.

Running the cell again replaces the type: its instances keep their settings and their edges by port
name, and every open canvas shows the new form.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar, overload

from bpaz_lab.nodes.catalogue import CELL, catalogue
from bpaz_lab.nodes.function import node_class

if TYPE_CHECKING:
    from collections.abc import Callable

    from bpaz_lab.graph.spec import Effect
    from bpaz_lab.nodes.base import Node

F = TypeVar("F", bound="Callable[..., Any]")
MADE = "__bpaz_node__"


@overload
def node(function: F, /) -> F: ...


@overload
def node(
    *,
    name: str = "",
    category: str = CELL,
    effect: Effect = "undeclared",
    inline: bool = False,
    label: str = "",
    process: bool = False,
    key: Callable[..., Any] | None = None,
    idempotent: bool = False,
) -> Callable[[F], F]: ...


def node(function: Any = None, /, **options: Any) -> Any:
    """Makes a node type of a function; the function itself stays what it is.

    Its parameters are the input ports, those with a default of text, number, truth value or list are
    form fields too, its result is the output port ``result``, its docstring the help.

    Args:
        function: A sync or async function, or a generator that streams text.
        options: ``name``, ``category``, ``effect`` (pure, repeatable, once), ``inline``, ``label``,
            ``process`` (it computes in a process of its own), ``key`` (takes the inputs and gives JSON
            that stands for them in the cache) and ``idempotent`` (it hands ``context.idempotency_key`` to a
            provider that does the same only once, so that it is repeated by itself after a crash).

    Raises:
        NodeTypeError: The function cannot be a node, or its name belongs to an installed package.

    Example:
        >>> @node
        ... def shout(text: str, mark: str = "!") -> str:
        ...     '''Writes a text in capitals.'''
        ...     return text.upper() + mark
        >>> shout("hi")
        'HI!'
    """
    if function is None:
        return lambda told: node(told) if not options else _register(told, options)
    return _register(function, options)


def _register(function: F, options: dict[str, Any]) -> F:
    cls = node_class(function, **options)
    catalogue().register(cls)
    keep(function, cls)
    return function


def keep(function: Any, cls: type[Node]) -> None:
    """Notes on a function what node class was made of it, where it takes notes."""
    with suppress(AttributeError):  # a function written in C, or a method of an object
        setattr(function, MADE, cls)


def own(cls: type[Node]) -> type[Node]:
    """Says of a class that says nothing itself that it belongs to this notebook."""
    if "package" not in cls.__dict__ and not cls.__module__.startswith("bpaz_lab."):
        cls.package = "cell"
        cls.category = cls.category or CELL
    return cls


def register_node(cls: type[Node]) -> type[Node]:
    """Adds a node class of this notebook to the catalogue; usable as a decorator.

    Raises:
        NodeTypeError: The class breaks the node contract, or its name belongs to an installed package.
    """
    catalogue().register(own(cls))
    return cls
