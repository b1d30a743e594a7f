"""What is done of a run, so that a run which begins again does it not twice: the protocol.

A ledger is told before a step begins and after it has ended, and asked first. Where a step must not happen
twice (its node's effect is ``once``), ``started`` and ``finished`` return when the note is safe; the
scheduler waits for them. Steps are named by address, those in rounds of a container too.

Example:
    >>> ledger = Notes()
    >>> import asyncio
    >>> asyncio.run(ledger.finished("send", "once", {"receipt": 7}))
    >>> ledger.done("send")
    {'receipt': 7}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from bpaz_lab.graph.spec import Effect


class Ledger(Protocol):
    """The notes of one run."""

    def done(self, address: str) -> dict[str, Any] | None:
        """The outputs of a step that has ended; None for any other."""

    async def started(self, address: str, effect: Effect) -> None:
        """A step begins."""

    async def finished(self, address: str, effect: Effect, outputs: dict[str, Any]) -> None:
        """A step has ended with these outputs; a branch not taken is missing."""


class Notes:
    """A ledger in memory: a run that failed goes on where it stopped, in the same process."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self._done: dict[str, dict[str, Any]] = {}

    def done(self, address: str) -> dict[str, Any] | None:
        """The outputs of a step that has ended; None for any other."""
        return self._done.get(address)

    async def started(self, address: str, _effect: Effect) -> None:
        """A step begins."""
        self.begun.append(address)

    async def finished(self, address: str, _effect: Effect, outputs: dict[str, Any]) -> None:
        """A step has ended with these outputs."""
        self._done[address] = outputs
