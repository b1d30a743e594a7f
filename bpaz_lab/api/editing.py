"""Editing a workflow from a cell; every method is one undo step and shows on open canvases at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpaz_lab.api.changing import Changing
from bpaz_lab.api.guard import fit_for_files, guarded
from bpaz_lab.api.handles import End, NodeHandle, PortHandle, fitting
from bpaz_lab.errors import (
    DuplicateId,
    EdgeError,
    FormatError,
)
from bpaz_lab.graph.check import edge_problem
from bpaz_lab.graph.document import is_id, normal_body
from bpaz_lab.graph.history import History
from bpaz_lab.graph.layout import next_place, places
from bpaz_lab.graph.naming import snake, unique
from bpaz_lab.nodes.catalogue import Catalogue, catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bpaz_lab.graph.changes import Operation
    from bpaz_lab.graph.document import Body, Document, NodeEntry
    from bpaz_lab.graph.history import Change
    from bpaz_lab.nodes.base import Node


class Editing(Changing):
    """The editing half of ``Workflow``, and of the body of a container in it."""

    def __init__(self, document: Document, types: Catalogue | None = None) -> None:
        self.types = types or catalogue()
        self.history = History(document)

    @property
    def root(self) -> Editing:
        """The whole workflow."""
        return self

    @property
    def within(self) -> tuple[str, ...]:
        """The containers around what is edited here, from the top down."""
        return ()

    @property
    def section(self) -> Body:
        """The nodes, edges and looks that are edited here."""
        return self.history.document

    # ---- looking ----------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The workflow's name."""
        return self.history.document["name"]

    @name.setter
    def name(self, name: str) -> None:
        self.apply([{"path": ["name"], "old": self.name, "new": name}])

    @property
    def nodes(self) -> list[NodeHandle]:
        """Handles on all nodes."""
        return [NodeHandle(self, id) for id in self.section["nodes"]]

    @property
    def edges(self) -> list[tuple[str, str]]:
        """All edges, as ``("load.documents", "split.documents")``."""
        return [(source, target) for source, target in self.section["edges"]]

    def __getitem__(self, id: str) -> NodeHandle:
        self._entry(id)
        return NodeHandle(self, id)

    def __contains__(self, id: object) -> bool:
        return id in self.section["nodes"]

    def __len__(self) -> int:
        return len(self.section["nodes"])

    def __iter__(self) -> Iterator[NodeHandle]:
        return iter(self.nodes)

    # ---- nodes ------------------------------------------------------------------------------------

    def add(
        self,
        type: str | Callable[..., Any] | type[Node],
        /,
        *,
        id: str = "",
        at: Sequence[float] | None = None,
        **settings: Any,
    ) -> NodeHandle:
        """Adds a node.

        Args:
            type: The name of a node type, a function (see ``bz.node``), a node class, a LangChain Runnable
                or a compiled LangGraph graph.
            id: Its id, a Python identifier; a readable one is made where empty.
            at: Where its upper left corner lies, in pixels; it finds a place where None.
            settings: Its settings; what is not given keeps its default.

        Raises:
            UnknownNodeType: No installed package provides the type.
            DocumentError: A setting does not fit (``SettingError``), or holds a secret (``LiteralSecret``).
            DuplicateId: The id is taken.

        Example:
            >>> from bpaz_lab import Workflow
            >>> Workflow().add("TextInput", text="Hello")
            <TextInput 'text_input': text -> text>
        """
        cls = self._class(type, id)
        name = id or unique(snake(cls.__name__), self.section["nodes"])
        if not is_id(name):
            raise FormatError(
                f"{name!r} cannot be an id",
                hint="An id is a Python identifier of at most 64 ASCII characters.",
            )
        if name in self.section["nodes"]:
            free = unique(name, self.section["nodes"])
            raise DuplicateId(
                f"there is a node {name!r} already", path=f"nodes.{name}", hint=f"Free is {free!r}."
            )
        values = self._checked(cls, name, settings)
        entry: NodeEntry = {"type": cls.__name__, "version": cls.version, "settings": values}
        if cls.container and not self.types.reference(entry):
            entry["body"] = normal_body({})
        operations: list[Operation] = [{"path": ["nodes", name], "new": entry}]
        if at is None and self.history.watched:
            at = next_place(self.section, self._rows)
        if at is not None:
            operations.append({"path": ["layout", name], "new": [float(at[0]), float(at[1])]})
        self.apply(operations)
        return NodeHandle(self, name)

    def remove(self, *nodes: NodeHandle | str) -> None:
        """Removes nodes with their edges, and from their groups."""
        ids = list(dict.fromkeys(each if isinstance(each, str) else each.id for each in nodes))
        document = self.section
        for id in ids:
            self._entry(id)
        gone = [edge for edge in document["edges"] if any(end.partition(".")[0] in ids for end in edge)]
        operations = self._without(gone)
        for name, group in document["groups"].items():
            if (left := [each for each in group["nodes"] if each not in ids]) != group["nodes"]:
                operations.append(self._members(name, left))
        for id in ids:
            operations.append({"path": ["nodes", id], "old": document["nodes"][id]})
            if id in document["layout"]:
                operations.append({"path": ["layout", id], "old": document["layout"][id]})
        if operations:
            self.apply(operations)

    def extract(self, nodes: Sequence[NodeHandle | str], *, id: str = "") -> NodeHandle:
        """Puts nodes into a sub-workflow of their own; ``inline`` takes that back.

        What enters them becomes a field of its Start node, what leaves them one of its End node. Nodes
        that stand for the run itself (Start, ChatInput, End, ChatOutput) stay where they are.

        Raises:
            FormatError: Nothing is left to put there.
            CycleError: The nodes that stay would lead in a circle with it.
        """
        from bpaz_lab.api.sub_workflows import extract

        return NodeHandle(self, extract(self, nodes, id))

    def inline(self, node: NodeHandle | str) -> list[NodeHandle]:
        """Puts the nodes of a sub-workflow in its place, and returns them.

        Raises:
            FormatError: It is no sub-workflow with a body of its own.
        """
        from bpaz_lab.api.sub_workflows import inline

        return [NodeHandle(self, each) for each in inline(self, node if isinstance(node, str) else node.id)]

    # ---- edges ------------------------------------------------------------------------------------

    def connect(self, source: End, target: End) -> None:
        """Connects an output to an input; a node stands for its only fitting port.

        Raises:
            ConnectionRefused: The ports do not fit, the input is taken, or several ports fit.
            EdgeError: A port does not exist.
            CycleError: The edge would lead in a circle.
        """
        for end in (source, target):
            _is_handle(end)
            owner = end.workflow if isinstance(end, NodeHandle) else end.node.workflow
            if owner is not self:
                raise EdgeError(
                    f"{end!r} belongs to another workflow", hint="Add the node to this one first."
                )
        taken = {into for _, into in self.edges}
        one, other = fitting(source, target, taken)
        if problem := edge_problem(self.section, one, other, self.types):
            raise problem
        last = sum(into == other for _, into in self.edges)
        self.apply([{"edge": [one, other], "new": last}])

    def disconnect(self, source: End | None = None, target: End | None = None) -> None:
        """Removes the edges from ``source``, into ``target``, or between the two.

        Raises:
            EdgeError: There is none.
        """
        for end in (source, target):
            if end is not None:
                _is_handle(end)
        gone = [edge for edge in self.section["edges"] if _touches(edge, source, target)]
        if not gone:
            raise EdgeError("there is no such edge", hint="wf.edges lists all.")
        self.apply(self._without(gone))

    # ---- looks ------------------------------------------------------------------------------------

    def move(self, node: NodeHandle | str, x: float, y: float) -> None:
        """Moves a node's upper left corner, in pixels."""
        id = node if isinstance(node, str) else node.id
        self._entry(id)
        self.apply([self._replacing("layout", id, [float(x), float(y)])])

    def arrange(self) -> None:
        """Lays all nodes out anew, from left to right along the edges."""
        document = self.section
        fresh: Body = {**document, "layout": {}}
        found = places(fresh, self._rows)
        if found:
            self.apply([self._replacing("layout", id, at) for id, at in found.items()])

    def note(self, text: str, *, at: Sequence[float] = (0, 0), id: str = "") -> str:
        """Puts a sticky note on the canvas, or replaces the one of that id; returns its id."""
        notes = self.section["notes"]
        name = id or unique("note", notes)
        self.apply([self._replacing("notes", name, {"text": text, "at": [float(at[0]), float(at[1])]})])
        return name

    def group(self, title: str, nodes: Sequence[NodeHandle | str], *, id: str = "") -> str:
        """Frames nodes under a title, or replaces the group of that id; returns its id."""
        ids = [each if isinstance(each, str) else each.id for each in nodes]
        for each in ids:
            self._entry(each)
        name = id or unique("group", self.section["groups"])
        self.apply([self._replacing("groups", name, {"title": title, "nodes": ids})])
        return name

    def undo(self) -> bool:
        """Takes back the last step, whoever made it; False when there is none."""
        return self.history.undo() is not None

    def redo(self) -> bool:
        """Repeats the step that was taken back last; False when there is none."""
        return self.history.redo() is not None

    # ---- the one way in ----------------------------------------------------------------------------

    def apply(self, operations: Sequence[Operation], *, origin: str = "") -> Change:
        """Applies operations, from a cell or a canvas alike, as one undo step.

        Raises:
            PatchError: One does not apply (``StaleChange``: somebody was faster).
            DocumentError: The workflow would break a rule; it is as it was.
        """
        fit_for_files(operations)
        return self.history.apply(
            operations, origin=origin, check=lambda: guarded(self.history.document, operations, self.types)
        )

    def settle(self) -> None:
        """Gives every node without a position one, bodies included, as part of the step before."""
        with self.history.lock:
            found = places(self.section, self._rows)
            if found:
                self.history.apply(
                    self._scoped([{"path": ["layout", id], "new": at} for id, at in found.items()]),
                    join=True,
                )
            for id, entry in self.section["nodes"].items():
                if "body" in entry:
                    self[id].body.settle()

    def _scoped(self, operations: Sequence[Operation]) -> list[Operation]:
        """The operations as the whole workflow sees them: each says in which body it takes place."""
        within = list(self.within)
        return [{**each, "within": within} for each in operations] if within else list(operations)


def _is_handle(end: object) -> None:
    if not isinstance(end, NodeHandle | PortHandle):
        raise EdgeError(
            f"an edge joins nodes or ports, not {end!r}", hint='Write a["documents"], or just the node a.'
        )


def _touches(edge: Sequence[str], source: End | None, target: End | None) -> bool:
    if source is None and target is None:
        return False
    return all(end is None or _is_end(port, end) for port, end in zip(edge, (source, target), strict=True))


def _is_end(port: str, end: End) -> bool:
    node, _, name = port.partition(".")
    return (node, name) == (end.node.id, end.name) if isinstance(end, PortHandle) else node == end.id
