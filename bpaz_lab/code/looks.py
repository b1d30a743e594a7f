"""How a known workflow looks, taken over by one that was read from code."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bpaz_lab.graph.document import Body


def dress(body: Body, known: Body) -> None:
    """Gives nodes their places, and the body its notes and groups, where the code says nothing of them.

    What is the same is told by the ids: nodes that are gone leave their groups, bodies are dressed as well.

    Args:
        body: The body that was read, in normal form; it is changed.
        known: The body as it was, in normal form.
    """
    for id, at in known["layout"].items():
        if id in body["nodes"]:
            body["layout"].setdefault(id, at)
    for id, note in known["notes"].items():
        body["notes"].setdefault(id, note)
    for id, group in known["groups"].items():
        members = [each for each in group["nodes"] if each in body["nodes"]]
        if members:
            body["groups"].setdefault(id, {**group, "nodes": members})
    for id, entry in body["nodes"].items():
        before = known["nodes"].get(id)
        if before and "body" in entry and "body" in before:
            dress(entry["body"], before["body"])
