"""Graphs of nodes that do nothing, run by bpaz_lab and by its peers.

A graph is a dict from each node to the nodes before it, in an order that can be run.
"""

from __future__ import annotations

import asyncio
import operator
from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from bpaz_lab.engine.engine import Engine
from bpaz_lab.nodes.catalogue import Catalogue
from bpaz_lab.nodes.function import node_class
from bpaz_lab.nodes.types import Many  # noqa: TC001 (node_class reads the hints)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bpaz_lab.graph.spec import Effect

Graph = dict[str, list[str]]


async def single(value: object = None) -> object:
    """One input."""
    return value


async def several(values: Many[object]) -> object:
    """Several inputs."""
    return values[0]


def chain(size: int) -> Graph:
    """One after the other."""
    return {f"n{i}": [f"n{i - 1}"] if i else [] for i in range(size)}


def fan_out(size: int) -> Graph:
    """One, then all the others at once, then one that waits for all."""
    middle = {f"n{i}": ["n0"] for i in range(1, size - 1)}
    return {"n0": [], **middle, f"n{size - 1}": list(middle)}


def layered(size: int, layers: int = 20) -> Graph:
    """Layers of equal width; each node is fed by three of the layer before, and one collects the last."""
    width = size // layers
    graph: Graph = {}
    for layer in range(layers):
        for place in range(width):
            before = sorted({(place + step) % width for step in range(3)}) if layer else []
            graph[f"n{layer}_{place}"] = [f"n{layer - 1}_{each}" for each in before]
    return {**graph, "end": [f"n{layers - 1}_{place}" for place in range(width)]}


def engine(*functions: Callable[..., Any], effect: Effect = "undeclared") -> Engine:
    """An engine that knows these functions and no other node type."""
    catalogue = Catalogue()
    for function in functions or (single, several):
        catalogue.register(node_class(function, effect=effect))
    return Engine(catalogue)


def document(graph: Graph) -> dict[str, Any]:
    """The graph as a workflow document."""
    nodes = {name: {"type": "several" if len(before) > 1 else "single"} for name, before in graph.items()}
    edges = [
        [f"{one}.result", f"{name}.{'values' if len(before) > 1 else 'value'}"]
        for name, before in graph.items()
        for one in before
    ]
    return {"bpaz": 1, "name": "benchmark", "nodes": nodes, "edges": edges}


async def by_hand(
    graph: Graph, work: Callable[[str, list[object]], Awaitable[object]] | None = None
) -> dict[str, object]:
    """What one would write in a page: a task for each node as soon as its last input is there."""
    waits = {name: len(before) for name, before in graph.items()}
    after: dict[str, list[str]] = defaultdict(list)
    for name, before in graph.items():
        for each in before:
            after[each].append(name)
    values: dict[str, object] = {}

    async with asyncio.TaskGroup() as group:

        async def run(name: str) -> None:
            given = [values[each] for each in graph[name]]
            if work is not None:
                values[name] = await work(name, given)
            elif len(given) > 1:
                values[name] = await several(given)
            else:
                values[name] = await single(*given)
            for follower in after[name]:
                waits[follower] -= 1
                if not waits[follower]:
                    group.create_task(run(follower))

        for name, count in waits.items():
            if not count:
                group.create_task(run(name))
    return values


class State(TypedDict):
    """LangGraph's state: one number, added up, which spares it a channel for every node."""

    done: Annotated[int, operator.add]


def in_langgraph(
    graph: Graph,
    work: Callable[[str], Awaitable[object]] | None = None,
    saver: Any = None,
    durability: str = "async",
) -> Callable[[], Any]:
    """The graph with one LangGraph node a node; call it for the coroutine of one run.

    Args:
        graph: The graph.
        work: What a node does; nothing by default.
        saver: Where LangGraph keeps its checkpoints; none by default.
        durability: When it keeps them: ``async`` beside the next superstep, ``sync`` before it.
    """
    from langgraph.graph import END, START, StateGraph

    def node(name: str) -> Any:
        async def run(_state: State) -> State:
            if work is not None:
                await work(name)
            return {"done": 1}

        return run

    builder = StateGraph(State)
    feeding = {each for before in graph.values() for each in before}
    for name, before in graph.items():
        builder.add_node(name, node(name))
        builder.add_edge(START if not before else before[0] if len(before) == 1 else before, name)
        if name not in feeding:
            builder.add_edge(name, END)
    compiled = builder.compile(checkpointer=saver)
    config: Any = {"recursion_limit": len(graph) + 10}
    if saver is None:
        return lambda: compiled.ainvoke({"done": 0}, config)
    config["configurable"] = {"thread_id": "1"}
    return lambda: compiled.ainvoke({"done": 0}, config, durability=durability)
