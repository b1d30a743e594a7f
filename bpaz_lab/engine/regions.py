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
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.graph import END, START, StateGraph

    graph = StateGraph(Cursor)
    names = [f"region_{number}" for number in range(regions)]
    for number, name in enumerate(names):
        graph.add_node(name, _region(number))
    for before, after in zip([START, *names], [*names, END], strict=True):
        graph.add_edge(before, after)
    return graph.compile(checkpointer=InMemorySaver())


def _region(number: int) -> Any:
    from langchain_core.runnables import RunnableConfig
    from langgraph.types import interrupt

    async def region(_state: Cursor, config: Any) -> Cursor:
        scheduler = config["configurable"]["scheduler"]
        while True:
            await scheduler.run(number)
            if not scheduler.parked:
                return {"region": number + 1}
            # Called again after the pause, the region goes on from where the scheduler stands.
            interrupt(sorted(scheduler.shared.questions))

    region.__annotations__["config"] = RunnableConfig
    return region


async def run_through_langgraph(scheduler: Scheduler, regions: int, thread: str) -> None:
    """Runs all regions as LangGraph nodes until the end, or until a region waits for a person.

    Args:
        scheduler: Runs a region; it remembers what is done.
        regions: How many there are.
        thread: Names the run, so that a second call goes on where the first was interrupted.
    """
    from langgraph.types import Command

    graph = compiled(regions)
    config = {
        "configurable": {"scheduler": scheduler, "thread_id": thread},
        "recursion_limit": regions + 25,
    }
    asked = bool((await graph.aget_state(config)).next)
    await graph.ainvoke(Command(resume=True) if asked else {"region": 0}, config)
    if not scheduler.parked:
        await graph.checkpointer.adelete_thread(thread)
