"""Listening to an execution: what is in the store first, then what comes, without a gap and nothing twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.services.route import Message
from bpaz_lab.store.repositories.events import Events
from bpaz_lab.store.repositories.executions import OPEN, Executions

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from uuid import UUID

    from bpaz_lab.services.lab import Lab
    from bpaz_lab.services.live import Reader
    from bpaz_lab.store.caller import Caller

PAGE: Final = 500
"""Events that are read from the store at a time."""
LOOK: Final = 5.0
"""Seconds after which the store is asked again where nothing comes."""
LOOK_ELSEWHERE: Final = 0.5
"""The same for an execution that another server holds, whose events come by the store alone."""


async def follow(lab: Lab, caller: Caller, id: UUID, after: int = -1) -> AsyncGenerator[dict[str, Any], None]:
    """The events of an execution behind a number, until it has ended.

    Args:
        lab: The laboratory.
        caller: Who listens.
        id: The execution.
        after: The number of the last event that is known already; -1 for none.

    Yields:
        Events; ``{"type": "resync"}`` as the last one where the listener was too slow.

    Raises:
        NotFound: The person has no such execution.
        StoreError: The database is away.
    """
    reader = lab.live.subscribe(id)  # first, so that nothing falls between the store and what comes
    last = after
    try:
        while True:
            if reader.over:  # it had ended, and goes on
                reader.close()
                reader = lab.live.subscribe(id)
            here, ended = await _state(lab, caller, id)
            async for event in _stored(lab, caller, id, last):
                yield event
                last = event["seq"]
            if ended:  # there may be an earlier `run.finished` among its events, where it was resumed
                return
            wait = LOOK if here else LOOK_ELSEWHERE
            async for event in _coming(reader, wait):
                if event["type"] == "resync":
                    yield event
                    return
                if event["seq"] > last + 1:
                    break  # the store has what is between
                if event["seq"] == last + 1:
                    yield event
                    last = event["seq"]
                    if event["type"] == "run.finished":
                        return
    finally:
        reader.close()


def as_messages(events: AsyncIterator[dict[str, Any]]) -> AsyncIterator[Message]:
    """The events as server-sent events: the number is the id, the type the name."""

    async def told() -> AsyncIterator[Message]:
        async for event in events:
            yield Message(event, event["type"], str(event["seq"]) if "seq" in event else "")

    return told()


async def _state(lab: Lab, caller: Caller, id: UUID) -> tuple[bool, bool]:
    """Whether this server holds the execution, and whether it has ended."""
    async with lab.database.session(read_only=True) as session:
        row = await Executions(session, caller).get(id)
    return row.server_id == lab.server_id, row.status not in OPEN


async def _stored(lab: Lab, caller: Caller, id: UUID, last: int) -> AsyncIterator[dict[str, Any]]:
    while True:
        async with lab.database.session(read_only=True) as session:
            events = await Events(session, caller).after(id, last, PAGE)
        for event in events:
            yield event
        if len(events) < PAGE:
            return
        last = events[-1]["seq"]


async def _coming(reader: Reader, wait: float) -> AsyncIterator[dict[str, Any]]:
    """What comes, until nothing does for a while or nothing will."""
    while True:
        try:
            event = await reader.next(wait)
        except StopAsyncIteration:
            return
        if event is None:
            return
        yield event
