"""What hangs on a step of a run: all that must not be taken over when it gives something else.

Example:
    >>> nodes = {name: {"type": "TextInput", "version": 1, "settings": {}} for name in "abc"}
    >>> document = {"nodes": nodes, "edges": [["a.text", "b.text"]]}
    >>> sorted(affected(document, ["", "a", "b", "c"], "a"))
    ['a', 'b']
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bpaz_lab.graph.order import split

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_PART: Final = re.compile(r"(?P<node>[^/\[]+)(?:\[(?P<key>[^\]/]*)\])?")


class Level(NamedTuple):
    """One container on the way to a step, and the step itself at last."""

    prefix: str
    """What stands before the ids."""
    node: str
    key: str | None
    """The round, where the way goes on inside."""
    body: Mapping[str, Any] | None
    """The nodes and edges around it; None where nobody knows them."""


def affected(document: Mapping[str, Any], addresses: Collection[str], address: str) -> set[str]:
    """The steps that hang on one, itself among them, with all that is inside of them.

    That is what follows it in its round, the containers that it stands in and what follows those, and the
    rounds of a Loop that come after its own. The rounds of a ForEach know nothing of one another. Where the
    body of a container is not in the document, all of the round counts as hanging on it.

    Args:
        document: The workflow that was run.
        addresses: The steps that the ledger knows.
        address: The step that shall give something else; ``""`` for the inputs of the run.
    """
    if not address:
        return set(addresses)
    found: set[str] = set()
    for level in _levels(document, address):
        last = level.key is None
        after = _after(level.body, level.node)
        for each in addresses:
            if not each.startswith(level.prefix) or each == "":
                continue
            part, inner = _first(each[len(level.prefix) :])
            if part["node"] == level.node:
                if (last and inner) or each == f"{level.prefix}{level.node}" or _later(level, part["key"]):
                    found.add(each)
            elif after is None or part["node"] in after:
                found.add(each)
    return found


def _levels(document: Mapping[str, Any], address: str) -> Iterator[Level]:
    body: Mapping[str, Any] | None = document
    prefix = ""
    parts = address.split("/")
    for number, part in enumerate(parts):
        told = _first(part)[0]
        node, key = str(told["node"]), told["key"]
        last = number + 1 == len(parts)
        yield Level(prefix, node, None if last else key or "", body)
        entry = (body or {}).get("nodes", {}).get(node, {})
        body = entry.get("body") if entry.get("body", {}).get("nodes") else None
        prefix += f"{part}/"


def _first(rest: str) -> tuple[dict[str, Any], bool]:
    """The first part of what is left of an address, and whether more follows."""
    found = _PART.match(rest)
    return (found.groupdict() if found else {"node": rest, "key": None}), "/" in rest


def _later(level: Level, key: str | None) -> bool:
    """Whether a round of the container comes after the one that the way goes through."""
    if level.key is None or key is None or key == level.key:
        return False
    entry = (level.body or {}).get("nodes", {}).get(level.node, {})
    if entry.get("type") == "ForEach":
        return False
    if key.isdecimal() and level.key.isdecimal():
        return int(key) > int(level.key)
    return True  # nobody knows the order


def _after(body: Mapping[str, Any] | None, node: str) -> set[str] | None:
    """The nodes that follow one; None where that is not known."""
    if body is None:
        return None
    following: dict[str, list[str]] = {}
    for source, target in body["edges"]:
        following.setdefault(split(source)[0], []).append(split(target)[0])
    found: set[str] = set()
    ways = list(following.get(node, ()))
    while ways:
        if (each := ways.pop()) not in found:
            found.add(each)
            ways += following.get(each, ())
    return found
