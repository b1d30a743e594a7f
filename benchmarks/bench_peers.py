"""The peers beside us in one run: nodes that do nothing, and branches of uneven length.

``make bench-peers`` makes the environment with the peers and starts this; a peer that is not installed
is told. A contender whose first run takes a second is not run again: that run counts.
"""

from __future__ import annotations

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
    from collections.abc import Callable, Mapping

    from bpaz_lab.engine.plan import Plan

HAND, OURS = "by hand", "bpaz_lab"
ROUNDS, ONCE = 9, 1.0


def main() -> None:
    """Prints the ratios."""
    names = ("langgraph", "haystack-ai", "apache-hamilton", "lfx")
    print("Beside: " + ", ".join(installed(name) for name in names))
    shapes = {
        "chain 100": chain(100),
        "chain 1,000": chain(1000),
        "fan-out 100": fan_out(100),
        "layered 20x50": layered(1000),
    }
    plain = engine()
    took = {}
    for shape, graph in shapes.items():
        peers = {name: peer for name, make in PEERS.items() if (peer := made(make, graph)) is not None}
        took[shape] = timed(lambda graph=graph: by_hand(graph), plain.build(document(graph)), peers)
    floors = {shape: each[HAND] for shape, each in took.items()}
    columns = {
        shape: {name: each / floors[shape] for name, each in all_.items()} for shape, all_ in took.items()
    }

    graph, source = uneven()
    peers = {name: peer for name, make in PEERS.items() if (peer := made(make, graph, rest)) is not None}
    took_uneven = timed(
        lambda: by_hand(graph, lambda name, _: rest(name)), engine(slow, fast).build(source), peers
    )
    columns["uneven"] = {name: each / CRITICAL for name, each in took_uneven.items()}

    rows = [
        (name, *(columns[shape].get(name, "missing") for shape in columns)) for name in (HAND, OURS, *PEERS)
    ]
    table("Time / the scheduler by hand; of uneven branches: / critical path", ("engine", *columns), rows)
    rows = [
        (name, *(columns[s][name] / columns[s][OURS] if name in columns[s] else "missing" for s in columns))
        for name in PEERS
    ]
    table("Time / a run of bpaz_lab", ("engine", *columns), rows)


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


def timed(hand: Callable[[], Any], plan: Plan, peers: Mapping[str, Callable[[], Any]]) -> dict[str, float]:
    """The median seconds of all contenders."""
    runs = {
        HAND: partial(submitted, hand),
        OURS: lambda: start(plan, {}, Options(through="direct")).wait(),
        **{name: partial(submitted, run) for name, run in peers.items()},
    }
    return medians({name: partial(seconds, run) for name, run in runs.items()}, ROUNDS, once=ONCE)


def submitted(run: Callable[[], Any]) -> object:
    """Runs on the engine's loop and waits, as a cell does."""

    async def go() -> object:
        return await run()

    return runtime().submit(go()).result()


if __name__ == "__main__":
    main()
