"""What differs between two documents, told as a person would: nodes, settings, wires, not lines of JSON.

Every change has a kind, the path where it stands, and a sentence. Where boxes lie is told apart, for it
means nothing. A node whose id alone changed is renamed, where that is sure: what it is and all its wires
are the same.

Example:
    >>> from bpaz_lab.graph.document import parse
    >>> one = parse('{"bpaz": 1, "name": "", "nodes": {"cut": {"type": "Cut", "settings": {"size": 200}}}}')
    >>> other = parse('{"bpaz": 1, "name": "", "nodes": {"cut": {"type": "Cut", "settings": {"size": 400}}}}')
    >>> print(difference(one, other))
    ~ cut: size 200 -> 400
    >>> bool(difference(one, one))
    False
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from difflib import unified_diff
from html import escape
from typing import TYPE_CHECKING, Any, Final, Literal

from bpaz_lab.graph.changes import same
from bpaz_lab.graph.document import normal
from bpaz_lab.graph.renames import renamed, renames

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpaz_lab.graph.document import Body, Document, NodeEntry

ABSENT: Final[Any] = type("Absent", (), {"__repr__": lambda _self: "nothing"})()
"""What stands where nothing stands: ``None`` is a value of JSON."""

Kind = Literal[
    "name",
    "node.added",
    "node.removed",
    "node.renamed",
    "node.type",
    "node.title",
    "setting",
    "policy",
    "body",
    "edge.added",
    "edge.removed",
    "edge.order",
    "note",
    "group",
]
_SHOWN: Final = 48
_SIGNS: Final = {"node.added": "+", "edge.added": "+", "node.removed": "-", "edge.removed": "-"}
_COLORS: Final = {"+": "#2e7d32", "-": "#c62828", "~": "#8a6100"}


@dataclass(frozen=True, slots=True)
class Delta:
    """One thing that differs.

    Attributes:
        kind: What kind of thing it is.
        path: Where it stands in the document, such as ``nodes.split.settings.chunk_size``.
        sentence: What differs, for people.
        old: What stood there, or ``ABSENT``.
        new: What stands there now, or ``ABSENT``.
    """

    kind: Kind
    path: str
    sentence: str
    old: Any = ABSENT
    new: Any = ABSENT

    @property
    def sign(self) -> str:
        """``+`` for what was added, ``-`` for what was removed, ``~`` for what changed."""
        return _SIGNS.get(self.kind, "~")

    @property
    def lines(self) -> list[str]:
        """The lines that differ, where a text of several lines changed."""
        if not (isinstance(self.old, str) and isinstance(self.new, str) and "\n" in self.old + self.new):
            return []
        return list(unified_diff(self.old.splitlines(), self.new.splitlines(), n=1, lineterm=""))[2:]

    def to_dict(self) -> dict[str, Any]:
        """The change as JSON; what stood nowhere is missing."""
        found = {"kind": self.kind, "path": self.path, "sentence": self.sentence}
        values = {"old": self.old, "new": self.new}
        return {**found, **{key: value for key, value in values.items() if value is not ABSENT}}


@dataclass(frozen=True, slots=True, repr=False)
class Difference:
    """All that differs between two documents; false where nothing does.

    Attributes:
        changes: What differs, from the top of the document down.
        moved: The nodes and notes that lie elsewhere, by address.
    """

    changes: tuple[Delta, ...] = ()
    moved: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes or self.moved)

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        lines = []
        for change in self.changes:
            lines += [f"{change.sign} {change.sentence}", *(f"    {line}" for line in change.lines)]
        if self.moved:
            lines.append(f"  {_listed(self.moved)} moved on the canvas")
        return "\n".join(lines) or "no difference"

    def to_dict(self) -> dict[str, Any]:
        """The difference as JSON."""
        return {"changes": [change.to_dict() for change in self.changes], "moved": list(self.moved)}

    def _repr_html_(self) -> str:
        rows = []
        for line in str(self).splitlines():
            color = _COLORS.get(line.strip()[:1], "inherit")
            rows.append(f'<span style="color:{color}">{escape(line)}</span>')
        return f"<pre>{chr(10).join(rows)}</pre>"


def difference(one: Document, other: Document) -> Difference:
    """What has to change in one document to make the other of it."""
    one, other = normal(one), normal(other)
    changes: list[Delta] = []
    moved: list[str] = []
    if one["name"] != other["name"]:
        sentence = f"the workflow is called {shown(other['name'])}, not {shown(one['name'])}"
        changes.append(Delta("name", "name", sentence, one["name"], other["name"]))
    _compare(one, other, "", "", changes, moved)
    return Difference(tuple(changes), tuple(moved))


def _compare(one: Body, other: Body, path: str, address: str, changes: list[Delta], moved: list[str]) -> None:
    """The changes of a body; ``path`` and ``address`` say where it stands, and are empty at the top."""
    names = renames(one, other)
    for old, new in names.items():
        sentence = f"{address}{old} is called {address}{new}"
        changes.append(Delta("node.renamed", f"{path}nodes.{old}", sentence, old, new))
    one = renamed(one, names)
    for name, entry in one["nodes"].items():
        where, said = f"{path}nodes.{name}", f"{address}{name}"
        if name not in other["nodes"]:
            changes.append(Delta("node.removed", where, f"{said} ({entry['type']}) is gone", entry))
        else:
            _compare_entry(entry, other["nodes"][name], where, said, changes, moved)
    for name, entry in other["nodes"].items():
        if name not in one["nodes"]:
            sentence = f"{address}{name} ({entry['type']}){_with(entry)}"
            changes.append(Delta("node.added", f"{path}nodes.{name}", sentence, ABSENT, entry))
    changes += _edges(one["edges"], other["edges"], f"{path}edges", address)
    changes += _entries("note", one, other, path, address, moved)
    changes += _entries("group", one, other, path, address, moved)
    for name, at in one["layout"].items():
        if name in other["nodes"] and not same(at, other["layout"].get(name, at)):
            moved.append(f"{address}{name}")


def _compare_entry(
    one: NodeEntry, other: NodeEntry, path: str, said: str, changes: list[Delta], moved: list[str]
) -> None:
    if one["type"] != other["type"]:
        sentence = f"{said} is a {other['type']}, not a {one['type']}"
        changes.append(Delta("node.type", f"{path}.type", sentence, one["type"], other["type"]))
    if one["version"] != other["version"]:
        sentence = f"{said}: made for version {other['version']} of {other['type']}, not {one['version']}"
        changes.append(Delta("node.type", f"{path}.version", sentence, one["version"], other["version"]))
    if (old := one.get("title", ABSENT)) != (new := other.get("title", ABSENT)):
        sentence = f"{said}: title {shown(old)} -> {shown(new)}"
        changes.append(Delta("node.title", f"{path}.title", sentence, old, new))
    for section, kind in (("settings", "setting"), ("policy", "policy")):
        before: dict[str, Any] = one.get(section, {})  # type: ignore[assignment]
        after: dict[str, Any] = other.get(section, {})  # type: ignore[assignment]
        for key in dict.fromkeys([*before, *after]):
            old, new = before.get(key, ABSENT), after.get(key, ABSENT)
            if not same(old, new):
                told = f"{said}: {key} {shown(old)} -> {shown(new)}"
                changes.append(Delta(kind, f"{path}.{section}.{key}", told, old, new))  # type: ignore[arg-type]
    if "body" in one and "body" in other:
        _compare(one["body"], other["body"], f"{path}.body.", f"{said}/", changes, moved)
    elif "body" in one or "body" in other:
        sentence = f"{said} has {'no' if 'body' in one else 'a'} body of its own"
        old, new = one.get("body", ABSENT), other.get("body", ABSENT)
        changes.append(Delta("body", f"{path}.body", sentence, old, new))


def _edges(one: list[list[str]], other: list[list[str]], path: str, address: str) -> Iterator[Delta]:
    before, after = _by_target(one), _by_target(other)
    for target in sorted({*before, *after}):
        old, new = before[target], after[target]
        removed, added = Counter(old) - Counter(new), Counter(new) - Counter(old)
        for source in removed.elements():
            yield Delta("edge.removed", path, f"{address}{source} -> {target}", [source, target])
        for source in added.elements():
            yield Delta("edge.added", path, f"{address}{source} -> {target}", ABSENT, [source, target])
        if [each for each in old if each in new] != [each for each in new if each in old]:
            sentence = f"what enters {address}{target} comes in the order {', '.join(new)}"
            yield Delta("edge.order", path, sentence, old, new)


def _by_target(edges: list[list[str]]) -> defaultdict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for source, target in edges:
        found[target].append(source)
    return found


def _entries(
    kind: Literal["note", "group"], one: Body, other: Body, path: str, address: str, moved: list[str]
) -> Iterator[Delta]:
    """What differs in the notes or the groups; a note that only lies elsewhere has moved."""
    before: dict[str, Any] = one[f"{kind}s"]  # type: ignore[literal-required]
    after: dict[str, Any] = other[f"{kind}s"]  # type: ignore[literal-required]
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name, ABSENT), after.get(name, ABSENT)
        where, said = f"{path}{kind}s.{name}", f"{kind} {address}{name}"
        if old is ABSENT:
            yield Delta(kind, where, f"{said} is new: {shown(_title(new))}", old, new)
        elif new is ABSENT:
            yield Delta(kind, where, f"{said} is gone: {shown(_title(old))}", old, new)
        elif not same(old, new):
            keys = [key for key in dict.fromkeys([*old, *new]) if not same(old.get(key), new.get(key))]
            if set(keys) <= {"at", "size"}:
                moved.append(f"{address}{name}")
                continue
            for key in keys:
                was, now = old.get(key, ABSENT), new.get(key, ABSENT)
                yield Delta(kind, f"{where}.{key}", f"{said}: {key} {shown(was)} -> {shown(now)}", was, now)


def _title(entry: dict[str, Any]) -> str:
    return str(entry.get("text", entry.get("title", "")))


def _with(entry: NodeEntry) -> str:
    told = [f"{key} {shown(value)}" for key, value in entry["settings"].items()]
    return f", with {', '.join(told)}" if told else ""


def shown(value: Any) -> str:
    """A value, short enough for a sentence."""
    if value is ABSENT:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"
