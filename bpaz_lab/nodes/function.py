"""A function of a cell as a node type: ports from its hints, form from its defaults, help from its docstring.

Example:
    >>> def longest(words: list[str], count: int = 1) -> list[str]:
    ...     '''The longest words.'''
    ...     return sorted(words, key=len)[-count:]
    >>> spec = node_class(longest).spec()
    >>> spec.type, [port.name for port in spec.ports.inputs], spec.ports.main.name
    ('longest', ['words', 'count'], 'result')
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from bpaz_lab.errors import NodeTypeError
from bpaz_lab.nodes.base import Node, output
from bpaz_lab.nodes.form import title_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bpaz_lab.graph.spec import Effect

RESULT = "result"


def node_class(  # noqa: PLR0913 (what a decorator takes)
    function: Callable[..., Any],
    *,
    name: str = "",
    category: str = "cell",
    effect: Effect = "undeclared",
    inline: bool = False,
    label: str = "",
    process: bool = False,
    key: Callable[..., Any] | None = None,
    idempotent: bool = False,
) -> type[Node]:
    """Makes a node class of a function.

    Args:
        function: Sync, async or a generator; its parameters are the inputs, its result the output
            ``result``.
        name: The type's name; the function's where empty.
        category: Where the palette shows it.
        effect: What happens outside: ``pure``, ``repeatable`` or ``once``. What says nothing is kept
            for the session.
        inline: Runs a tiny sync function on the loop instead of in a thread.
        label: The title; derived from the name where empty.
        process: A blocking function computes in a process of its own.
        key: Takes the inputs by name and gives JSON that stands for them in the cache.
        idempotent: It hands ``context.idempotency_key`` to a provider that does the same only once, so that
            it may be repeated by itself after a crash.

    Raises:
        NodeTypeError: The function cannot be a node (a lambda, ``*args``, hints that do not resolve).
    """
    name = name or getattr(function, "__name__", "")
    if not name.isidentifier():
        raise NodeTypeError(
            f"a node type needs a name, and {name!r} is none", hint="Use: @bz.node(name='my_function')"
        )
    run = output(RESULT)(staticmethod(function))  # the mark stays off the user's own function
    members = {
        "__doc__": inspect.cleandoc(function.__doc__ or "") or f"The function {name} of this notebook.",
        "__module__": function.__module__,
        "__annotations__": {},
        "run": run,
        "category": category,
        "effect": effect,
        "inline": inline,
        "idempotent": idempotent,
        "process": process,
        "key": None if key is None else staticmethod(key),
        "label": label or title_of(name),
        "package": "cell",
    }
    cls: Any = type(name, (Node,), members)
    cls.shape()
    return cls  # type: ignore[no-any-return]
