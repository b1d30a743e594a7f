"""Whether a run may go on with a workflow that is not quite the one that it began with.

Example:
    >>> node = {"type": "TextInput", "version": 1, "settings": {"text": "a"}}
    >>> old = {"nodes": {"a": node}, "edges": []}
    >>> changes(old, {**old, "nodes": {"a": {**node, "settings": {"text": "b"}}}}, {}, {})
    {'a'}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from bpaz_lab.engine.hashing import hashed
from bpaz_lab.engine.source import code_of
from bpaz_lab.errors import RunChanged
from bpaz_lab.graph.address import path_of, place_of
from bpaz_lab.graph.changes import same
from bpaz_lab.graph.difference import difference
from bpaz_lab.graph.order import split

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from bpaz_lab.engine.plan import Plan

RESULTS: Final = ("on_error", "default", "disabled")
"""What of a policy decides what a node gives; the rest says how it comes about."""


def code_of_types(plan: Plan) -> dict[str, str]:
    """A digest of the code of each node type that is not of this package, those in bodies too.

    It is empty where the code cannot be compared.
    """
    found: dict[str, str] = {}
    for step in plan.steps:
        if step.cls.package != "bpaz_lab" and step.entry["type"] not in found:
            code = code_of(step.cls)
            found[step.entry["type"]] = "" if code.why else hashed(code.parts).digest
        if step.body is not None:
            found |= code_of_types(step.body)
    return found


def changes(
    old_document: Mapping[str, Any],
    new_document: Mapping[str, Any],
    old_code: Mapping[str, str],
    new_code: Mapping[str, str],
) -> set[str]:
    """The places of the nodes that may give something else now: ``split``, ``each/clean``.

    Args:
        old_document: The workflow that was run.
        new_document: The one to go on with.
        old_code: What ``code_of_types`` gave then; types that it does not know are taken for the same.
        new_code: What it gives now.

    Returns:
        Those whose type, settings, code, policy or wires changed, that are new or gone, and the containers
        around them. Names, titles, notes and the layout do not count.
    """
    recoded = {name for name, code in new_code.items() if code and old_code.get(name, code) != code}
    found: set[str] = set()
    _compare(old_document, new_document, "", recoded, found)
    return found


def demand_same(
    old_document: Mapping[str, Any],
    new_document: Mapping[str, Any],
    old_code: Mapping[str, str],
    new_code: Mapping[str, str],
    addresses: Collection[str],
    *,
    changed: Literal["refuse", "continue"] = "refuse",
) -> None:
    """Refuses to go on with a workflow that changed.

    Args:
        old_document: The workflow that was run.
        new_document: The one to go on with.
        old_code: What ``code_of_types`` gave then.
        new_code: What it gives now.
        addresses: The steps that the ledger knows.
        changed: ``continue`` allows changes of steps that are not among them.

    Raises:
        RunChanged: It says what differs.
    """
    found = changes(old_document, new_document, old_code, new_code)
    if not found:
        return
    begun = sorted(found & {place_of(each) for each in addresses})
    if changed == "continue" and not begun:
        return
    hint = "Go on with the workflow as it was, or run the new one."
    if begun:
        what = f"what the run has done is of another workflow: {', '.join(begun)} changed since"
        hint = f"{hint} run.fork({begun[0]!r}) takes over what was done before it."
    else:
        what = "the workflow changed since the run began"
        hint = f"{hint} changed='continue' goes on: only steps that have not begun changed."
    raise RunChanged(
        f"{what}\n{_told(old_document, new_document, old_code, new_code)}",
        hint=hint,
        path=path_of((begun or sorted(found))[0]),
    )


def _told(
    old_document: Mapping[str, Any],
    new_document: Mapping[str, Any],
    old_code: Mapping[str, str],
    new_code: Mapping[str, str],
) -> str:
    one: Any = {"name": "", **old_document}
    other: Any = {"name": "", **new_document}
    lines = str(difference(one, other)).splitlines()
    lines += [
        f"~ the code of {name} changed"
        for name, code in new_code.items()
        if code and old_code.get(name, code) != code
    ]
    return "\n".join(line for line in lines if line != "no difference")


def _compare(
    old: Mapping[str, Any], new: Mapping[str, Any], prefix: str, recoded: set[str], found: set[str]
) -> None:
    before, after = _incoming(old), _incoming(new)
    for node in dict.fromkeys((*old["nodes"], *new["nodes"])):
        one, other = old["nodes"].get(node), new["nodes"].get(node)
        if one is None or other is None:
            found.add(f"{prefix}{node}")
            continue
        if (
            one["type"] != other["type"]
            or one.get("version") != other.get("version")
            or other["type"] in recoded
            or not same(one.get("settings", {}), other.get("settings", {}))
            or not same(_decides(one), _decides(other))
            or before.get(node) != after.get(node)
        ):
            found.add(f"{prefix}{node}")
        bodies = one.get("body"), other.get("body")
        if all(bodies):
            inner: set[str] = set()
            _compare(bodies[0], bodies[1], f"{prefix}{node}/", recoded, inner)
            if inner:
                found |= inner | {f"{prefix}{node}"}
        elif any(bodies):
            found.add(f"{prefix}{node}")


def _decides(entry: Mapping[str, Any]) -> dict[str, Any]:
    policy = entry.get("policy") or {}
    return {name: policy[name] for name in RESULTS if policy.get(name)}


def _incoming(body: Mapping[str, Any]) -> dict[str, dict[str, list[str]]]:
    """What enters each node, by port, in the order of the wires."""
    found: dict[str, dict[str, list[str]]] = {}
    for source, target in body["edges"]:
        node, port = split(target)
        found.setdefault(node, {}).setdefault(port, []).append(source)
    return found
