"""Nodes that got another id, found where it is sure, and a body with other ids."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bpaz_lab.graph.changes import same
from bpaz_lab.graph.order import split

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpaz_lab.graph.document import Body


def renames(one: Body, other: Body) -> dict[str, str]:
    """The nodes of a body whose id alone changed: old id to new id.

    Sure is what has one candidate only: an equal entry under an id that was not there before, which is
    wired to the same ports.

    Example:
        >>> from bpaz_lab.graph.document import parse
        >>> text = '{"bpaz": 1, "name": "", "nodes": {"a": {"type": "T"}}, "edges": []}'
        >>> renames(parse(text), parse(text.replace('"a"', '"b"')))
        {'a': 'b'}
    """
    gone = {name: entry for name, entry in one["nodes"].items() if name not in other["nodes"]}
    come = {name: entry for name, entry in other["nodes"].items() if name not in one["nodes"]}
    found: dict[str, str] = {}
    for old, entry in gone.items():
        fits = [name for name, candidate in come.items() if same(entry, candidate)]
        rivals = [name for name, candidate in gone.items() if same(entry, candidate)]
        if len(fits) == len(rivals) == 1:
            found[old] = fits[0]
    after = Counter(map(tuple, other["edges"]))
    while True:  # a pair that is wired otherwise is no pair, and then its neighbours may be none
        before = Counter(map(tuple, _edges(one, found)))
        unsure = [old for old, new in found.items() if _touching(before, new) != _touching(after, new)]
        if not unsure:
            return found
        for old in unsure:
            del found[old]


def renamed(body: Body, names: Mapping[str, str]) -> Body:
    """The body with other ids of its nodes: in wires, in the layout and in groups too."""
    if not names:
        return body
    return {
        **body,
        "nodes": {names.get(name, name): entry for name, entry in body["nodes"].items()},
        "edges": sorted(_edges(body, names), key=lambda edge: edge[1]),
        "layout": {names.get(name, name): at for name, at in body["layout"].items()},
        "groups": {
            id: {**group, "nodes": [names.get(name, name) for name in group["nodes"]]}
            for id, group in body["groups"].items()
        },
    }


def _edges(body: Body, names: Mapping[str, str]) -> list[list[str]]:
    return [[_port(end, names) for end in edge] for edge in body["edges"]]


def _port(port: str, names: Mapping[str, str]) -> str:
    node, name = split(port)
    return f"{names.get(node, node)}.{name}"


def _touching(edges: Counter[tuple[str, ...]], node: str) -> dict[tuple[str, ...], int]:
    return {edge: count for edge, count in edges.items() if node in (split(end)[0] for end in edge)}
