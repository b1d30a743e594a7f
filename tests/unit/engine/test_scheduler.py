"""What waits for what, what runs beside what, and what is skipped; every test takes both ways of running."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from bpaz_lab.engine.scheduler import TURN
from bpaz_lab.nodes.base import Node
from bpaz_lab.nodes.types import Many  # noqa: TC001 (ports are read from hints)
from tests.support.flows import Flow, Gate, add, ended, one, told, up

pytestmark = pytest.mark.unit

WAIT = 20
"""Seconds after which a test that hangs fails."""


def chain(flow):
    flow.put(one, "a")
    for before, node in ("ab", "bc", "cd"):
        flow.put(up, node)
        flow.wire(f"{before}.result {node}.value")
    return 4


def fan_out(flow):
    flow.put(one, "a")
    for node in "bcd":
        flow.put(up, node)
        flow.wire(f"a.result {node}.value")
    return {"b": 2, "c": 2, "d": 2}


def diamond(flow):
    flow.put(one, "a")
    flow.put(up, "b")
    flow.put(up, "c")
    flow.put(add, "d")
    flow.wire("a.result b.value", "a.result c.value", "b.result d.left", "c.result d.right")
    return 4


def layered(flow):
    flow.put(one, "x0")
    flow.put(one, "y0")
    for layer in range(1, 5):
        flow.put(add, f"x{layer}")
        flow.put(add, f"y{layer}")
        for side in "xy":
            flow.wire(f"x{layer - 1}.result {side}{layer}.left", f"y{layer - 1}.result {side}{layer}.right")
    return {"x4": 16, "y4": 16}


def two_regions(flow):
    flow.put(one, "a")
    flow.put(Gate, "gate")
    flow.put(up, "b")
    flow.put(add, "c")
    flow.wire("a.result gate.value", "gate.result b.value", "a.result c.left", "b.result c.right")
    return 3


SHAPES = [chain, fan_out, diamond, layered, two_regions]


@pytest.mark.parametrize("shape", SHAPES)
def test_results_and_every_node_once_after_what_feeds_it(shape, flow, through):
    expected = shape(flow)
    run = flow.go(through).wait(WAIT)
    assert run.status == "completed", run.error
    assert run.output == expected
    events = told(run)
    assert events[0] == ("run.started", "")
    assert events[-1] == ("run.finished", "")
    assert sorted(ended(run, "node.finished")) == sorted(node.id for node in flow)
    for source, target in flow.edges:
        before, after = source.partition(".")[0], target.partition(".")[0]
        assert events.index(("node.finished", before)) < events.index(("node.started", after))


@pytest.mark.parametrize("shape", SHAPES)
def test_both_ways_give_the_same_results_and_events(shape, flow):
    shape(flow)
    runs = [flow.go(through).wait(WAIT) for through in ("direct", "langgraph")]
    assert runs[0].outputs == runs[1].outputs
    assert told(runs[0]) == told(runs[1])


@pytest.mark.parametrize("shape", SHAPES)
def test_sequence_without_gaps_and_time_that_never_goes_back(shape, flow, through):
    shape(flow)
    events = flow.go(through).wait(WAIT).events
    assert [event.seq for event in events] == list(range(len(events)))
    assert [event.time for event in events] == sorted(event.time for event in events)


def test_blocking_branches_overlap(flow, through):
    barrier = threading.Barrier(2)

    def meet(value):
        barrier.wait(WAIT)  # passes only when both are here at the same time
        return value

    flow.put(one, "a")
    for node in "bc":
        flow.put(meet, node, inline=False)
        flow.wire(f"a.result {node}.value")
    assert flow.go(through).wait(WAIT).output == {"b": 1, "c": 1}


def test_async_branches_overlap(flow, through):
    barrier = asyncio.Barrier(2)

    async def meet(value):
        async with asyncio.timeout(WAIT):
            await barrier.wait()
        return value

    flow.put(one, "a")
    for node in "bc":
        flow.put(meet, node)
        flow.wire(f"a.result {node}.value")
    assert flow.go(through).wait(WAIT).output == {"b": 1, "c": 1}


def test_sources_overlap(flow, through):
    barrier = threading.Barrier(2)
    for node in "bc":
        flow.put(lambda_named("meet", lambda: barrier.wait(WAIT) >= 0), node, inline=False)
    assert flow.go(through).wait(WAIT).output == {"b": True, "c": True}


def lambda_named(name, function):
    function.__name__ = name
    return function


def test_a_fast_branch_goes_on_while_a_slow_one_waits(flow, through):
    passed = threading.Event()

    def slow(value):
        return passed.wait(WAIT)

    def follower(value):
        passed.set()
        return value

    flow.put(one, "a")
    flow.put(slow, "slow", inline=False)
    flow.put(up, "fast")
    flow.put(follower, "follower")
    flow.wire("a.result slow.value", "a.result fast.value", "fast.result follower.value")
    run = flow.go(through).wait(WAIT)
    assert run["slow"]["result"] is True
    events = told(run)
    assert events.index(("node.finished", "follower")) < events.index(("node.finished", "slow"))


def test_a_long_chain_of_instant_nodes_lets_others_in(flow, through):
    """Somebody else on the loop gets a turn while an endless chain of instant nodes runs."""
    turns = []

    async def count(value: Any = 0) -> Any:
        if not turns:
            asyncio.get_running_loop().call_soon(turns.append, 1)
        until = asyncio.get_running_loop().time() + TURN / 4
        while asyncio.get_running_loop().time() < until:
            pass
        return len(turns)

    flow.put(count, "n0")
    for number in range(1, 30):
        flow.put(count, f"n{number}")
        flow.wire(f"n{number - 1}.result n{number}.value")
    assert flow.go(through).wait(WAIT).output >= 1


def branches(flow, value):
    """A condition with two arms and what they feed."""
    source = flow.put(lambda_named("source", lambda: value), "source")
    check = flow.add("Condition", id="check", operator="is true")
    flow.connect(source["result"], check["value"])
    for arm in ("true", "false"):
        flow.put(up, arm)
        flow.put(up, f"{arm}_on")
        flow.wire(f"check.{arm} {arm}.value", f"{arm}.result {arm}_on.value")


@pytest.mark.parametrize("value", [True, False])
def test_what_only_the_other_way_feeds_is_skipped_to_its_end(flow, through, value):
    branches(flow, value)
    taken, other = ("true", "false") if value else ("false", "true")
    run = flow.go(through).wait(WAIT)
    assert run.output == value + 2
    assert ended(run, "node.skipped") == [other, f"{other}_on"]
    assert set(ended(run, "node.finished")) == {"source", "check", taken, f"{taken}_on"}
    assert set(ended(run, "node.started")) == set(ended(run, "node.finished"))
    assert run.outputs.keys() == {"source.result", f"check.{taken}", f"{taken}.result", f"{taken}_on.result"}
    reason = next(event.reason for event in run.events if event.type == "node.skipped")
    assert "'value'" in reason
    assert "not taken" in reason


def test_both_ways_skip_the_same(flow):
    branches(flow, value=True)
    direct, through_graph = (told(flow.go(way).wait(WAIT)) for way in ("direct", "langgraph"))
    assert direct == through_graph


def test_a_default_stands_in_for_a_skipped_wire(flow, through):
    def join(value, other: str = "default"):
        return f"{value} {other}"

    branches(flow, value=True)
    flow.put(join, "join")
    flow.wire("true.result join.value", "false.result join.other")
    run = flow.go(through).wait(WAIT)
    assert run["join"]["result"] == "2 default"


def test_a_parameter_with_none_as_default_stands_in_too(flow, through):
    def first(left=None, right=None):
        return left if right is None else right

    branches(flow, value=True)
    flow.put(first, "first")
    flow.wire("true.result first.left", "false.result first.right")
    assert flow.go(through).wait(WAIT)["first"]["result"] == 2


def test_a_node_whose_defaults_alone_are_left_is_skipped(flow, through):
    def optional(value: int = 5):
        return value

    branches(flow, value=True)
    flow.put(optional, "optional")
    flow.wire("false.result optional.value")
    run = flow.go(through).wait(WAIT)
    assert "optional" in ended(run, "node.skipped")
    assert [e.reason for e in run.events if getattr(e, "node", "") == "optional"] == [
        "no branch that feeds it was taken"
    ]


def test_a_node_that_needs_a_skipped_branch_is_skipped_though_another_came(flow, through):
    branches(flow, value=True)
    flow.put(add, "both")
    flow.wire("true.result both.left", "false.result both.right")
    run = flow.go(through).wait(WAIT)
    assert run.status == "completed"
    assert "both" in ended(run, "node.skipped")


class Gather(Node):
    """All that came, in the order of the wires."""

    inline = True

    def run(self, values: Many[Any]) -> Any:
        """The list."""
        return list(values)


def test_a_list_port_takes_what_came_in_the_order_of_its_wires(flow, through):
    branches(flow, value=True)
    flow.put(Gather, "gather")
    flow.wire("false.result gather.values", "true_on.result gather.values", "true.result gather.values")
    assert flow.go(through).wait(WAIT)["gather"]["result"] == [3, 2]


def test_a_list_port_with_one_wire_is_a_list(flow, through):
    flow.put(one, "a")
    flow.put(Gather, "gather")
    flow.wire("a.result gather.values")
    assert flow.go(through).wait(WAIT).output == [1]


def test_a_skipped_branch_stays_skipped_behind_a_boundary(flow, through):
    branches(flow, value=True)
    for arm in ("true", "false"):
        flow.put(Gate, f"{arm}_gate")
        flow.put(up, f"{arm}_behind")
        flow.wire(f"{arm}.result {arm}_gate.value", f"{arm}_gate.result {arm}_behind.value")
    assert flow.plan().regions == 3
    run = flow.go(through).wait(WAIT)
    assert run.status == "completed"
    assert set(ended(run, "node.skipped")) == {"false", "false_on", "false_gate", "false_behind"}
    assert run["true_behind"]["result"] == 3


def test_the_very_same_object_travels_three_wires(flow, through):
    import pandas as pd

    df = pd.DataFrame({"x": [1, 2]})

    def through_me(value):
        return value

    flow.put(lambda_named("source", lambda: df), "n0")
    for number in range(1, 4):
        flow.put(through_me, f"n{number}", inline=number != 2)
        flow.wire(f"n{number - 1}.result n{number}.value")
    run = flow.go(through).wait(WAIT)
    assert run.output is df
    assert run["n2"]["result"] is df


def test_a_conversion_takes_place_on_the_wire(through):
    flow = Flow()
    words: Any = flow.put(texts, "texts")
    out = flow.add("ChatOutput", id="out")
    flow.connect(words, out)
    assert flow.go(through).wait(WAIT).output == '{"a": 1}'


class texts(Node):  # noqa: N801 (its name is that of the node type)
    """Gives data."""

    inline = True

    def run(self) -> dict[str, Any]:
        """Data."""
        return {"a": 1}


@pytest.mark.parametrize("inline", [True, False])
def test_a_node_may_return_an_awaitable(flow, through, inline):
    def later():
        return asyncio.sleep(0, "came")

    flow.put(later, "later", inline=inline)
    assert flow.go(through).wait(WAIT).output == "came"
