"""Which ports join two nodes where nobody names them: what ``a >> b`` means.

Example:
    >>> from bpaz_lab.graph.spec import Ports, PortSpec
    >>> load = End("load", Ports(outputs=(PortSpec(name="documents", tag="documents", main=True),)))
    >>> split = End("split", Ports(inputs=(PortSpec(name="documents", tag="documents"),)))
    >>> fitting(load, split, set())
    ('load.documents', 'split.documents')
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from bpaz_lab.errors import ConnectionRefused, EdgeError
from bpaz_lab.graph.ports import ANY, conversion
from bpaz_lab.guard.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Container

    from bpaz_lab.graph.spec import Ports, PortSpec

_OUTPUT: Final = "output"


class End(NamedTuple):
    """One end of an edge to be: a node, and the port where somebody named it."""

    node: str
    ports: Ports
    port: str = ""


def fitting(source: End, target: End, taken: Container[str]) -> tuple[str, str]:
    """The one pair of ports that joins two ends.

    The best fit wins: the same tag before a conversion before ``any``, then a required input before an
    optional one, then the main output. Two best ones are no choice to make silently.

    Args:
        source: Where the edge starts.
        target: Where it goes.
        taken: The inputs (``node.port``) that have an edge already.

    Raises:
        ConnectionRefused: None fits, or several do; it says which.
        EdgeError: A port that is named does not exist.
    """
    ranked: dict[tuple[int, int, int], list[tuple[str, str]]] = {}
    given, wanted = _candidates(source, _OUTPUT), _candidates(target, "input")
    for out in given:
        for into in wanted:
            name = f"{target.node}.{into.name}"
            how = conversion(out.tag, into.tag)
            free = into.many or name not in taken or bool(target.port)
            if how is None or into.source == "run" or not free:
                continue
            rank = (_rank(out, into), 0 if into.required else 1, 0 if out.main else 1)
            ranked.setdefault(rank, []).append((f"{source.node}.{out.name}", name))
    if not ranked:
        raise ConnectionRefused(
            f"nothing that {source.node} gives fits a free input of {target.node}",
            hint=f"It gives {_tags(given)}; {target.node} takes {_tags(wanted)}.",
        )
    best = ranked[min(ranked)]
    if len(best) > 1:
        raise ConnectionRefused(
            f"several ports of {source.node} and {target.node} fit",
            hint="Name one: " + ", or ".join(_call(pair) for pair in best) + ".",
        )
    return best[0]


def _rank(out: PortSpec, into: PortSpec) -> int:
    if out.tag == into.tag:
        return 0
    return 2 if ANY in (out.tag, into.tag) else 1


def _candidates(end: End, side: str) -> list[PortSpec]:
    ports = end.ports.outputs if side == _OUTPUT else end.ports.inputs
    if not end.port:
        return list(ports)
    found = [port for port in ports if port.name == end.port]
    if not found:
        names = [port.name for port in ports]
        raise EdgeError(
            f"{end.node} has no {side} {end.port!r}",
            path=f"nodes.{end.node}",
            hint=closest(end.port, names) or f"Its {side}s are: {', '.join(names) or 'none'}.",
        )
    return found


def _tags(ports: list[PortSpec]) -> str:
    return ", ".join(f"{port.name} ({port.tag})" for port in ports) or "nothing"


def _call(pair: tuple[str, str]) -> str:
    (one, out), (other, into) = (port.split(".") for port in pair)
    return f'connect({one}["{out}"], {other}["{into}"])'
