"""The regions of a plan as a LangGraph graph: one LangGraph node a region, the scheduler inside.

LangGraph brings the pause, the cursor and the resume at the boundaries between regions; a node of the
workflow never becomes a LangGraph node of its own, which costs 40 to 200 times the scheduler and makes
fast branches wait for slow ones.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from bpaz_lab.engine.scheduler import Scheduler


class Cursor(TypedDict):
    """All that LangGraph sees of a run: how many regions are done. It never sees a value."""

    region: int


@cache
def compiled(regions: int) -> Any:
    """The compiled graph for plans with so many regions; runs share it."""
    from langgraph.graph import END, START, StateGraph

    graph = StateGraph(Cursor)
    names = [f"region_{number}" for number in range(regions)]
    for number, name in enumerate(names):
        graph.add_node(name, _region(number))
    for before, after in zip([START, *names], [*names, END], strict=True):
        graph.add_edge(before, after)
    return graph.compile()


def _region(number: int) -> Any:
    async def region(_state: Cursor, config: Any) -> Cursor:
        await config["configurable"]["scheduler"].run(number)
        return {"region": number + 1}

    from langchain_core.runnables import RunnableConfig

    region.__annotations__["config"] = RunnableConfig
    return region


async def run_through_langgraph(scheduler: Scheduler, regions: int) -> None:
    """Runs all regions as LangGraph nodes."""
    config = {"configurable": {"scheduler": scheduler}, "recursion_limit": regions + 25}
    await compiled(regions).ainvoke({"region": 0}, config)


async def run_directly(scheduler: Scheduler, regions: int) -> None:
    """Runs all regions one after the other, for a run that needs nothing of LangGraph."""
    for number in range(regions):
        await scheduler.run(number)
