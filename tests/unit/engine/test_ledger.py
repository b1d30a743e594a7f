from __future__ import annotations

from typing import Any

import pytest

from bpaz_lab.engine.ledger import Notes
from bpaz_lab.nodes.function import node_class
from tests.support.flows import Flow, one

pytestmark = pytest.mark.unit


@pytest.fixture(params=["direct", "langgraph"])
def through(request):
    """Both ways of running a plan; each has a ledger anyway."""
    return request.param


def test_a_run_goes_on_where_it_stopped(through):
    calls = []

    def first(value: Any) -> Any:
        calls.append("first")
        return value + 1

    def second(value: Any) -> Any:
        calls.append("second")
        if calls.count("second") == 1:
            raise ValueError("the first time")
        return value * 10

    flow = Flow()
    flow.put(one, "a")
    flow.put(first, "b")
    flow.put(second, "c")
    flow.wire("a.result b.value", "b.result c.value")
    ledger = Notes()
    assert flow.go(through, ledger=ledger).wait(20).status == "failed"
    run = flow.go(through, ledger=ledger).wait(20).raise_for_status()
    assert run.output == 20
    assert calls == ["first", "second", "second"]
    assert ledger.begun == ["a", "b", "c", "c"]
    told = {event.node: event.cached for event in run.events if event.type == "node.finished"}
    assert told == {"a": True, "b": True, "c": False}


def test_rounds_that_are_done_are_not_done_again(through):
    calls = []

    def step(item: Any) -> Any:
        calls.append(item)
        if item == 3 and calls.count(3) == 1:
            raise ValueError("the first time")
        return item * 10

    flow = Flow()
    flow.add("Start", id="start", fields=[{"name": "xs", "kind": "any"}])
    with flow.add("ForEach", id="each", at_once=1) as body:
        start = body.add("Start", fields=[{"name": "item", "kind": "any"}])
        call = body.add(node_class(step), id="step")
        body.connect(start["item"], call["item"])
        body.connect(call["result"], body.add("End")["result"])
    flow.wire("start.xs each.items")
    ledger = Notes()
    assert flow.go(through, {"xs": [1, 2, 3, 4]}, ledger=ledger).wait(20).status == "failed"
    run = flow.go(through, {"xs": [1, 2, 3, 4]}, ledger=ledger).wait(20).raise_for_status()
    assert run.output == [10, 20, 30, 40]
    assert calls == [1, 2, 3, 3, 4]


def test_a_branch_not_taken_stays_so():
    flow = Flow()
    flow.put(one, "a")
    flow.add("Condition", id="check", operator="equals", operand=5)
    flow.add("Delay", id="yes", seconds=0)
    flow.add("Delay", id="no", seconds=0)
    flow.wire("a.result check.value", "check.true yes.value", "check.false no.value")
    ledger = Notes()
    for _ in range(2):
        run = flow.go("direct", ledger=ledger).wait(20).raise_for_status()
        assert "yes.value" not in run.outputs
        assert run.outputs["no.value"] == 1
    assert ledger.begun == ["a"]  # the others may happen twice: nobody is told before
    assert ledger.kept("check").outputs == {"false": 1}
    assert ledger.kept("yes") is None
