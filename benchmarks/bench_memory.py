"""What large workflows take: plans in time and memory, a table that travels, ForEach, and Stop.

Memory of Python's own objects is counted by ``tracemalloc``, in passes of their own since counting slows;
that of a table by the peak of a process of its own.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from measure import medians, table
from workflows import chain, document, engine, fan_out, layered, single

from bpaz_lab.engine.options import Options
from bpaz_lab.engine.plan import plan
from bpaz_lab.engine.run import start
from bpaz_lab.graph.document import shaped
from bpaz_lab.nodes.control.for_each import ForEach
from bpaz_lab.nodes.io.end import End
from bpaz_lab.nodes.io.start import Start

if TYPE_CHECKING:
    from collections.abc import Callable

MB = 1e6
ITEMS = 10_000
TRAVELS = """
import resource, sys
import numpy, pandas
from workflows import chain, document, engine
from bpaz_lab.engine.options import Options
from bpaz_lab.engine.run import start

frame = pandas.DataFrame(numpy.ones((12_500_000, 1)), copy=False)

async def load() -> pandas.DataFrame:
    return frame

async def passed(value: pandas.DataFrame) -> pandas.DataFrame:
    return value

def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

source = document(chain(1000))
for name, entry in source["nodes"].items():
    entry["type"] = "passed" if name != "n0" else "load"
plan = engine(load, passed).build(source)
before = peak()
run = start(plan, {}, Options(through="direct")).wait().raise_for_status()
assert run.output is frame
if sys.argv[1] == "read":
    assert len(run.events) == 2002
print((peak() - before) / frame.memory_usage().sum())
"""


async def waits() -> None:
    """Waits at an await."""
    await asyncio.sleep(60)


def blocks() -> None:
    """Blocks its thread, which nothing can interrupt."""
    time.sleep(1)


def weight(work: Callable[[], object]) -> tuple[float, float]:
    """The megabytes that a result keeps, and the peak while it was made."""
    tracemalloc.start()
    kept = work()
    now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    return now / MB, peak / MB


def plans() -> None:
    """Workflows of 10,000 nodes."""
    types, rows = engine().types, []
    for shape in (chain, fan_out, layered):
        body = shaped(document(shape(10_000)))

        def planning(body: Any = body) -> float:
            began = perf_counter()
            plan(body, types)
            return perf_counter() - began

        took = medians({"plan": planning}, rounds=5)["plan"]
        kept, peak = weight(lambda body=body: plan(body, types))
        rows.append((f"{shape.__name__} 10,000", f"{took:.2f} s", f"{kept:.0f} MB", f"{peak:.0f} MB"))
    table("Plans (goals: <= 2 s, <= 100 MB)", ("nodes", "time", "kept", "peak"), rows)


def travelling() -> None:
    """A table of 100 MB, made before, through 1,000 nodes."""
    rows = []
    for how in ("unread", "read"):
        command = [sys.executable, "-c", TRAVELS, how]
        done = subprocess.run(  # noqa: S603 (our own code)
            command, check=True, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent
        )
        rows.append((f"1,000 nodes pass a table of 100 MB, events {how}", float(done.stdout)))
    table("Growth of the process / size of the table (goal: 0, no copy)", ("what", "ratio"), rows)


def rounds() -> None:
    """ForEach beside the same calls in a loop written by hand."""
    fields = [{"name": "item", "kind": "any"}]
    body = {
        "nodes": {
            "start": {"type": "Start", "settings": {"fields": fields}},
            "work": {"type": "single"},
            "end": {"type": "End", "settings": {"fields": ["value"]}},
        },
        "edges": [["start.item", "work.value"], ["work.result", "end.value"]],
    }
    bpaz = engine(single)
    for cls in (ForEach, Start, End):
        bpaz.types.register(cls)
    made = bpaz.build({"bpaz": 1, "name": "each", "nodes": {"each": {"type": "ForEach", "body": body}}})
    loop, items = asyncio.new_event_loop(), list(range(ITEMS))

    def each() -> Any:
        return start(made, {"items": items}, Options(through="direct")).wait().raise_for_status()

    async def by_hand() -> list[object]:
        places = asyncio.Semaphore(8)

        async def one(item: int) -> object:
            async with places:
                return await single(item)

        return await asyncio.gather(*(one(item) for item in items))

    assert each().output == items

    def timed(work: Callable[[], object]) -> float:
        began = perf_counter()
        work()
        return perf_counter() - began

    took = medians(
        {"each": lambda: timed(each), "hand": lambda: timed(lambda: loop.run_until_complete(by_hand()))},
        rounds=5,
    )
    kept, peak = weight(each)
    rows = [
        ("a round / a task behind a semaphore", took["each"] / took["hand"]),
        ("microseconds a round", f"{took['each'] / ITEMS * 1e6:.0f}"),
        ("kept with its events, a round", f"{kept * 1e3 / ITEMS:.1f} KB"),
        ("peak", f"{peak:.0f} MB"),
    ]
    table(f"ForEach over {ITEMS:,} items, a node that does nothing in each", ("what", ""), rows)


def stopping() -> None:
    """How long Stop takes."""
    bpaz, rows = engine(waits, blocks), []
    for kind in ("waits", "blocks"):
        made = bpaz.build(
            {"bpaz": 1, "name": kind, "nodes": {f"n{number}": {"type": kind} for number in range(20)}}
        )

        def stop(made: Any = made) -> float:
            run = start(made, {}, Options(through="direct"))
            time.sleep(0.05)
            began = perf_counter()
            run.cancel()
            run.wait()
            assert run.status == "cancelled"
            return perf_counter() - began

        rows.append((f"20 nodes, each {kind}", f"{medians({'stop': stop}, rounds=5)['stop'] * 1e3:.1f} ms"))
    head = ("what", "from cancel() to the end of the run")
    table("Stop (goal: <= 200 ms; a blocked thread is left behind and told)", head, rows)


def main() -> None:
    """Prints the tables."""
    plans()
    travelling()
    rounds()
    stopping()


if __name__ == "__main__":
    main()
