"""What incremental runs cost and save: hashing, the price of looking things up, a rerun, an edit."""

from __future__ import annotations

import tempfile
import time
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from measure import seconds, side_by_side, table
from workflows import chain, document

from bpaz_lab.engine.cache import MemoryCache
from bpaz_lab.engine.disk_cache import DiskCache
from bpaz_lab.engine.engine import Engine
from bpaz_lab.engine.hashing import hashed
from bpaz_lab.engine.incremental import Incremental, Known
from bpaz_lab.engine.run import Options, start
from bpaz_lab.nodes.catalogue import Catalogue
from bpaz_lab.nodes.function import node_class

if TYPE_CHECKING:
    from collections.abc import Callable

    from bpaz_lab.engine.plan import Plan

MEGABYTES = 100


def frames() -> dict[str, pd.DataFrame]:
    """Tables of 100 MB: numbers, and half of it texts."""
    random = np.random.default_rng(0)
    rows = MEGABYTES * 10**6 // 80
    numbers = pd.DataFrame(random.random((rows, 10)), columns=[f"c{number}" for number in range(10)])
    texts = pd.DataFrame({"text": pd.Series(np.char.add("customer ", np.arange(2_000_000).astype("U")))})
    texts["number"] = random.random(len(texts))
    return {"numbers": numbers, "texts and numbers": texts}


def tables() -> None:
    """Hashing tables against BLAKE2 over as many bytes, and against pandas' own hash."""
    rows = []
    for name, frame in frames().items():
        raw = bytes(hashed(frame).size)
        took = side_by_side(
            {
                "hashed": lambda frame=frame: hashed(frame),
                "blake2b": lambda raw=raw: blake2b(raw, digest_size=16).digest(),
                "pandas": lambda frame=frame: pd.util.hash_pandas_object(frame),
            },
            rounds=5,
        )
        speed = f"{len(raw) / took['hashed'] / 1e6:.0f} MB/s"
        rows.append(
            (name, took["hashed"] / took["blake2b"], took["pandas"] / took["hashed"], speed, took["hashed"])
        )
    head = ("table", "/ BLAKE2b alone", "pandas' hash /", "speed", "seconds")
    table(f"Hashing about {MEGABYTES} MB (goal: 0.15 to 0.3 s)", head, rows)


def small() -> None:
    """Hashing small values, in microseconds."""
    values = {
        "a number": 1,
        "a short text": "What is a workflow?",
        "ten texts": ["What is a workflow?"] * 10,
        "a dict of settings": {"chunk_size": 200, "chunk_overlap": 20, "separators": ["\n\n", "\n", " "]},
        "a table of 10 rows": pd.DataFrame({"a": range(10), "b": ["x"] * 10}),
    }
    rows = []
    for name, value in values.items():
        took = side_by_side({"it": lambda value=value: [hashed(value) for _ in range(1000)]}, rounds=7)["it"]
        rows.append((name, took * 1000))
    table("Hashing small values", ("value", "microseconds"), rows)


async def nothing(value: int = 0) -> int:
    """A node that does nothing."""
    return value


def row(function: Callable[..., Any], size: int) -> Plan:
    """The plan of a row of one function."""
    catalogue = Catalogue()
    catalogue.register(node_class(function, name="single", effect="pure"))
    return Engine(catalogue).build(document(chain(size)))


def idle() -> None:
    """A thousand nodes that do nothing: the price of a cache that misses, and of one that hits."""
    plan = row(nothing, 1000)
    known, full = Known(), MemoryCache()

    def run(memo: Incremental | None) -> None:
        start(plan, {}, Options(through="direct", memo=memo)).wait()

    run(Incremental(full, known))
    took = side_by_side(
        {
            "none": lambda: run(None),
            "misses": lambda: run(Incremental(MemoryCache(), Known())),
            "hits": lambda: run(Incremental(full, known)),
        }
    )
    rows = [
        (name, took[name] / took["none"], (took[name] - took["none"]) * 1000) for name in ("misses", "hits")
    ]
    table("1,000 no-op nodes / the same without a cache", ("cache", "ratio", "microseconds a node"), rows)


def slow(value: int = 0) -> int:
    """A node that takes 20 ms."""
    time.sleep(0.02)
    return value


def rerun() -> None:
    """Ten nodes of 20 ms in a row: a rerun, from memory and from the disk."""
    plan = row(slow, 10)
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for name, cache in (("memory", MemoryCache()), ("disk", DiskCache(folder))):
            known = Known()
            run = lambda cache=cache, known=known: start(  # noqa: E731
                plan, {}, Options(through="direct", memo=Incremental(cache, known))
            ).wait()
            first = seconds(run)
            rows.append((name, first / side_by_side({"again": run}, rounds=5)["again"]))
        table("First run / rerun, ten nodes of 20 ms", ("cache", "times faster"), rows)


def main() -> None:
    """Prints the tables."""
    tables()
    small()
    idle()
    rerun()


if __name__ == "__main__":
    main()
