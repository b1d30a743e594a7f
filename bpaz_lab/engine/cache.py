"""Where results of nodes are kept between runs: the protocol, and the cache in memory.

Example:
    >>> cache = MemoryCache(limit=1000)
    >>> cache.put("key", Entry({"text": "Hi"}, {"text": "2c1f"}, duration=0.5, size=400, usage={}))
    >>> cache.get("key").outputs
    {'text': 'Hi'}
    >>> cache.put("other", Entry({"text": "Ho"}, {"text": "77aa"}, duration=0.5, size=700, usage={}))
    >>> cache.get("key") is None
    True
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, runtime_checkable

from bpaz_lab.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SIZE: Final = 512 * 1024 * 1024
"""Bytes that the cache in memory holds, unless BPAZ_CACHE_BYTES says otherwise."""


class Entry(NamedTuple):
    """What a node gave.

    Attributes:
        outputs: The values by output.
        hashes: The content of each value, or the recipe of a live object, when it was kept.
        duration: Seconds that it took.
        size: About how many bytes the values have.
        usage: The tokens that it took, by model: ``{"model": [input, output]}``.
        storable: It may outlive the session: no live object, and code that has a name elsewhere.
        fit: Says whether bytes may leave the session: no secret of the run is in them. None: all may.
    """

    outputs: dict[str, Any]
    hashes: dict[str, str]
    duration: float
    size: int
    usage: dict[str, tuple[int, int]]
    storable: bool = True
    fit: Callable[[bytes], bool] | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """What a run did not have to compute.

    Attributes:
        nodes: How many nodes.
        seconds: The time that they took when they were computed.
        input_tokens: The tokens that they took, input.
        output_tokens: The tokens that they took, output.
        cost: Their price in US dollars; None where the price of a model is not known.
    """

    nodes: int = 0
    seconds: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = 0.0

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Saved:
        """The sum over kept results."""
        found = list(entries)
        used = [tokens for entry in found for tokens in entry.usage.values()]
        costs = [_cost(model, *tokens) for entry in found for model, tokens in entry.usage.items()]
        return cls(
            nodes=len(found),
            seconds=sum(entry.duration for entry in found),
            input_tokens=sum(tokens[0] for tokens in used),
            output_tokens=sum(tokens[1] for tokens in used),
            cost=None if None in costs else sum((cost for cost in costs if cost is not None), 0.0),
        )


def _cost(model: str, input_tokens: int, output_tokens: int) -> float | None:
    from bpaz_lab.engine.prices import prices  # read when something was saved

    return prices.cost(model, input_tokens, output_tokens)


@runtime_checkable
class Cache(Protocol):
    """Keeps results by key. Thread-safe; it may forget anything at any time."""

    def get(self, key: str) -> Entry | None:
        """The result of that key, or None."""

    def put(self, key: str, entry: Entry) -> None:
        """Keeps a result; what it cannot keep it leaves."""

    def clear(self) -> None:
        """Forgets everything."""


class MemoryCache:
    """Results in memory, of which the longest unused goes first.

    Args:
        limit: Bytes that the results may have together, as far as their size is known.
    """

    def __init__(self, limit: int = SIZE) -> None:
        self.limit = limit
        self.size = 0
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str) -> Entry | None:
        """The result of that key, or None."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                self._entries.move_to_end(key)
            return entry

    def put(self, key: str, entry: Entry) -> None:
        """Keeps a result, and forgets old ones to make room; one greater than the whole is left."""
        with self._lock:
            self._forget(key)
            if entry.size > self.limit:
                return
            self._entries[key] = entry
            self.size += entry.size
            while self.size > self.limit:
                self._forget(next(iter(self._entries)))

    def clear(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._entries.clear()
            self.size = 0

    def _forget(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.size -= entry.size


class Refreshing:
    """A cache that gives nothing and keeps everything: a run computes all afresh, the next one less.

    Args:
        cache: Where the results go.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def get(self, key: str) -> Entry | None:  # noqa: ARG002 (as a cache is asked)
        """Nothing."""
        return None

    def put(self, key: str, entry: Entry) -> None:
        """Keeps a result."""
        self._cache.put(key, entry)

    def clear(self) -> None:
        """Forgets everything."""
        self._cache.clear()


@cache
def memory() -> MemoryCache:
    """The cache of this process."""
    told = os.environ.get("BPAZ_CACHE_BYTES", "")
    return MemoryCache(int(told) if told.isdecimal() else SIZE)


def cache_of(told: bool | str | Cache | None) -> Cache | None:
    """The cache that somebody asked for.

    Args:
        told: True or ``"memory"`` for that of this process, ``"disk"`` for the one that outlives it, False
            for none, or a cache.

    Raises:
        InputError: It is none of these.
    """
    if told is None or told is False:
        return None
    if told is True or told == "memory":
        return memory()
    if told == "disk":
        from bpaz_lab.engine.disk_cache import disk

        return disk()
    if isinstance(told, Cache):
        return told
    raise InputError(f"cache is {told!r}", hint='Pass True, False, "memory", "disk" or a cache object.')
