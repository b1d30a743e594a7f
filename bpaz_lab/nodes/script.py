"""What a node type is in a script that runs without bpaz_lab: a plain function beside the class.

Its parameters are the input ports and the settings by name, its result is what the node's method gives. The
script gets its source as it stands, with whatever of its module it uses, so that it must not use what lives
in the engine. Packages are imported inside, as in a node::

    @in_script(Shout)
    def shout(text: str, mark: str = "!") -> str:
        '''The text in capitals.'''
        return text.upper() + mark

A node with several methods has a function for each output; a container's function takes ``body`` first, which
it calls with the inputs by name for a dict of outputs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bpaz_lab.nodes.base import Node

F = TypeVar("F", bound="Callable[..., Any]")
_HOME = "__bpaz_script__"


class Piece(NamedTuple):
    """The function of a script that computes an output."""

    function: Callable[..., Any]
    packages: tuple[str, ...]
    """What pip has to install for it."""
    output: str
    """The output that it computes; empty for all."""
    branches: bool
    """Outputs may be missing in its result: branches not taken."""
    expressions: tuple[str, ...]
    """Settings, and keys in settings, that are expressions: the function gets them as functions of a dict."""
    when: Mapping[str, Any]
    """The settings that it is for."""


def in_script(
    cls: type[Node],
    *packages: str,
    output: str = "",
    branches: bool = False,
    expressions: tuple[str, ...] = (),
    when: Mapping[str, Any] | None = None,
) -> Callable[[F], F]:
    """Makes a function what a node type is in a script.

    Args:
        cls: The node type.
        packages: What pip has to install for it.
        output: The output that it computes; empty for all.
        branches: Whether outputs may be missing in its result.
        expressions: Settings that are expressions; it gets each as a function of a dict of values.
        when: The settings that it is for; empty for any.
    """

    def marked(function: F) -> F:
        pieces = (Piece(function, packages, output, branches, expressions, when or {}), *pieces_of(cls))
        type.__setattr__(cls, _HOME, pieces)
        return function

    return marked


def pieces_of(cls: type[Node]) -> tuple[Piece, ...]:
    """The functions of a node type; empty where it cannot be in a script."""
    found: tuple[Piece, ...] = cls.__dict__.get(_HOME, ())
    return found


def piece_of(cls: type[Node], output: str, settings: Mapping[str, Any]) -> Piece | None:
    """The function that computes an output in a script, or None."""
    for piece in pieces_of(cls):
        fits = all(settings.get(name) == value for name, value in piece.when.items())
        if fits and piece.output in ("", output):
            return piece
    return None
