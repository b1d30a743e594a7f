from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from tests.support.flows import Flow, ended, one, up

pytestmark = pytest.mark.unit


def yes(value: Any) -> Any:
    """Passes."""
    return value


def branches(mode, chosen):
    flow = Flow()
    flow.put(one, "a")
    flow.add("Condition", id="check", operator="equals", operand=chosen)
    flow.put(up, "left")
    flow.put(yes, "right")
    flow.add("Merge", id="merge", mode=mode)
    flow.wire("a.result check.value", "check.true left.value", "check.false right.value")
    flow.wire("left.result merge.values", "right.result merge.values")
    return flow


@pytest.mark.parametrize(("chosen", "output", "skipped"), [(1, 2, ["right"]), (5, 1, ["left"])])
@pytest.mark.parametrize("mode", ["first", "all"])
def test_it_takes_the_branch_that_was_taken(mode, chosen, output, skipped, through):
    run = branches(mode, chosen).go(through).wait(20).raise_for_status()
    assert run.output == ([output] if mode == "all" else output)
    assert ended(run, "node.skipped") == skipped


def test_it_is_skipped_when_no_branch_was_taken():
    flow = branches("all", 1)
    flow.add("Condition", id="never", operator="equals", operand="never")
    flow.disconnect(flow["check"])
    flow.wire("a.result never.value", "never.true left.value", "never.true right.value")
    flow.put(yes, "after")
    flow.wire("merge.value after.value")
    run = flow.go("direct").wait(20).raise_for_status()
    assert ended(run, "node.skipped") == ["left", "right", "merge", "after"]
    assert "after.result" not in run.outputs


def test_all_keeps_the_order_of_the_wires():
    flow = Flow()
    for name, wait in (("a", 0.05), ("b", 0.0)):
        flow.add("TextInput", id=f"{name}_text", text=name)
        flow.add("Delay", id=name, seconds=wait)
        flow.wire(f"{name}_text.text {name}.value")
    flow.add("Merge", id="merge", mode="all")
    flow.wire("a.value merge.values", "b.value merge.values")
    assert flow.go("direct").wait(20).output == ["a", "b"]


def test_the_slower_branch_is_stopped_and_what_hangs_on_it_skipped(through):
    stopped = threading.Event()

    async def slow(value: Any) -> Any:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            stopped.set()
            raise
        return value

    flow = Flow()
    flow.put(one, "a")
    flow.put(slow, "slow")
    flow.put(up, "then")
    flow.put(up, "quick")
    flow.add("Merge", id="merge")
    flow.wire("a.result slow.value", "slow.result then.value", "a.result quick.value")
    flow.wire("then.result merge.values", "quick.result merge.values")
    run = flow.go(through).wait(20).raise_for_status()
    assert run.output == 2
    assert stopped.is_set()
    assert ended(run, "node.skipped") == ["slow", "then"]
    reasons = {event.node: event.reason for event in run.events if event.type == "node.skipped"}
    assert reasons["slow"] == "another branch came first"


def test_a_branch_that_something_else_needs_runs_on():
    flow = Flow()
    flow.put(one, "a")
    flow.add("Delay", id="slow", seconds=0.05)
    flow.put(up, "besides")
    flow.put(up, "quick")
    flow.add("Merge", id="merge")
    flow.wire("a.result slow.value", "a.result quick.value", "slow.value besides.value")
    flow.wire("slow.value merge.values", "quick.result merge.values")
    run = flow.go("direct").wait(20).raise_for_status()
    assert run.outputs["merge.value"] == 2
    assert run.outputs["besides.result"] == 2
    assert ended(run, "node.skipped") == []
