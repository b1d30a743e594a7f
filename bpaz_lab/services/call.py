"""One request: who asks, and the laboratory that it is asked of."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bpaz_lab.store.caller import Caller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bpaz_lab.services.lab import Lab
    from bpaz_lab.store.database import Session


@dataclass(frozen=True)
class Call:
    """One request.

    Attributes:
        lab: What the installation has.
        caller: Who asks.
        headers: The request's headers, names in lower case.
        cookies: The request's cookies.
        read_only: Whether the database refuses to write: a GET never does.
    """

    lab: Lab
    caller: Caller = field(default_factory=Caller)
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    read_only: bool = False

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """One transaction: committed at the end, rolled back at an error.

        Raises:
            StoreError: The database did not do it; nothing is half-saved.
        """
        await self.lab.ready()
        async with self.lab.database.session(read_only=self.read_only) as session:
            yield session
