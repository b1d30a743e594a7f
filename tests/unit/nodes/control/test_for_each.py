from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.support.flows import Flow, ended

pytestmark = pytest.mark.unit


def picky(item: Any) -> Any:
    """Does not like 2."""
    if item == 2:
        raise ValueError("no twos")
    return item * 10


def counting(function=picky, **settings):
    """A ForEach over the run's input ``xs`` that calls a function for each item."""
    flow = Flow()
    flow.add("Start", id="start", fields=[{"name": "xs", "kind": "any"}])
    with flow.add("ForEach", id="each", **settings) as body:
        start = body.add("Start", id="start", fields=[{"name": "item", "kind": "any"}])
        call = body.put(function, "call") if hasattr(body, "put") else body.add(function, id="call")
        end = body.add("End", id="end")
        body.connect(start["item"], call)
        body.connect(call["result"], end["result"])
    flow.wire("start.xs each.items")
    return flow


@pytest.mark.parametrize(
    "items",
    [[1, 3], (1, 3), range(1, 4, 2), np.array([1, 3]), pd.Series([1, 3])],
    ids=lambda x: type(x).__name__,
)
def test_results_come_in_the_order_of_the_items(items, through):
    run = counting().go(through, {"xs": items}).wait(20).raise_for_status()
    assert run.output == [10, 30]


def test_nothing_comes_of_nothing(through):
    assert counting().go(through, {"xs": []}).wait(20).output == []


def test_rows_of_a_table_are_dicts():
    def total(item: Any) -> Any:
        return item["a"] + item["b"]

    table = pd.DataFrame({"a": [1, 2], "b": [10, 20]})
    assert counting(total).go("direct", {"xs": table}).wait(20).output == [11, 22]


def test_so_many_rounds_go_on_at_once_and_no_more():
    now, most = 0, 0

    async def busy(item: Any) -> Any:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.01)
        now -= 1
        return item

    run = counting(busy, at_once=3).go("direct", {"xs": list(range(10))}).wait(20)
    assert run.output == list(range(10))
    assert most == 3


def test_the_first_fault_ends_it_and_names_the_round(through):
    run = counting().go(through, {"xs": [1, 2, 3]}).wait(20)
    assert run.status == "failed"
    assert run.error.path == "nodes.each.body.nodes.call"
    assert "no twos" in str(run.error)
    assert ended(run, "node.failed") == ["each[1]/call", "each"]


def test_faults_are_collected(through):
    flow = counting(on_item_error="collect")
    run = flow.go(through, {"xs": [1, 2, 3]}).wait(20).raise_for_status()
    assert run.outputs["each.result"] == [10, None, 30]
    assert flow.run(xs=[1, 2, 3])["each"]["errors"] == [
        {"index": 1, "code": "node_failed", "message": "ValueError: no twos", "hint": "", "path": PATH}
    ]


PATH = "nodes.each.body.nodes.call"


@pytest.mark.parametrize("value", [None, 3, "a text", {"a": 1}, object()])
def test_what_is_no_list_is_refused(value):
    run = counting().go("direct", {"xs": value}).wait(20)
    assert run.status == "failed"
    assert "counts the items of a list" in str(run.error)
    assert run.error.path == "nodes.each"
    assert run.error.hint


def test_shared_inputs_and_the_number_of_the_round():
    flow = Flow()
    flow.add("Start", id="start", fields=[{"name": "xs", "kind": "any"}, {"name": "sign"}])
    with flow.add("ForEach", id="each") as body:
        names = ("item", "index", "sign")
        start = body.add("Start", id="start", fields=[{"name": name, "kind": "any"} for name in names])
        join = body.add("PromptTemplate", id="join", template="{index}{sign}{item}")
        for name in names:
            body.connect(start[name], join[name])
        join >> body.add("End", id="end", fields=["line"])
    assert [port.name for port in flow["each"].ports.inputs] == ["items", "sign"]
    assert [(port.name, port.tag) for port in flow["each"].ports.outputs] == [("line", "list[text]")]
    flow.wire("start.xs each.items", "start.sign each.sign")
    assert flow.run(xs=["a", "b"], sign=":").output == ["0:a", "1:b"]


def test_a_branch_not_taken_in_a_round_leaves_none():
    flow = Flow()
    flow.add("Start", id="start", fields=[{"name": "xs", "kind": "any"}])
    with flow.add("ForEach", id="each") as body:
        start = body.add("Start", fields=[{"name": "item", "kind": "any"}])
        check = body.add("Condition", expression="value > 1")
        end = body.add("End", fields=["big"])
        body.connect(start["item"], check["value"])
        body.connect(check["true"], end["big"])
    flow.wire("start.xs each.items")
    assert flow.run(xs=[1, 2, 3]).output == [None, 2, 3]


def test_its_progress_is_told():
    run = counting().run(xs=[1, 3])
    told = [(event.done, event.total) for event in run.events if event.type == "node.progress"]
    assert told == [(1.0, 2.0), (2.0, 2.0)]
