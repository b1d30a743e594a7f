"""How edits become operations: what handles and editing methods are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticSerializationError, to_jsonable_python

from bpaz_lab.api.decorator import MADE, keep, own
from bpaz_lab.api.runnables import wrapped
from bpaz_lab.errors import (
    DocumentError,
    DuplicateId,
    EdgeError,
    InputError,
    NodeTypeError,
    SettingError,
)
from bpaz_lab.graph.check import ports_of
from bpaz_lab.graph.document import is_id
from bpaz_lab.graph.layout import lines
from bpaz_lab.guard.suggest import closest
from bpaz_lab.nodes.base import Node
from bpaz_lab.nodes.function import node_class
from bpaz_lab.nodes.runnable import is_runnable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpaz_lab.graph.changes import Operation
    from bpaz_lab.graph.document import Body, NodeEntry
    from bpaz_lab.graph.history import Change, History
    from bpaz_lab.graph.spec import Ports
    from bpaz_lab.nodes.catalogue import Catalogue

_class_type = type


class Changing:
    """The inner half of ``Editing``: one part of a workflow, and the operations that change it."""

    if TYPE_CHECKING:
        types: Catalogue
        history: History

        @property
        def section(self) -> Body:
            """The nodes, edges and looks that are edited here."""

        @property
        def within(self) -> tuple[str, ...]:
            """The containers around what is edited here."""

        def apply(self, operations: Sequence[Operation], *, origin: str = "") -> Change:
            """Applies operations as one undo step."""

    def _entry(self, id: str) -> NodeEntry:
        nodes = self.section["nodes"]
        if id not in nodes:
            raise EdgeError(
                f"there is no node {id!r}",
                hint=closest(id, nodes) or f"The nodes are: {', '.join(nodes) or 'none'}.",
            )
        return nodes[id]

    def _ports(self, id: str) -> Ports:
        return ports_of(self.section, id, self.types)

    def _rows(self, id: str) -> int:
        return lines(self._ports(id), self.types.spec(self._entry(id)["type"]))

    def _set(self, id: str, settings: dict[str, Any]) -> None:
        entry = self._entry(id)
        fresh = {name: value for name, value in settings.items() if value is not None}
        values = self._checked(self.types.find(entry["type"]), id, {**entry["settings"], **fresh}, settings)
        operations: list[Operation] = []
        for name in settings:
            operation: Operation = {"path": ["nodes", id, "settings", name]}
            if name in entry["settings"]:
                operation["old"] = entry["settings"][name]
            if name in values:
                operation["new"] = values[name]
            if operation.keys() != {"path"}:
                operations.append(operation)
        if operations:
            self.apply(operations)

    def _set_policy(self, id: str, policy: dict[str, Any]) -> None:
        entry = self._entry(id)
        known: dict[str, Any] = {**entry.get("policy", {})}
        for name, value in policy.items():
            if value is None and name != "default":
                known.pop(name, None)
            else:
                known[name] = value
        if known.get("on_error") != "default":
            known.pop("default", None)
        operation: Operation = {"path": ["nodes", id, "policy"]}
        if "policy" in entry:
            operation["old"] = entry["policy"]
        if known:
            operation["new"] = known
        if operation.keys() != {"path"} and operation.get("old") != operation.get("new"):
            self.apply([operation])

    def _pin(self, id: str, value: tuple[Any, ...], outputs: dict[str, Any]) -> None:  # noqa: ARG002 (for Workflow)
        raise InputError(
            f"{id} cannot be pinned: it stands inside {'/'.join(self.within)!r}",
            hint="Pin the container, whose outputs stand still then.",
        )

    def _unpin(self, id: str) -> None:
        """Inside a body nothing is pinned."""

    def _retitle(self, id: str, title: str) -> None:
        operation: Operation = {"path": ["nodes", id, "title"]}
        entry = self._entry(id)
        if "title" in entry:
            operation["old"] = entry["title"]
        if title:
            operation["new"] = title
        if operation.keys() != {"path"}:
            self.apply([operation])

    def _rename(self, old: str, new: str) -> None:
        document, entry = self.section, self._entry(old)
        if not is_id(new) or new in document["nodes"]:
            raise DuplicateId(
                f"{new!r} is taken or no identifier", path=f"nodes.{old}", hint="Choose another id."
            )
        edges = [edge for edge in document["edges"] if any(end.partition(".")[0] == old for end in edge)]
        place = {into: [e for e in document["edges"] if e[1] == into] for _, into in edges}
        operations = self._without(edges)
        operations += [{"path": ["nodes", old], "old": entry}, {"path": ["nodes", new], "new": entry}]
        if old in document["layout"]:
            at = document["layout"][old]
            operations += [{"path": ["layout", old], "old": at}, {"path": ["layout", new], "new": at}]
        for edge in edges:
            ends = [
                f"{new}.{p}" if n == old else f"{n}.{p}" for n, _, p in (end.partition(".") for end in edge)
            ]
            operations.append({"edge": ends, "new": place[edge[1]].index(edge)})
        for id, group in document["groups"].items():
            if old in group["nodes"]:
                members = [new if each == old else each for each in group["nodes"]]
                operations.append(self._members(id, members))
        self.apply(operations)

    def _members(self, name: str, members: list[str]) -> Operation:
        """Changes who is in a group; an empty group goes."""
        group = self.section["groups"][name]
        if not members:
            return {"path": ["groups", name], "old": group}
        return {"path": ["groups", name, "nodes"], "old": group["nodes"], "new": members}

    # ---- helpers ------------------------------------------------------------------------------------

    def _class(self, type: Any, id: str) -> type[Node]:
        if isinstance(type, str):
            return self.types.find(type)
        if is_runnable(type):
            return wrapped(type, id, self.types)
        if isinstance(type, _class_type) and issubclass(type, Node):
            found = own(type)
        elif callable(type) and not isinstance(type, _class_type):
            found = getattr(type, MADE, None) or node_class(type)
            keep(type, found)
        else:
            raise NodeTypeError(
                f"{type!r} is no node type", hint="Give a type's name, a function, or a subclass of bz.Node."
            )
        if self.types.get(found.__name__) is not found:
            self.types.register(found)
        return found

    def _checked(
        self, cls: type[Node], id: str, settings: dict[str, Any], asked: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """The settings as JSON, checked; those equal to the default are left out unless asked for."""
        values: dict[str, Any] = {}
        for name, value in settings.items():
            if asked is not None and name in asked and asked[name] is None:
                continue
            try:
                values[name] = to_jsonable_python(value)
            except PydanticSerializationError:
                raise SettingError(
                    f"a setting is JSON, and {value!r:.80} is not",
                    path=f"nodes.{id}.settings.{name}",
                    hint="Feed live objects by a wire, for instance from a Variable node.",
                ) from None
        try:
            cls.of(values)
        except DocumentError as error:
            for problem in error.problems:
                problem.path = f"nodes.{id}.settings.{problem.path}"
            raise DocumentError.of(error.problems) from None
        return values

    def _replacing(self, section: str, id: str, new: Any) -> Operation:
        operation: Operation = {"path": [section, id], "new": new}
        known = self.section[section]  # type: ignore[literal-required]
        if id in known:
            operation["old"] = known[id]
        return operation

    def _without(self, gone: Sequence[list[str]]) -> list[Operation]:
        """Removes edges; positions are counted as the earlier removals leave them."""
        siblings: dict[str, list[list[str]]] = {}
        for edge in self.section["edges"]:
            siblings.setdefault(edge[1], []).append(edge)
        operations: list[Operation] = []
        for edge in gone:
            rest = siblings[edge[1]]
            operations.append({"edge": edge, "old": rest.index(edge)})
            rest.remove(edge)
        return operations
