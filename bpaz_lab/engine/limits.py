"""How many nodes work at once, in a run and of each type, and how often a type may begin.

Example:
    >>> Limits({"run": 8, "OpenAICompatibleChat": Limit(at_once=2, per_minute=60)}).given
    True
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from bpaz_lab.errors import InputError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bpaz_lab.nodes.base import Node

RUN = "run"


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of one node type.

    Attributes:
        at_once: How many work at the same time; 0 for no limit.
        per_minute: How many begin in a minute, evenly spread; 0 for no limit.
    """

    at_once: int = 0
    per_minute: float = 0


class Limits:
    """The limits of one run, for its bodies too.

    Args:
        told: How many nodes work at once, or a mapping of type names (and ``run`` for all together) to a
            number or a ``Limit``.

    Raises:
        InputError: A limit is no number above 0.
    """

    def __init__(self, told: int | Mapping[str, int | Limit] | None = None) -> None:
        given = told if isinstance(told, Mapping) else {} if told is None else {RUN: told}
        self._limits = {name: _limit(name, limit) for name, limit in given.items()}
        self._places: dict[str, asyncio.Semaphore] = {}
        self._next: dict[str, float] = {}
        self.given = bool(self._limits)
        """Whether any node must ask; else only those whose type has a limit of its own."""

    @asynccontextmanager
    async def place(self, cls: type[Node]) -> AsyncIterator[None]:
        """Waits for a place for a node of this type, and holds it."""
        name = cls.__name__
        limit = self._limits.get(name) or Limit(at_once=cls.concurrency)
        async with self._held(name, limit), self._held(RUN, self._limits.get(RUN, Limit())):
            yield

    @asynccontextmanager
    async def _held(self, name: str, limit: Limit) -> AsyncIterator[None]:
        if limit.per_minute:
            at = max(monotonic(), self._next.get(name, 0.0))
            self._next[name] = at + 60 / limit.per_minute
            await asyncio.sleep(at - monotonic())
        if not limit.at_once:
            yield
            return
        async with self._places.setdefault(name, asyncio.Semaphore(limit.at_once)):
            yield


def _limit(name: str, told: Any) -> Limit:
    limit = told if isinstance(told, Limit) else Limit(at_once=told)
    whole = isinstance(limit.at_once, int) and not isinstance(limit.at_once, bool)
    if not whole or limit.at_once < 0 or not limit.per_minute >= 0 or limit == Limit():
        raise InputError(
            f"the limit of {name} is {told!r}, which is no number above 0",
            hint='Pass concurrency=8, or {"run": 8, "OpenAICompatibleChat": Limit(at_once=2)}.',
        )
    return limit
