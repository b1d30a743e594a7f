"""Lists and wires of two sides joined: what a merge does where order or a wire's ends matter."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from bpaz_lab.graph.order import leads_to, ordered, predecessors, split

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from bpaz_lab.graph.document import Body

Sides = tuple["Body", "Body", "Body"]
"""What both began with, ours, theirs."""


class Clash(NamedTuple):
    """What the two sides did to the wires of one port."""

    sentence: str
    base: Any
    ours: Any
    theirs: Any


def joined(base: list[str], ours: list[str], theirs: list[str]) -> list[str]:
    """A list with what either side added and without what either removed.

    The order is that of the side which changed it; ours where both did.

    Example:
        >>> joined(["a", "b"], ["b", "x"], ["a", "b", "y"])
        ['b', 'x', 'y']
    """
    if theirs in (ours, base):
        return ours
    if base == ours:
        return theirs
    old, one, other = _orders(base, ours, theirs)
    first, second = (theirs, ours) if old == one != other else (ours, theirs)
    stay = [each for each in first if each in second or each not in base]
    return stay + [each for each in second if each not in base and each not in stay]


def _orders(*sides: list[str]) -> list[list[str]]:
    """The order in which each side has what all of them have."""
    return [[each for each in side if all(each in other for other in sides)] for side in sides]


def restored(base: Body, theirs: Body, kept: Collection[str]) -> Body:
    """Theirs with what it removed together with nodes that are kept: their wires, places and groups."""
    if not kept:
        return theirs
    nodes = {**theirs["nodes"], **{name: base["nodes"][name] for name in kept}}
    before, after = by_target(base), by_target(theirs)

    def back(source: str, target: str) -> bool:
        ends = {split(source)[0], split(target)[0]}
        return bool(ends & {*kept}) and ends <= {*nodes}

    for target, old in before.items():
        now = after[target]
        stay = [each for each in old if each in now or back(each, target)]
        after[target] = stay + [each for each in now if each not in old]
    return {
        **theirs,
        "nodes": nodes,
        "edges": [[source, target] for target, sources in sorted(after.items()) for source in sources],
        "layout": {**{name: at for name, at in base["layout"].items() if name in kept}, **theirs["layout"]},
        "groups": {
            id: {
                **group,
                "nodes": [
                    *group["nodes"],
                    *sorted({*base["groups"].get(id, group)["nodes"]} & {*kept} - {*group["nodes"]}),
                ],
            }
            for id, group in theirs["groups"].items()
        },
    }


def wires(
    sides: Sides, nodes: Mapping[str, Any], several: Callable[[str], bool]
) -> tuple[list[list[str]], list[Clash]]:
    """The wires of both sides, and where they clash.

    Args:
        sides: The three bodies.
        nodes: The nodes of the result: a wire of a node that was removed goes with it.
        several: Whether a port takes several wires.
    """
    base, ours, theirs = (by_target(side) for side in sides)
    found: list[list[str]] = []
    clashes: list[Clash] = []
    for target in sorted({*ours, *theirs}):
        old, one, other = base[target], ours[target], theirs[target]
        both = one != other and old not in (one, other)
        sources = joined(old, one, other)
        if not several(target) and (both or len(sources) > max(len(one), 1)):
            said = [", ".join(each) or "nothing" for each in (old, one, other)]
            sentence = f"{target} was fed by {said[0]}; ours feeds it by {said[1]}, theirs by {said[2]}"
            clashes.append(Clash(sentence, old, one, other))
            sources = one
        elif both and len({*map(tuple, _orders(old, one, other))}) > 2:
            sentence = f"both sides changed the order of what enters {target}"
            clashes.append(Clash(sentence, old, one, other))
        found += [[source, target] for source in sources if _stands(source, target, nodes, sides)]
    return _without_circle(found, sides, nodes, clashes), clashes


def by_target(body: Body) -> defaultdict[str, list[str]]:
    """What enters each port, in order."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for source, target in body["edges"]:
        found[target].append(source)
    return found


def stands(name: str, nodes: Mapping[str, Any], holders: list[Body]) -> bool:
    """Whether what names a node stays: the node is there, or a side names it without having it."""
    return name in nodes or any(name not in side["nodes"] for side in holders)


def _stands(source: str, target: str, nodes: Mapping[str, Any], sides: Sides) -> bool:
    holders = [side for side in sides if [source, target] in side["edges"]]
    return all(stands(split(end)[0], nodes, holders) for end in (source, target))


def _without_circle(
    edges: list[list[str]], sides: Sides, nodes: Mapping[str, Any], clashes: list[Clash]
) -> list[list[str]]:
    """Wires of which each side's alone lead in no circle must not do so together: ours stay."""
    body: Body = {**sides[1], "nodes": dict(nodes), "edges": edges}
    if not _circular(body) or any(_circular(side) for side in sides[1:]):
        return edges
    body["edges"] = [edge for edge in edges if edge in sides[1]["edges"]]
    for source, target in [edge for edge in edges if edge not in sides[1]["edges"]]:
        if leads_to(body, split(target)[0], split(source)[0]):
            sentence = f"{source} -> {target} of theirs leads in a circle with what ours connects"
            old = [source, target] in sides[0]["edges"]
            clashes.append(Clash(sentence, [source] if old else [], [], [source]))
        else:
            body["edges"] = [*body["edges"], [source, target]]
    return [edge for edge in edges if edge in body["edges"]]


def _circular(body: Body) -> bool:
    return bool(ordered(predecessors(body))[1])
