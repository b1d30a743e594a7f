"""Branches of uneven length: the time of a run beside the longest path through it.

Three chains of nodes that wait; in each layer another chain has the slow node. An engine that goes layer
by layer waits for the slow one in every layer; a dataflow engine only for the longest chain.
"""

from __future__ import annotations

import asyncio
from typing import Any

from measure import side_by_side, table
from workflows import Graph, by_hand, document, engine, in_langgraph

from bpaz_lab.engine.options import Options
from bpaz_lab.engine.run import start

CHAINS, LAYERS = 3, 6
SLOW, FAST = 0.05, 0.01
CRITICAL = LAYERS // CHAINS * SLOW + (LAYERS - LAYERS // CHAINS) * FAST
"""The seconds of the longest path: each chain has its share of the slow nodes."""


async def rest(name: str) -> None:
    """Waits for as long as the node's name says."""
    if name[0] == "n":
        _, place, layer = name.split("_")
        await asyncio.sleep(SLOW if int(layer) % CHAINS == int(place) else FAST)


async def slow(value: object = None) -> object:
    """A slow node."""
    await asyncio.sleep(SLOW)
    return value


async def fast(value: object = None) -> object:
    """A fast node."""
    await asyncio.sleep(FAST)
    return value


def uneven() -> tuple[Graph, dict[str, Any]]:
    """The three chains, as a graph and as a document."""
    graph: Graph = {
        f"n_{place}_{layer}": [f"n_{place}_{layer - 1}"] if layer else []
        for layer in range(LAYERS)
        for place in range(CHAINS)
    }
    source = document(graph)
    for name, entry in source["nodes"].items():
        _, place, layer = name.split("_")
        entry["type"] = "slow" if int(layer) % CHAINS == int(place) else "fast"
    return graph, source


def main() -> None:
    """Prints the ratios."""
    graph, source = uneven()
    bpaz, loop = engine(slow, fast), asyncio.new_event_loop()
    plan, peer = bpaz.build(source), in_langgraph(graph, rest)
    took = side_by_side(
        {
            "by hand": lambda: loop.run_until_complete(by_hand(graph, lambda name, _: rest(name))),
            "bpaz_lab": lambda: start(plan, {}, Options(through="direct")).wait(),
            "bpaz_lab through LangGraph": lambda: start(plan, {}, Options(through="langgraph")).wait(),
            "LangGraph, a node each": lambda: loop.run_until_complete(peer()),
        },
        rounds=9,
    )
    table(
        f"Uneven branches, critical path {CRITICAL * 1e3:.0f} ms (goal: 1.0)",
        ("engine", "time / critical path"),
        [(name, each / CRITICAL) for name, each in took.items()],
    )


if __name__ == "__main__":
    main()
