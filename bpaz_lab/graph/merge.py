"""Two people changed the same workflow: a three-way merge by meaning, not by lines.

What only one side changed is taken, what both changed alike is taken once, and what both changed
differently is a conflict: it is told, and the document keeps *ours*. The result can always be loaded: a
wire never leads to a node that one side removed. Where boxes lie is no matter to quarrel over; ours stays.

A node is changed by its settings, each as a whole; by its title, its policy and its body; and by its type,
with which its settings go. Wires count by the port they enter. A node that only got another id is followed.

The rules are those of diff3 (Khanna, Kunal and Pierce, "A Formal Investigation of Diff3", 2007), over the
keys of a document where diff3 has lines.

Example:
    >>> from bpaz_lab.graph.document import parse
    >>> text = '{"bpaz": 1, "name": "", "nodes": {"cut": {"type": "Cut", "settings": {"size": 2, "lap": 0}}}}'
    >>> base = parse(text)
    >>> ours, theirs = parse(text.replace("2", "4")), parse(text.replace("0", "1"))
    >>> merge(base, ours, theirs).document["nodes"]["cut"]["settings"]
    {'size': 4, 'lap': 1}
    >>> for conflict in merge(base, ours, parse(text.replace("2", "8"))).conflicts:
    ...     print(conflict)
    nodes.cut.settings.size: cut: size was 2; ours has 4, theirs 8
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.graph.changes import same
from bpaz_lab.graph.difference import ABSENT, shown
from bpaz_lab.graph.document import FORMAT, normal
from bpaz_lab.graph.joining import by_target, joined, restored, stands, wires
from bpaz_lab.graph.order import split
from bpaz_lab.graph.renames import renamed, renames

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from bpaz_lab.graph.document import Body, Document, NodeEntry
    from bpaz_lab.graph.joining import Sides

Many = Callable[[Any, str], bool]
"""Whether an input of a node takes several wires: gets the node's entry and the port's name."""
_LOOKS: Final = ("at", "size")
_QUIET: Final = (*_LOOKS, "nodes")
_CORE: Final = ("type", "version", "settings", "body")


@dataclass(frozen=True, slots=True)
class Conflict:
    """What both sides changed, each in its own way; the document keeps ours.

    Attributes:
        path: Where it stands in the document.
        sentence: What each side did, for people.
        base: What stood there before, or ``ABSENT``.
        ours: What our side has there, or ``ABSENT``.
        theirs: What the other side has there, or ``ABSENT``.
    """

    path: str
    sentence: str
    base: Any = ABSENT
    ours: Any = ABSENT
    theirs: Any = ABSENT

    def __str__(self) -> str:
        return f"{self.path}: {self.sentence}"

    def to_dict(self) -> dict[str, Any]:
        """The conflict as JSON; what stood nowhere is missing."""
        values = {"base": self.base, "ours": self.ours, "theirs": self.theirs}
        told = {key: value for key, value in values.items() if value is not ABSENT}
        return {"path": self.path, "sentence": self.sentence, **told}


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged document, and what was left to decide; it is clean where there is no conflict."""

    document: Document
    conflicts: tuple[Conflict, ...] = ()


def merge(
    base: Document, ours: Document, theirs: Document, many: Many = lambda _entry, _port: False
) -> Merged:
    """Merges what two sides made of one document.

    Args:
        base: The document that both began with.
        ours: One side, which is kept where the two disagree.
        theirs: The other side.
        many: Which inputs take several wires, so that wires of both sides fit into one. Without it, those
            that have several on some side.
    """
    one, two, three = (normal(deepcopy(each)) for each in (base, ours, theirs))
    merging = _Merging(many)
    name = merging.value((one["name"], two["name"], three["name"]), "name", "the name")
    body = merging.body((_bare(one), _bare(two), _bare(three)))
    return Merged(normal({"bpaz": FORMAT, "name": name, **body}), tuple(merging.conflicts))


@dataclass
class _Merging:
    many: Many
    conflicts: list[Conflict] = field(default_factory=list)

    def value(self, sides: Iterable[Any], path: str, said: str) -> Any:
        """The side that changed; ours where both did."""
        base, ours, theirs = sides
        if same(ours, theirs) or same(base, theirs):
            return ours
        if same(base, ours):
            return theirs
        sentence = f"{said} was {shown(base)}; ours has {shown(ours)}, theirs {shown(theirs)}"
        self.conflicts.append(Conflict(path, sentence, base, ours, theirs))
        return ours

    def mapping(
        self, sides: Sequence[Any], path: str, said: str, quiet: Collection[str] = ()
    ) -> dict[str, Any]:
        """Key by key; without a word where a key is quiet."""
        found: dict[str, Any] = {}
        for key in dict.fromkeys([*sides[1], *sides[2]]):
            values = [side.get(key, ABSENT) for side in sides]
            merged = (
                _quietly(*values) if key in quiet else self.value(values, f"{path}.{key}", f"{said}: {key}")
            )
            if merged is not ABSENT:
                found[key] = merged
        return found

    def body(self, sides: Sides, path: str = "", address: str = "") -> Body:
        """Nodes, wires and looks; ``path`` and ``address`` say where the body stands."""
        base, ours, theirs = sides
        if same(ours, theirs) or same(base, theirs):
            return ours
        if same(base, ours):
            return theirs
        (base, ours, theirs), touched = self._aligned(sides, path, address)
        nodes, kept = self._nodes((base, ours, theirs), touched, path, address)
        wide = [by_target(side) for side in (base, ours, theirs)]
        sides = (base, ours, restored(base, theirs, kept))

        def several(port: str) -> bool:
            node, name = split(port)
            told = any(len(side[port]) > 1 for side in wide)
            return told or (node in nodes and self.many(nodes[node], name))

        edges, clashes = wires(sides, nodes, several)
        self.conflicts += [Conflict(f"{path}edges", f"{address}{each[0]}", *each[1:]) for each in clashes]
        return {
            "nodes": nodes,
            "edges": edges,
            "layout": _layout(sides, nodes),
            "notes": self._entries("note", [side["notes"] for side in sides], path, address),
            "groups": self._entries("group", [_groups(side, sides, nodes) for side in sides], path, address),
        }

    def _aligned(self, sides: Sides, path: str, address: str) -> tuple[Sides, set[str]]:
        """The three with one id for one node: what a side renamed has its new id in all of them.

        Also says which nodes one side renamed and the other removed.
        """
        base, ours, theirs = sides
        one, other = renames(base, ours), renames(base, theirs)
        for old in [old for old in one if other.get(old, one[old]) != one[old]]:
            sentence = f"{address}{old} is called {one[old]} in ours, {other[old]} in theirs"
            self.conflicts.append(Conflict(f"{path}nodes.{old}", sentence, old, one[old], other[old]))
            if one[old] not in theirs["nodes"]:
                theirs = renamed(theirs, {other[old]: one[old]})
                other[old] = one[old]
        alike = {old: new for old, new in one.items() if other.get(old) == new}
        mine = {old: new for old, new in one.items() if new not in theirs["nodes"]}
        others = {old: new for old, new in other.items() if new not in ours["nodes"]}
        touched = {new for old, new in mine.items() if old not in theirs["nodes"]}
        touched |= {new for old, new in others.items() if old not in ours["nodes"]}
        names = {**alike, **mine, **others}
        return (renamed(base, names), renamed(ours, others), renamed(theirs, mine)), touched

    def _nodes(
        self, sides: Sides, touched: set[str], path: str, address: str
    ) -> tuple[dict[str, NodeEntry], set[str]]:
        """The nodes, and those of them that theirs has removed and ours has changed."""
        base, ours, theirs = sides
        nodes: dict[str, NodeEntry] = {}
        kept: set[str] = set()
        for name in dict.fromkeys([*ours["nodes"], *theirs["nodes"]]):
            one, two, three = (side["nodes"].get(name, ABSENT) for side in sides)
            where, said = f"{path}nodes.{name}", f"{address}{name}"
            if ABSENT not in (two, three):
                nodes[name] = self._entry((one, two, three), where, said)
            elif one is ABSENT:
                nodes[name] = two if three is ABSENT else three
            elif (
                name in touched
                or not same(one, two if three is ABSENT else three)
                or _wired(name, base, ours if three is ABSENT else theirs)
            ):
                does = ("theirs", "ours") if three is ABSENT else ("ours", "theirs")
                sentence = f"{does[0]} removed {said}, {does[1]} changed it or its wires"
                self.conflicts.append(Conflict(where, sentence, one, two, three))
                if three is ABSENT:
                    nodes[name] = two
                    kept.add(name)
        return nodes, kept

    def _entry(self, sides: Sequence[Any], path: str, said: str) -> NodeEntry:
        base, ours, theirs = sides
        if same(ours, theirs) or same(base, theirs) or same(base, ours):
            return theirs if same(base, ours) else ours  # type: ignore[no-any-return]
        if base is ABSENT:
            sentence = f"both sides added a node {said}, and the two differ"
            self.conflicts.append(Conflict(path, sentence, base, ours, theirs))
            return ours  # type: ignore[no-any-return]
        found: dict[str, Any] = {}
        if all(side[key] == base[key] for side in sides for key in ("type", "version")):
            found |= {key: base[key] for key in ("type", "version")}
            found["settings"] = self.mapping([side["settings"] for side in sides], f"{path}.settings", said)
            bodies = [side.get("body", ABSENT) for side in sides]
            if ABSENT in bodies:
                found["body"] = self.value(bodies, f"{path}.body", f"the body of {said}")
            else:
                found["body"] = self.body((bodies[0], bodies[1], bodies[2]), f"{path}.body.", f"{said}/")
        else:  # settings mean something else in another type
            cores = ({key: side[key] for key in _CORE if key in side} for side in sides)
            found |= self.value(cores, path, f"{said}, whose type changed,")
        titles = (side.get("title", ABSENT) for side in sides)
        found["title"] = self.value(titles, f"{path}.title", f"{said}: title")
        policies = [side.get("policy", {}) for side in sides]
        found["policy"] = self.mapping(policies, f"{path}.policy", said)
        if not found["policy"] and sum("policy" in side for side in sides) < 2:
            del found["policy"]
        return {key: value for key, value in found.items() if value is not ABSENT}  # type: ignore[return-value]

    def _entries(self, kind: str, sides: Sequence[Any], path: str, address: str) -> dict[str, Any]:
        """Notes or groups: key by key where all have one, else whether it stays."""
        found: dict[str, Any] = {}
        for name in dict.fromkeys([*sides[1], *sides[2]]):
            values = [side.get(name, ABSENT) for side in sides]
            where, said = f"{path}{kind}s.{name}", f"{kind} {address}{name}"
            if ABSENT in values:
                told = [
                    each if each is ABSENT else {k: each[k] for k in each if k not in _LOOKS}
                    for each in values
                ]
                chosen = self.value(told, where, said)
                merged = values[1] if chosen is told[1] else values[2]
            else:
                merged = self.mapping(values, where, said, quiet=_QUIET)
                if kind == "group":
                    merged["nodes"] = joined(*(each["nodes"] for each in values))
            if merged is not ABSENT:
                found[name] = merged
        return found


def _bare(document: Any) -> Body:
    return {key: document[key] for key in ("nodes", "edges", "layout", "notes", "groups")}  # type: ignore[return-value]


def _wired(name: str, base: Body, side: Body) -> bool:
    """Whether a side has connected the node to something."""
    return any(
        edge not in base["edges"] and name in (split(edge[0])[0], split(edge[1])[0]) for edge in side["edges"]
    )


def _quietly(base: Any, ours: Any, theirs: Any) -> Any:
    """The side that changed; ours where both did."""
    return theirs if same(base, ours) else ours


def _layout(sides: Sides, nodes: Mapping[str, Any]) -> dict[str, Any]:
    """Where the boxes lie: those of nodes that are gone are gone."""
    places = [side["layout"] for side in sides]
    found = {}
    for name in dict.fromkeys([*places[1], *places[2]]):
        at = _quietly(*(each.get(name, ABSENT) for each in places))
        holders = [side for side in sides if name in side["layout"]]
        if at is not ABSENT and stands(name, nodes, holders):
            found[name] = at
    return found


def _groups(side: Body, sides: Sides, nodes: Mapping[str, Any]) -> dict[str, Any]:
    """The groups of a side without the nodes that the merge removed; one that is empty by that is gone."""
    found: dict[str, Any] = {}
    for id, group in side["groups"].items():
        members = []
        for name in group["nodes"]:
            holders = [each for each in sides if name in each["groups"].get(id, {"nodes": []})["nodes"]]
            if stands(name, nodes, holders):
                members.append(name)
        if members or not group["nodes"]:
            found[id] = {**group, "nodes": members}
    return found
