"""A run that goes on from its frame gives what one that never stopped gives."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from bpaz_lab import Workflow

CALLS: list[str] = []


async def join(a: str, b: str = "", c: str = "") -> str:  # in a thread, chance would say which is first
    """Joins texts, and notes that it was called."""
    CALLS.append(f"{a}{b}{c}")
    return f"({a}{b}{c})"


Shape = list[tuple[str, list[int]]]
SHAPES = st.lists(
    st.tuples(st.sampled_from(["join", "ask", "join", "merge"]), st.lists(st.integers(0, 30), max_size=3)),
    min_size=1,
    max_size=9,
)


def built(shape: Shape) -> Workflow:
    """A workflow of joining functions, approvals and merges; numbers choose what feeds what."""
    wf = Workflow()
    start = wf.add("ChatInput", name="text", id="start")
    outs = [start["text"]]
    for number, (kind, feeding) in enumerate(shape):
        sources = [outs[each % len(outs)] for each in feeding or [number]]
        if kind == "ask":
            node = wf.add("HumanApproval", id=f"ask_{number}")
            wf.connect(sources[0], node["value"])
            outs += [node["approved"], node["rejected"]]
        elif kind == "merge":
            node = wf.add("Merge", id=f"merge_{number}", mode="first")
            for source in {id(each): each for each in sources}.values():
                if not any(into.startswith(f"merge_{number}.") for into in _fed(wf, source)):
                    wf.connect(source, node[node.ports.inputs[0].name])
            outs.append(node[node.ports.main.name])
        else:
            node = wf.add(join, id=f"join_{number}")
            for port, source in zip("abc", sources, strict=False):
                wf.connect(source, node[port])
            outs.append(node["result"])
    return wf


def _fed(wf: Workflow, source: Any) -> list[str]:
    return [into for out, into in wf.edges if out == f"{source.node.id}.{source.name}"]


def by_run(wf: Workflow, ways: list[bool]) -> tuple[Any, list[str]]:
    """What a run gives whose questions are answered one by one, in the order of their addresses."""
    CALLS.clear()
    run, answers = wf.run(text="x", cache=False), iter(ways)
    while run.status == "paused":
        run.resume({min(run.questions): {"approve": next(answers)}})
    return run.output, sorted(CALLS)


def by_graph(wf: Workflow, ways: list[bool]) -> tuple[Any, list[str]]:
    """The same by LangGraph, each time with a graph of its own."""
    CALLS.clear()
    saver, answers = InMemorySaver(), iter(ways)
    config = {"configurable": {"thread_id": "1"}}
    found = wf.to_langgraph(saver).invoke({"text": "x"}, config)
    while "__interrupt__" in found:
        (asked,) = found["__interrupt__"]
        json.dumps(asked.value)
        answer = {min(asked.value): {"approve": next(answers)}}
        found = wf.to_langgraph(saver).invoke(Command(resume=answer), config)
    return found["output"], sorted(CALLS)


FIRST: Shape = [("join", []), ("ask", []), ("join", []), ("join", []), ("merge", [26, 0])]
"""Where the end of a region once decided which branch was first."""
RIVAL: Shape = [("ask", []), ("join", []), ("join", []), ("join", []), ("merge", [0, 22])]
"""Where a branch that lost was once computed after the pause."""


@settings(max_examples=40, deadline=None)
@example(FIRST, [True] + [False] * 8)
@example(RIVAL, [False] * 9)
@given(SHAPES, st.lists(st.booleans(), min_size=9, max_size=9))
def test_what_stops_and_goes_on_gives_the_same_and_repeats_nothing(shape: Shape, ways: list[bool]) -> None:
    wf = built(shape)
    assert by_graph(wf, ways) == by_run(wf, ways)
