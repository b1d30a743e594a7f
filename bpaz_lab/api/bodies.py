"""The body of a container as an editing scope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpaz_lab.api.editing import Editing
from bpaz_lab.graph.document import body_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpaz_lab.graph.changes import Operation
    from bpaz_lab.graph.document import Body as BodyDocument
    from bpaz_lab.graph.history import Change


class Body(Editing):
    """What is inside a container: edited like a workflow, run by its container.

    Its Start nodes say what the container takes, its End nodes what it gives.

    Example:
        >>> from bpaz_lab import Workflow
        >>> wf = Workflow()
        >>> with wf.add("SubWorkflow", id="part") as body:
        ...     start = body.add("Start", fields=[{"name": "topic"}])
        ...     _ = start >> body.add("PromptTemplate", template="All about {topic}") >> body.add("End")
        >>> wf["part"]
        <SubWorkflow 'part': topic -> result>
    """

    def __init__(self, outer: Editing, id: str) -> None:
        self.outer = outer
        self.id = id

    def __repr__(self) -> str:
        return f"<body of {'/'.join(self.within)!r}: {len(self)} nodes>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Body) and self.root is other.root and self.within == other.within

    __hash__ = None  # type: ignore[assignment]

    @property
    def root(self) -> Editing:
        """The whole workflow."""
        return self.outer.root

    @property
    def history(self) -> Any:  # type: ignore[override]
        """That of the whole workflow: an undo takes back the last step, wherever it was made."""
        return self.root.history

    @property
    def types(self) -> Any:  # type: ignore[override]
        """The node types of the whole workflow."""
        return self.root.types

    @property
    def within(self) -> tuple[str, ...]:
        """The containers around what is edited here, from the top down."""
        return (*self.outer.within, self.id)

    @property
    def section(self) -> BodyDocument:
        """The nodes, edges and looks that are edited here."""
        return body_at(self.history.document, self.within)

    def apply(self, operations: Sequence[Operation], *, origin: str = "") -> Change:
        """Applies operations on this body as one undo step; see ``Workflow.apply``."""
        return self.root.apply(self._scoped(operations), origin=origin)
