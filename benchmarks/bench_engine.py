"""Running nodes that do nothing: the engine beside an asyncio scheduler written by hand, and LangGraph.

All are started from a thread that is not the loop's, as from a cell that stays free to be stopped.
``run`` is a run of a plan that is made, its record of events included; ``whole`` checks and plans the
document as well. The plan is made once for a revision of a workflow.
"""

from __future__ import annotations

from measure import side_by_side, table
from workflows import by_hand, chain, document, engine, fan_out, in_langgraph, layered

from bpaz_lab.engine.options import Options
from bpaz_lab.engine.run import start
from bpaz_lab.engine.runtime import runtime


def main() -> None:
    """Prints the ratios."""
    bpaz = engine()
    rows = []
    for shape in (chain, fan_out, layered):
        for size in (100, 1000):
            graph = shape(size)
            source, peer = document(graph), in_langgraph(graph)
            plan = bpaz.build(source)
            took = side_by_side(
                {
                    "hand": lambda graph=graph: runtime().submit(by_hand(graph)).result(),
                    "run": lambda plan=plan: start(plan, {}, Options(through="direct")).wait(),
                    "whole": lambda source=source: bpaz.execute(bpaz.build(source)),
                    "langgraph": lambda peer=peer: runtime().submit(peer()).result(),
                }
            )
            rows.append(
                (
                    f"{shape.__name__} {size}",
                    f"{took['hand'] * 1e6 / size:.1f}",
                    took["run"] / took["hand"],
                    took["whole"] / took["hand"],
                    took["langgraph"] / took["hand"],
                    took["langgraph"] / took["run"],
                )
            )
    head = ("nodes", "by hand, us each", "run / hand", "whole / hand", "langgraph / hand", "langgraph / run")
    table("No-op nodes (goals: run / hand <= 1.5; langgraph / run >= 30 at 100, >= 50 at 1,000)", head, rows)


if __name__ == "__main__":
    main()
