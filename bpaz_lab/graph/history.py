"""A document that is being edited: its revision, its undo and redo, and who wants to know.

Everything that edits (a cell, a canvas, an upgrade) goes through ``apply``. Each call is one undo step
and one revision. Listeners are told after the change took place, in order.

Example:
    >>> from bpaz_lab.graph.document import new
    >>> history = History(new("Notes"))
    >>> _ = history.apply([{"path": ["name"], "old": "Notes", "new": "My notes"}])
    >>> history.undo() is not None, history.document["name"], history.revision
    (True, 'Notes', 2)
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bpaz_lab.graph import changes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bpaz_lab.graph.changes import Operation
    from bpaz_lab.graph.document import Document

DEPTH = 200
"""Undo steps that are kept."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change that took place: the revision it made, and who made it (``origin``, a view's own id)."""

    revision: int
    operations: list[Operation]
    origin: str = ""


class History:
    """The one place where a document changes. Thread-safe."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.revision = 0
        self.lock = threading.RLock()
        self._done: list[list[Operation]] = []
        self._undone: list[list[Operation]] = []
        self._listeners: list[Callable[[Change], None]] = []

    def apply(
        self,
        operations: Sequence[Operation],
        *,
        origin: str = "",
        join: bool = False,
        check: Callable[[], None] | None = None,
    ) -> Change:
        """Applies operations as one undo step, or with ``join`` as part of the step before.

        Args:
            operations: What to do.
            origin: Who does it; listeners get it back.
            join: Whether an undo takes back the step before as well; without one it takes back neither.
            check: Called when the document is changed and nobody knows yet; what it raises takes
                everything back.

        Raises:
            PatchError: One does not apply; the document is as it was.
        """
        with self.lock:
            changes.apply(self.document, operations)
            try:
                if check is not None:
                    check()
            except Exception:
                changes.apply(self.document, changes.invert(operations))
                raise
            if not join:
                self._done = [*self._done[-DEPTH + 1 :], list(operations)]
            elif self._done:
                self._done[-1] = [*self._done[-1], *operations]
            self._undone.clear()
            return self._tell(list(operations), origin)

    def undo(self, *, origin: str = "") -> Change | None:
        """Takes back the last step; None when there is none."""
        return self._step(self._done, self._undone, origin)

    def redo(self, *, origin: str = "") -> Change | None:
        """Repeats the step that was taken back last; None when there is none."""
        return self._step(self._undone, self._done, origin)

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to repeat."""
        return bool(self._undone)

    @property
    def watched(self) -> bool:
        """Whether somebody looks on, so that every node needs its place at once."""
        return bool(self._listeners)

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Calls ``listener`` with each change from now on; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _step(
        self, source: list[list[Operation]], target: list[list[Operation]], origin: str
    ) -> Change | None:
        with self.lock:
            if not source:
                return None
            operations = changes.invert(source[-1])
            changes.apply(self.document, operations)
            source.pop()
            target.append(operations)
            return self._tell(operations, origin)

    def _tell(self, operations: list[Operation], origin: str) -> Change:
        self.revision += 1
        change = Change(self.revision, operations, origin)
        for listener in list(self._listeners):
            listener(change)
        return change
