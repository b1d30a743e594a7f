from __future__ import annotations

import pytest

from bpaz_lab import InputError
from bpaz_lab.engine.cache import Entry, MemoryCache, Saved, cache_of, memory

pytestmark = pytest.mark.unit


def entry(size, duration=1.0, **usage):
    return Entry({"x": size}, {"x": "h"}, duration, size, usage)


def test_the_longest_unused_goes_first():
    cache = MemoryCache(limit=100)
    for key in "abc":
        cache.put(key, entry(30))
    assert cache.get("a") is not None
    cache.put("d", entry(30))
    assert cache.get("b") is None
    assert all(cache.get(key) for key in "acd")
    assert cache.size == 90
    cache.put("a", entry(10))
    assert (cache.size, len(cache)) == (70, 3)


def test_what_is_greater_than_the_whole_is_left():
    cache = MemoryCache(limit=10)
    cache.put("a", entry(5))
    cache.put("a", entry(11))
    assert cache.get("a") is None
    assert cache.size == 0
    cache.put("b", entry(5))
    cache.clear()
    assert (len(cache), cache.size) == (0, 0)


def test_the_cache_that_is_asked_for(tmp_path, monkeypatch):
    assert cache_of(False) is None
    assert cache_of(True) is cache_of("memory") is memory()
    own = MemoryCache()
    assert cache_of(own) is own
    with pytest.raises(InputError, match="cache is 'redis'"):
        cache_of("redis")
    monkeypatch.setenv("BPAZ_CACHE_BYTES", "1234")
    memory.cache_clear()
    try:
        assert memory().limit == 1234
    finally:
        memory.cache_clear()


def test_what_was_saved_is_added_up():
    saved = Saved.of([entry(1, 2.0, small=(3, 4), big=(1, 1)), entry(1, 0.5)])
    assert saved == Saved(nodes=2, seconds=2.5, input_tokens=4, output_tokens=5, cost=None)
