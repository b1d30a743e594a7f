"""What a node costs as workflows grow, how soon the first event is there, and what small flows pay."""

from __future__ import annotations

from time import perf_counter, process_time

from measure import medians, side_by_side, table
from workflows import by_hand, chain, document, engine

from bpaz_lab.engine.options import Options
from bpaz_lab.engine.plan import Plan, plan
from bpaz_lab.engine.run import start
from bpaz_lab.engine.runtime import runtime
from bpaz_lab.graph.document import shaped

DIRECT = "direct"


def cost_of_a_node(plans: dict[int, Plan]) -> None:
    """A node's share of a run, from small to large."""
    ways = ("direct", "langgraph")
    took = side_by_side(
        {
            f"{way} {size}": lambda each=each, way=way: start(each, {}, Options(through=way)).wait()
            for size, each in plans.items()
            for way in ways
        },
        rounds=15,
    )
    rows = [
        (
            f"{size:,}",
            *(took[f"{way} {size}"] / size / (took[f"{way} 300"] / 300) for way in ways),
            took[f"langgraph {size}"] / took[f"direct {size}"],
        )
        for size in plans
    ]
    head = ("nodes", "direct, a node / at 300", "one LangGraph region, a node / at 300", "LangGraph / direct")
    table("Growth of a chain (goal: <= 1.1 from 300 to 3,000)", head, rows)


def small_flow(ten: Plan) -> None:
    """Ten nodes beside ten written by hand, both started from a thread that is not the loop's."""
    graph = chain(10)
    took = side_by_side(
        {
            "hand": lambda: runtime().submit(by_hand(graph)).result(),
            DIRECT: lambda: start(ten, {}, Options(through="direct")).wait(),
        },
        rounds=60,
    )
    table("A flow of 10 nodes (goal: <= 2)", ("run / hand",), [(took[DIRECT] / took["hand"],)])


def absolute(source: object, thousand: Plan) -> None:
    """What the goals give in milliseconds; processor time leaves out what else the machine does."""
    types = engine().types
    body = shaped(source)

    def planning() -> float:
        began = process_time()
        plan(body, types)
        return process_time() - began

    def first_event() -> float:
        began = perf_counter()
        events = start(thousand, {}, Options(through="direct")).stream()
        next(events)
        took = perf_counter() - began
        for _ in events:
            pass
        return took

    def by_hand_once() -> float:
        began = process_time()
        runtime().submit(by_hand(chain(1000))).result()
        return process_time() - began

    took = medians({"plan": planning, "first": first_event, "hand": by_hand_once})
    rows = [
        ("plan (goal 5 ms)", f"{took['plan'] * 1e3:.1f} ms", took["plan"] / took["hand"]),
        ("first event read (goal 2 ms)", f"{took['first'] * 1e3:.1f} ms", took["first"] / took["hand"]),
    ]
    table("A chain of 1,000 nodes", ("what", "time", "/ running it by hand"), rows)


def main() -> None:
    """Prints the tables."""
    bpaz = engine()
    plans = {size: bpaz.build(document(chain(size))) for size in (300, 3_000, 10_000)}
    cost_of_a_node(plans)
    small_flow(bpaz.build(document(chain(10))))
    source = document(chain(1000))
    absolute(source, bpaz.build(source))


if __name__ == "__main__":
    main()
