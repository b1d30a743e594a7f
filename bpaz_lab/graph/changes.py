"""Invertible operations on a document: how every edit travels and how undo works.

There are two kinds. A *value* operation replaces what stands at a path; an absent ``old`` means that
nothing stood there, an absent ``new`` that nothing shall::

    {"path": ["nodes", "split", "settings", "chunk_size"], "old": 200, "new": 400}

An *edge* operation moves an edge among the edges that enter the same port, whose order matters; an
absent ``old`` connects, an absent ``new`` disconnects::

    {"edge": ["load.documents", "split.documents"], "new": 0}

Either may say ``within``: the containers, from the top down, whose body it concerns.

Both are inverted by swapping ``old`` and ``new``. An operation whose ``old`` is not what the document
holds is refused, so that two editors never overwrite one another unseen. Documents are in normal form
(every section there, edges sorted by the port they enter) and stay so. ``labextension/src/model``
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

import re
from bisect import bisect_left
from copy import deepcopy
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

from bpaz_lab.errors import PatchError, StaleChange

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOTS = ("name", "nodes", "layout", "notes", "groups")
_ABSENT: Any = object()
_ENDS = 2
_SHOWN = 60
_PORT = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\.[A-Za-z_][A-Za-z0-9_]{0,63}\Z")


class Operation(TypedDict, total=False):
    """One operation: a value operation has ``path``, an edge operation ``edge``."""

    within: NotRequired[list[str]]
    path: NotRequired[list[str]]
    edge: NotRequired[list[str]]
    old: NotRequired[Any]
    new: NotRequired[Any]


def apply(document: Any, operations: Sequence[Operation]) -> None:
    """Applies all operations to a document in normal form, in place, or none.

    Raises:
        StaleChange: The document does not hold what an operation expects.
        PatchError: An operation has no valid shape or leads nowhere.
    """
    done: list[Operation] = []
    try:
        for operation in operations:
            _apply_one(document, operation)
            done.append(operation)
    except PatchError:
        for operation in invert(done):
            _apply_one(document, operation)
        raise


def invert(operations: Sequence[Operation]) -> list[Operation]:
    """The operations that undo the given ones, in reverse order."""
    return [_inverse(operation) for operation in reversed(operations)]


def _inverse(operation: Operation) -> Operation:
    inverse: dict[str, Any] = {key: operation[key] for key in ("within", "path", "edge") if key in operation}
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


def _apply_one(document: Any, operation: Operation) -> None:
    if "old" not in operation and "new" not in operation:
        raise PatchError("an operation has an 'old' or a 'new', or both", hint="Send what shall stand there.")
    (_apply_edge if "edge" in operation else _apply_value)(_body(document, operation), operation)


def _body(document: Any, operation: Operation) -> Any:
    """The document, or the body in it that the operation concerns."""
    within: Any = operation.get("within", [])
    if not _texts(within):
        raise PatchError(f"'within' is a list of containers, not {_shown(within)}")
    if within and operation.get("path") == ["name"]:
        raise PatchError("a body has no name", path="name", hint="Set the title of its container.")
    for container in within:
        entry = document["nodes"].get(container)
        document = entry.get("body") if isinstance(entry, dict) else None
        if not isinstance(document, dict):
            raise StaleChange(
                f"the change leads into a body that is not there any more: {'/'.join(within)}",
                path=".".join(within),
                hint="Somebody removed it; look at the workflow as it is now and repeat the change.",
            )
    return document


def _apply_value(document: Any, operation: Operation) -> None:
    path: Any = operation.get("path")
    if not _texts(path) or not path or path[0] not in ROOTS:
        raise PatchError(
            f"a change must name a path that starts with one of {', '.join(ROOTS)}, not {_shown(path)}",
            hint="Send an operation with 'path' or 'edge'.",
        )
    if len(path) == 1 and (path[0] != "name" or "new" not in operation):
        raise PatchError(
            f"a change cannot replace or remove the whole of {path[0]!r}",
            path=path[0],
            hint="Send one operation for each part that changes.",
        )
    place = document
    for key in path[:-1]:
        place = place.get(key) if isinstance(place, dict) else None
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
    edge: Any = operation["edge"]
    if not _texts(edge) or len(edge) != _ENDS or not all(map(_PORT.match, edge)):
        raise PatchError(f"an edge is two ports, each written node.port, not {_shown(edge)}", path="edges")
    for key in ("old", "new"):
        if key in operation and type(operation[key]) is not int:
            raise PatchError(
                f"the {key!r} of an edge is its position among the edges into its port", path="edges"
            )
    edge, edges = list(edge), document["edges"]
    siblings = [other for other in edges if other[1] == edge[1]]
    found = siblings.index(edge) if edge in siblings else None
    if operation.get("old") != found:
        state = "is not there" if found is None else f"is already there, at position {found}"
        raise StaleChange(
            f"the edge {edge[0]} -> {edge[1]} {state}",
            path="edges",
            hint="Somebody changed it meanwhile; look at the workflow as it is now and repeat the change.",
        )
    room = len(siblings) - (found is not None)
    position = operation.get("new", 0)
    if not 0 <= position <= room:
        raise PatchError(f"the edge cannot stand at position {position} of {room} in its port", path="edges")
    if found is not None:
        edges.remove(edge)
    if "new" in operation:
        edges.insert(bisect_left(edges, edge[1], key=itemgetter(1)) + position, edge)


def _texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(part, str) for part in value)


def _shown(value: Any) -> str:
    if value is _ABSENT:
        return "nothing"
    return text if len(text := repr(value)) <= _SHOWN else text[: _SHOWN - 3] + "..."
