"""The events of executions as they come, to whoever is listening; nobody who listens slows a run down.

Each listener has a queue of its own. When it is full, nothing more is put into it: the listener gets what
is there, then ``RESYNC``, and reads the rest from the store. Events are published before they are stored,
so that a token is seen at once; those that are not stored yet wait here, so that who comes in between, or
who writes the end of a crashed run, misses none.

Example:
    >>> import asyncio
    >>> async def listen():
    ...     live = Live(queue=2)
    ...     reader = live.subscribe("a run")
    ...     live.publish("a run", [{"seq": seq, "type": "token"} for seq in range(3)])
    ...     return [event["type"] async for event in reader]
    >>> asyncio.run(listen())
    ['token', 'token', 'resync']
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

Event = dict[str, Any]
Holder = tuple[Any, str, int]
"""Who has an execution: the person, the kernel, and the epoch that it was given."""

RESYNC: Final[Event] = {"type": "resync"}
"""Says that the listener was too slow; what follows stands in the store."""


class Live:
    """The executions of one server that somebody listens to. On the server's loop only.

    Args:
        queue: Events that wait for one listener.
    """

    def __init__(self, queue: int = 256) -> None:
        self._size = queue
        self._readers: defaultdict[Hashable, set[Reader]] = defaultdict(set)
        self._unsaved: defaultdict[Hashable, list[Event]] = defaultdict(list)
        self._held: dict[Hashable, tuple[Holder, int]] = {}
        self._stopping: set[Hashable] = set()

    def hold(self, execution_id: Hashable, holder: Holder, following: int) -> None:
        """Notes who may tell about an execution, and the number of its next event."""
        self._held[execution_id] = holder, following

    def held(self, execution_id: Hashable, holder: Holder) -> bool:
        """Whether it is known, without asking the store, that this holder has the execution."""
        known = self._held.get(execution_id)
        return known is not None and known[0] == holder

    def release(self, execution_id: Hashable) -> None:
        """Forgets who had an execution: somebody else goes on with it. Who listens goes on listening."""
        self._unsaved.pop(execution_id, None)
        self._held.pop(execution_id, None)
        self._stopping.discard(execution_id)

    def holds(self, execution_id: Hashable, holder: Holder, number: int) -> bool:
        """Whether it is known, without asking the store, that this holder may tell this event next."""
        return self._held.get(execution_id) == (holder, number)

    def stop(self, execution_id: Hashable) -> None:
        """Notes that an execution is to stop, for its kernel to hear."""
        self._stopping.add(execution_id)

    def stopping(self, execution_id: Hashable) -> bool:
        """Whether an execution is to stop."""
        return execution_id in self._stopping

    def publish(self, execution_id: Hashable, events: Sequence[Event], *, saved: bool = False) -> None:
        """Hands events to who listens; such as wait here already are not handed out twice.

        Args:
            execution_id: The execution.
            events: In the order of their ``seq``.
            saved: Whether they are in the store already, and need not wait here.
        """
        waiting = self._unsaved.get(execution_id)
        if waiting:
            events = [event for event in events if event["seq"] > waiting[-1]["seq"]]
        if not saved and events:
            self._unsaved[execution_id] += events
        for reader in self._readers.get(execution_id, ()):
            reader.put(events)

    def saved(self, execution_id: Hashable, following: int) -> None:
        """Forgets what is in the store now: the events before the number ``following``."""
        left = [event for event in self._unsaved.pop(execution_id, ()) if event["seq"] >= following]
        if left:
            self._unsaved[execution_id] = left

    def unsaved(self, execution_id: Hashable) -> list[Event]:
        """What was published and is not in the store yet."""
        return list(self._unsaved.get(execution_id, ()))

    def subscribe(self, execution_id: Hashable) -> Reader:
        """Listens from now on, beginning with what is not in the store yet; close it when done."""
        reader = Reader(self, execution_id, self._size)
        self._readers[execution_id].add(reader)
        reader.put(self._unsaved.get(execution_id, ()))
        return reader

    def close(self, execution_id: Hashable) -> None:
        """Ends all listening to an execution, once what is queued has been read."""
        self.release(execution_id)
        for reader in self._readers.pop(execution_id, ()):
            reader.end()

    def holder(self, execution_id: Hashable) -> Holder | None:
        """Who is known to have an execution; None where nobody is."""
        known = self._held.get(execution_id)
        return None if known is None else known[0]

    @property
    def readers(self) -> int:
        """How many listen at present."""
        return sum(map(len, self._readers.values()))

    def leave(self, reader: Reader) -> None:
        """Takes a listener out."""
        readers = self._readers.get(reader.execution_id)
        if readers is not None:
            readers.discard(reader)
            if not readers:
                del self._readers[reader.execution_id]


class Reader:
    """One listener: iterate over it to get events, and close it when done.

    Args:
        live: What it listens to.
        execution_id: The execution.
        size: Events that may wait.
    """

    def __init__(self, live: Live, execution_id: Hashable, size: int) -> None:
        self.execution_id = execution_id
        self._live = live
        self._size = size
        self._queue: deque[Event] = deque()
        self._full = False
        self._over = False
        self._woken = asyncio.Event()

    def put(self, events: Sequence[Event]) -> None:
        """Queues events, as many as fit; from then on the listener has missed something."""
        if self._over or self._full or not events:
            return
        room = self._size - len(self._queue)
        self._queue.extend(events[:room])
        if len(events) > room:
            self._full = True
            self._queue.append(RESYNC)
        self._woken.set()

    @property
    def over(self) -> bool:
        """Whether nothing more comes."""
        return self._over and not self._queue

    def end(self) -> None:
        """Nothing more comes."""
        self._over = True
        self._woken.set()

    def close(self) -> None:
        """Ends listening."""
        self.end()
        self._live.leave(self)

    def __aiter__(self) -> Reader:
        return self

    async def __anext__(self) -> Event:
        while not self._queue:
            if self._over or self._full:
                raise StopAsyncIteration
            self._woken.clear()
            await self._woken.wait()
        return self._queue.popleft()

    async def next(self, timeout: float) -> Event | None:  # noqa: ASYNC109 (a wait that may come to nothing)
        """The next event; None where none came within so many seconds.

        Raises:
            StopAsyncIteration: Nothing more comes.
        """
        try:
            async with asyncio.timeout(timeout):
                return await anext(self)
        except TimeoutError:
            return None
