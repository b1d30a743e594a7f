"""The peers beside us in one run: nodes that do nothing, and branches of uneven length.

``make bench-peers`` makes the environment with the peers and starts this; a peer that is not installed
is told. A contender whose first run takes half a second is not run again: that run counts, and one that
takes 8 seconds is stopped: its ratio is at least the one printed.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from bench_uneven import CRITICAL, fast, rest, slow, uneven
from measure import medians, seconds, table
from peers import PEERS
from workflows import by_hand, chain, document, engine, fan_out, layered

from bpaz_lab.engine.options import Options
from bpaz_lab.engine.run import start
from bpaz_lab.engine.runtime import runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from workflows import Graph

    from bpaz_lab.engine.plan import Plan

HAND, OURS = "by hand", "bpaz_lab"
ROUNDS, ONCE, PATIENCE = 5, 0.5, 8.0
"""How often at most, the seconds from which on a first run counts, and those after which it is stopped."""


def main() -> None:
    """Prints the ratios."""
    names = ("langgraph", "haystack-ai", "apache-hamilton", "lfx")
    print("Beside: " + ", ".join(installed(name) for name in names))
    shapes = {
        "chain 100": chain(100),
        "fan-out 100": fan_out(100),
        "layered 20x50": layered(1000),
        "chain 1,000": chain(1000),
    }
    for make in PEERS.values():
        if (peer := made(make, chain(5))) is not None:
            submitted(peer)  # what is imported and set up once does not count
    plain = engine()
    took = {}
    for shape, graph in shapes.items():
        took[shape] = timed(shape, graph, by_hand, plain.build(document(graph)))
    floors = {shape: each[HAND] for shape, each in took.items()}
    graph, source = uneven()

    async def waiting(graph: Graph) -> object:
        return await by_hand(graph, lambda name, _: rest(name))

    took["uneven"] = timed("uneven", graph, waiting, engine(slow, fast).build(source), rest)
    floors["uneven"] = CRITICAL
    ours = {shape: each[OURS] for shape, each in took.items()}
    for title, divisors, rows in (
        ("Time / the scheduler by hand; of uneven branches: / critical path", floors, (HAND, OURS, *PEERS)),
        ("Time / a run of bpaz_lab", ours, tuple(PEERS)),
    ):
        cells = [(name, *(ratio(took[shape].get(name), divisors[shape]) for shape in took)) for name in rows]
        table(title, ("engine", *took), cells)


def ratio(seconds: float | None, divisor: float) -> str:
    """A cell: a ratio, the least that it is where the contender was stopped, or that it is missing."""
    if seconds is None:
        return "missing"
    return f"{'> ' if seconds >= PATIENCE else ''}{seconds / divisor:.{0 if seconds > 10 * divisor else 2}f}"


def installed(name: str) -> str:
    """A peer with its version, or that it is missing."""
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"{name} MISSING"


def made(make: Any, graph: Any, work: Any = None) -> Any:
    """A peer with its graph, made before it is timed; None where it is not installed."""
    try:
        return make(graph, work)
    except ImportError as error:
        print(f"{make.__name__} is left out: {error}")
        return None


def timed(
    shape: str, graph: Graph, hand: Callable[[Graph], Any], plan: Plan, work: Any = None
) -> dict[str, float]:
    """The median seconds of all contenders."""
    print(f"  {shape} ...", flush=True)
    peers = {name: peer for name, make in PEERS.items() if (peer := made(make, graph, work)) is not None}
    runs = {
        HAND: partial(submitted, lambda: hand(graph)),
        OURS: lambda: start(plan, {}, Options(through="direct")).wait(),
        **{name: partial(submitted, run) for name, run in peers.items()},
    }
    took = medians({name: partial(seconds, run) for name, run in runs.items()}, ROUNDS, once=ONCE)
    told = ", ".join(f"{name} {ratio(each, took[HAND])}" for name, each in took.items())
    print(f"    / by hand: {told}", flush=True)  # so that who stops it early has something
    return took


def submitted(run: Callable[[], Any]) -> None:
    """Runs on the engine's loop and waits, as a cell does, for as long as there is patience."""

    async def go() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await run()

    runtime().submit(go()).result()


if __name__ == "__main__":
    main()
