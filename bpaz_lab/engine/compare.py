"""Two runs, node by node: what each gave, how long it took and what it cost.

Example:
    >>> node = {"type": "TextInput", "version": 1, "settings": {}}
    >>> run = {"document": {"bpaz": 1, "name": "x", "nodes": {"a": node}, "edges": []}, "events": []}
    >>> compare(run, run)[0].kind
    'same'
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from bpaz_lab.engine.events import Preview
from bpaz_lab.graph.address import place_of
from bpaz_lab.graph.difference import difference
from bpaz_lab.graph.order import split

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_TOLD: Final = ("node.type", "setting", "policy", "body")
NOT_COMPUTED: Final = "not computed"
_STATES: Final = {
    "node.started": "running",
    "node.answered": "running",
    "node.asked": "waiting",
    "node.finished": "finished",
    "node.failed": "failed",
    "node.skipped": "skipped",
}
_WEIGHT: Final = (NOT_COMPUTED, "skipped", "finished", "running", "waiting", "failed")
"""Of several rounds the last of these says what became of the node."""


@dataclass(slots=True)
class Side:
    """A node in one of two runs; of one in a body all rounds together.

    Attributes:
        status: What became of it.
        outputs: Previews of what it gave, of the last round.
        seconds: How long it took.
        tokens: What models used for it.
        cost: In US dollars; None where a price is not known, or nothing was used.
    """

    status: str = NOT_COMPUTED
    outputs: dict[str, Preview] = field(default_factory=dict)
    seconds: float = 0.0
    tokens: int = 0
    cost: float | None = None


@dataclass(slots=True)
class NodeComparison:
    """A node in two runs.

    Attributes:
        place: Where it stands: ``each/clean``.
        kind: Whether it is the same, differs, or is in one of the workflows alone.
        one: In the first run; None where its workflow has no such node.
        other: In the second run.
        same: Whether it gave the same; None where that is not known.
        settings: What differs in its type, settings, policy and wires, a line each.
    """

    place: str
    kind: Literal["same", "changed", "added", "removed"]
    one: Side | None
    other: Side | None
    same: bool | None = None
    settings: str = ""


def compare(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[NodeComparison]:
    """Two runs, node by node, in the order of the second workflow.

    Args:
        one: The first run: its ``document``, its ``events`` as JSON, and ``values``, what ``values.content``
            names the outputs of each address; without those only the previews tell whether they differ.
        other: The second run.
    """
    places = list(_places(other["document"]))
    places += [place for place in _places(one["document"]) if place not in set(places)]
    settings = _settings(one["document"], other["document"])
    sides = [_sides(each["events"]) for each in (one, other)]
    values = [_by_place(each.get("values") or {}) for each in (one, other)]
    there = [set(_places(each["document"])) for each in (one, other)]
    found = []
    for place in places:
        first, second = (
            side.get(place, Side()) if place in known else None
            for side, known in zip(sides, there, strict=True)
        )
        told = [each.get(place) for each in values]
        same = told[0] == told[1] if all(told) else None
        each = NodeComparison(place, "same", first, second, same, "\n".join(settings.get(place, ())))
        each.kind = _kind(each)
        found.append(each)
    return found


def _kind(each: NodeComparison) -> Literal["same", "changed", "added", "removed"]:
    one, other = each.one, each.other
    if one is None or other is None:
        return "added" if one is None else "removed"
    looks = one.outputs == other.outputs
    same = looks if each.same is None else each.same
    return "same" if same and one.status == other.status and not each.settings else "changed"


def _places(body: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for node, entry in body["nodes"].items():
        yield f"{prefix}{node}"
        if inner := entry.get("body"):
            yield from _places(inner, f"{prefix}{node}/")


def _by_place(values: Mapping[str, str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for address, digest in values.items():
        found.setdefault(place_of(address), {})[address] = digest
    return found


def _settings(one: Any, other: Any) -> dict[str, list[str]]:
    """What differs in the workflow, by the place of the node that it concerns."""
    found: dict[str, list[str]] = {}
    for delta in difference(one, other).changes:
        if delta.kind in (
            "name",
            "note",
            "group",
            "node.title",
            "node.added",
            "node.removed",
            "node.renamed",
        ):
            continue
        head, edges, _ = delta.path.partition("edges")
        if edges and delta.kind.startswith("edge."):
            ends = delta.new if delta.kind == "edge.added" else delta.old
            target = (
                ends[1] if delta.kind != "edge.order" else delta.sentence.split(" ")[2].rpartition("/")[2]
            )
            place = "/".join((*_nodes(head), split(target)[0]))
        else:
            place = "/".join(_nodes(delta.path))
        found.setdefault(place, []).append(f"{delta.sign} {delta.sentence}")
    return found


def _nodes(path: str) -> list[str]:
    """The ids on the way of a path: ``nodes.each.body.nodes.clean.settings`` goes by each and clean."""
    parts = path.split(".")
    found: list[str] = []
    while len(parts) > 1 and parts[0] == "nodes":
        found.append(parts[1])
        parts = parts[3:] if parts[2:3] == ["body"] else []
    return found


def _sides(events: Iterable[Mapping[str, Any]]) -> dict[str, Side]:
    status: dict[str, str] = {}
    usage: dict[str, Mapping[str, Any]] = {}
    found: dict[str, Side] = {}
    for event in events:
        state = _STATES.get(event["type"])
        address = event.get("node", "")
        if state is None or not address:
            continue
        side = found.setdefault(place_of(address), Side())
        status[address] = state
        side.seconds += event.get("duration") or 0.0
        if event["type"] == "node.finished":
            outputs = event.get("outputs") or {}
            side.outputs = {name: Preview(**look) for name, look in outputs.items()}
            if used := event.get("usage"):
                usage[address] = used  # told again, with all before, where a run went on
    for address, state in status.items():
        side = found[place_of(address)]
        side.status = max(side.status, state, key=_WEIGHT.index)
    for address, used in usage.items():
        side = found[place_of(address)]
        first = not side.tokens
        side.tokens += used["input_tokens"] + used["output_tokens"]
        known = used.get("cost") is not None and (first or side.cost is not None)
        side.cost = (side.cost or 0.0) + used["cost"] if known else None
    return found
