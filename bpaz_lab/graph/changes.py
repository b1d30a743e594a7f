"""Invertible operations on a document: how every edit travels and how undo works.

There are two kinds. A *value* operation replaces what stands at a path; an absent ``old`` means that
nothing stood there, an absent ``new`` that nothing shall::

    {"path": ["nodes", "split", "settings", "chunk_size"], "old": 200, "new": 400}

An *edge* operation moves an edge among the edges that enter the same port, whose order matters; an
absent ``old`` connects, an absent ``new`` disconnects::

    {"edge": ["load.documents", "split.documents"], "new": 0}

Both are inverted by swapping ``old`` and ``new``. An operation whose ``old`` is not what the document
holds is refused, so that two editors never overwrite one another unseen. ``labextension/src/model``
applies the same operations in TypeScript; ``tests/fixtures/changes.json`` holds both to the same results.

Example:
    >>> document = {"nodes": {"a": {"type": "T", "version": 1, "settings": {}}}, "edges": []}
    >>> operation = {"path": ["nodes", "a", "settings", "size"], "new": 3}
    >>> apply(document, [operation])
    >>> document["nodes"]["a"]["settings"]
    {'size': 3}
    >>> apply(document, invert([operation]))
    >>> document["nodes"]["a"]["settings"]
    {}
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

from bpaz_lab.errors import PatchError, StaleChange

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOTS = ("name", "nodes", "layout", "notes", "groups")
_ABSENT: Any = object()


class Operation(TypedDict, total=False):
    """One operation: a value operation has ``path``, an edge operation ``edge``."""

    path: NotRequired[list[str]]
    edge: NotRequired[list[str]]
    old: NotRequired[Any]
    new: NotRequired[Any]


def apply(document: Any, operations: Sequence[Operation]) -> None:
    """Applies all operations to the document in place, or none.

    Raises:
        StaleChange: The document does not hold what an operation expects.
        PatchError: An operation has no valid shape or leads nowhere.
    """
    done: list[Operation] = []
    try:
        for operation in operations:
            (_apply_edge if "edge" in operation else _apply_value)(document, operation)
            done.append(operation)
    except PatchError:
        for operation in invert(done):
            (_apply_edge if "edge" in operation else _apply_value)(document, operation)
        raise


def invert(operations: Sequence[Operation]) -> list[Operation]:
    """The operations that undo the given ones, in reverse order."""
    return [_inverse(operation) for operation in reversed(operations)]


def _inverse(operation: Operation) -> Operation:
    inverse: dict[str, Any] = {key: operation[key] for key in ("path", "edge") if key in operation}  # type: ignore[literal-required]
    if "new" in operation:
        inverse["old"] = operation["new"]
    if "old" in operation:
        inverse["new"] = operation["old"]
    return inverse  # type: ignore[return-value]


def same(one: Any, other: Any) -> bool:
    """JSON equality: 2 equals 2.0 as in JavaScript, but True does not equal 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def _apply_value(document: Any, operation: Operation) -> None:
    path = operation.get("path")
    if not path or path[0] not in ROOTS:
        raise PatchError(
            f"a change must name a path that starts with one of {', '.join(ROOTS)}, not {path!r}",
            hint="Send an operation with 'path' or 'edge'.",
        )
    place = document
    for key in path[:-1]:
        place = place.get(key, _ABSENT) if isinstance(place, dict) else _ABSENT
        if place is _ABSENT and key in ROOTS:
            place = document.setdefault(key, {})
    if not isinstance(place, dict):
        raise StaleChange(
            "the change leads to a place that is not there any more",
            path=".".join(path),
            hint="Somebody removed it; look at the workflow as it is now and repeat the change.",
        )
    found, expected = place.get(path[-1], _ABSENT), operation.get("old", _ABSENT)
    if (found is _ABSENT) != (expected is _ABSENT) or (found is not _ABSENT and not same(found, expected)):
        raise StaleChange(
            f"the change expects {_shown(expected)} but finds {_shown(found)}",
            path=".".join(path),
            hint="Somebody changed it meanwhile; look at the workflow as it is now and repeat the change.",
        )
    if "new" in operation:
        place[path[-1]] = deepcopy(operation["new"])
    else:
        place.pop(path[-1], None)


def _apply_edge(document: Any, operation: Operation) -> None:
    edge, edges = list(operation["edge"]), document.setdefault("edges", [])
    if len(edge) != 2 or not all(isinstance(end, str) and end.count(".") == 1 for end in edge):
        raise PatchError(f"an edge is two ports, each written node.port, not {edge!r}", path="edges")
    if "old" not in operation and "new" not in operation:
        raise PatchError("an edge operation has an 'old' or a 'new' position, or both", path="edges")
    siblings = [other for other in edges if other[1] == edge[1]]
    found = siblings.index(edge) if edge in siblings else None
    if operation.get("old") != found:
        state = "is not there any more" if found is None else f"is already there, at position {found}"
        raise StaleChange(
            f"the edge {edge[0]} -> {edge[1]} {state}",
            path="edges",
            hint="Somebody changed it meanwhile; look at the workflow as it is now and repeat the change.",
        )
    if "old" in operation:
        edges.remove(edge)
        siblings.remove(edge)
    if "new" in operation:
        position = operation["new"]
        if not isinstance(position, int) or not 0 <= position <= len(siblings):
            raise PatchError(
                f"the edge cannot stand at position {position!r} of {len(siblings)} in its port", path="edges"
            )
        if position < len(siblings):
            edges.insert(edges.index(siblings[position]), edge)
        elif siblings:
            edges.insert(edges.index(siblings[-1]) + 1, edge)
        else:
            edges.append(edge)


def _shown(value: Any) -> str:
    if value is _ABSENT:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
