"""When each execution was last heard of: who tells about a run, or keeps its ledger, is alive.

Example:
    >>> from uuid import uuid4
    >>> pulse, one, other = Pulse(), uuid4(), uuid4()
    >>> pulse.note(one)
    >>> pulse.alive(one, 20.0), pulse.alive(other, 20.0)
    (True, False)
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID


class Pulse:
    """The signs of life that came to one server. On the server's loop only."""

    def __init__(self) -> None:
        self._last: dict[UUID, float] = {}
        self._heard: set[UUID] = set()

    def note(self, execution_id: UUID) -> None:
        """An execution was heard of just now."""
        self._last[execution_id] = monotonic()
        self._heard.add(execution_id)

    def silent(self, execution_id: UUID) -> float | None:
        """Seconds since an execution was heard of; None where it never was."""
        last = self._last.get(execution_id)
        return None if last is None else monotonic() - last

    def alive(self, execution_id: UUID, lease: float) -> bool:
        """Whether an execution was heard of within its lease."""
        silent = self.silent(execution_id)
        return silent is not None and silent < lease

    def slept(self, seconds: float) -> None:
        """This process itself stood still, and heard nobody: that counts against none of them."""
        for execution_id in self._last:
            self._last[execution_id] += seconds

    def heard(self) -> set[UUID]:
        """Those that were heard of since this was asked last."""
        heard, self._heard = self._heard, set()
        return heard

    def forget(self, execution_id: UUID) -> None:
        """An execution has ended, or its holder is gone."""
        self._last.pop(execution_id, None)
        self._heard.discard(execution_id)
