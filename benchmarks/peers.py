"""The peers of ``bench_peers.py``: each takes a graph and gives what makes the coroutine of one run.

Every peer is used as its documentation says for asynchronous nodes, with the least it can be given: no
tracing, no checkpoints, no telemetry. Each imports its package when it is called, so that a missing one
is told and the others go on.
"""

from __future__ import annotations

import inspect
import os
import sys
from typing import TYPE_CHECKING, Any

from workflows import Graph, by_hand, in_langgraph

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Work = Callable[[str], Awaitable[object]]
    Peer = Callable[[Graph, Work | None], Callable[[], Any]]

os.environ.update(
    DO_NOT_TRACK="1",
    HAMILTON_TELEMETRY_ENABLED="false",
    HAYSTACK_TELEMETRY_ENABLED="False",
    LANGFLOW_LOG_LEVEL="error",
    LANGSMITH_TRACING="false",
    LFX_LOG_LEVEL="error",
)


def langgraph_functional(graph: Graph, work: Work | None) -> Callable[[], Any]:
    """LangGraph's functional API: a task a node, called by the scheduler written by hand."""
    from langgraph.func import entrypoint, task

    @task
    async def run(name: str) -> int:
        if work is not None:
            await work(name)
        return 1

    async def call(name: str, _given: list[object]) -> object:
        return await run(name)

    @entrypoint()
    async def flow(_: int) -> int:
        return len(await by_hand(graph, call))

    return lambda: flow.ainvoke(0, {"recursion_limit": len(graph) + 10})


def haystack(graph: Graph, work: Work | None) -> Callable[[], Any]:
    """A pipeline of Haystack, which may run all components at once."""
    from haystack import Pipeline, component
    from haystack.core.component.types import Variadic

    @component
    class Node:
        def __init__(self, name: str, before: list[str]) -> None:
            self.name = name
            if len(before) > 1:
                component.set_input_type(self, "value", Variadic[object])
            else:
                component.set_input_type(self, "value", object, None)

        @component.output_types(result=object)
        def run(self, **given: object) -> dict[str, object]:
            return {"result": given}

        @component.output_types(result=object)
        async def run_async(self, **given: object) -> dict[str, object]:
            if work is not None:
                await work(self.name)
            return {"result": given}

    pipeline = Pipeline()
    for name, before in graph.items():
        pipeline.add_component(name, Node(name, before))
    for name, before in graph.items():
        for each in before:
            pipeline.connect(f"{each}.result", f"{name}.value")
    return lambda: pipeline.run_async({}, concurrency_limit=len(graph))


def hamilton(graph: Graph, work: Work | None) -> Callable[[], Any]:
    """Apache Hamilton's asynchronous driver: a function a node, its parameters the nodes before it."""
    from hamilton import ad_hoc_utils, async_driver, base

    def node(name: str, before: list[str]) -> Any:
        async def run(**given: object) -> object:
            if work is not None:
                await work(name)
            return len(given)

        kind = inspect.Parameter.KEYWORD_ONLY
        given = [inspect.Parameter(each, kind, annotation=object) for each in before]
        run.__name__ = run.__qualname__ = name
        run.__annotations__ = {**dict.fromkeys(before, object), "return": object}
        run.__signature__ = inspect.Signature(given, return_annotation=object)  # type: ignore[attr-defined]
        return run

    module = ad_hoc_utils.create_temporary_module(*(node(*each) for each in graph.items()))
    feeding = {each for before in graph.values() for each in before}
    driver = async_driver.AsyncDriver({}, module, result_builder=base.DictResult())
    sinks = [name for name in graph if name not in feeding]
    return lambda: driver.execute(sinks)


def lfx(graph: Graph, work: Work | None) -> Callable[[], Any]:
    """A graph of lfx, the engine of Langflow, run as its server runs it: all that is ready at once."""
    from lfx.custom.custom_component.component import Component
    from lfx.graph import Graph as Flow
    from lfx.io import HandleInput, Output
    from lfx.schema.data import Data

    class Node(Component):
        inputs = [HandleInput(name="value", input_types=["Data"], is_list=True, required=False)]  # noqa: RUF012
        outputs = [Output(name="result", display_name="Result", method="result")]  # noqa: RUF012

        async def result(self) -> Data:
            if work is not None:
                await work(self._id)
            return Data(data={})

    sys.setrecursionlimit(20_000)  # it looks for followers by recursion: 1,000 in a row are too deep
    flow = Flow()
    for name in graph:
        flow.add_component(Node(_id=name), name)
    for name, before in graph.items():
        for each in before:
            flow.add_component_edge(each, ("result", "value"), name)
    flow.prepare()

    def run() -> Any:
        flow._reset_all_output_values()
        return flow.process(fallback_to_env_vars=False)

    return run


PEERS: dict[str, Peer] = {
    "LangGraph, a node each": in_langgraph,
    "LangGraph, functional API": langgraph_functional,
    "Haystack": haystack,
    "Hamilton": hamilton,
    "lfx": lfx,
}
