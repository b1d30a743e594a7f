"""One request: who asks, and the laboratory that it is asked of."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from bpaz_lab.store.caller import Caller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from bpaz_lab.services.lab import Lab
    from bpaz_lab.store.database import Session

Result = TypeVar("Result")


@dataclass(frozen=True)
class Call:
    """One request.

    Attributes:
        lab: What the installation has.
        caller: Who asks.
        headers: The request's headers, names in lower case.
        cookies: The request's cookies.
        read_only: Whether the database refuses to write: a GET never does.
        large: Whether what was sent may be so large that working on it keeps others waiting.
    """

    lab: Lab
    caller: Caller = field(default_factory=Caller)
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    read_only: bool = False
    large: bool = True

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """One transaction: committed at the end, rolled back at an error.

        Raises:
            StoreError: The database did not do it; nothing is half-saved.
        """
        await self.lab.ready()
        async with self.lab.database.session(read_only=self.read_only) as session:
            yield session

    async def work(self, function: Callable[..., Result], *given: Any) -> Result:
        """Works on what was sent: beside the loop if it is large; for little the way there is longer.

        Args:
            function: What to do with it.
            given: Its arguments.
        """
        return await asyncio.to_thread(function, *given) if self.large else function(*given)
