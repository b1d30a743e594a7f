"""Runs of one workflow at the same time share the plan and nothing else."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from typing import Any

import pytest

from bpaz_lab import Workflow

pytestmark = pytest.mark.workflows


async def wander(item: Any, run: Any) -> Any:
    """Waits a little, so that rounds of all runs mix."""
    await asyncio.sleep(random.random() / 100)  # noqa: S311 (no secret)
    return [run, item]


def block(item: Any) -> Any:
    """The same in a thread."""
    time.sleep(random.random() / 100)  # noqa: S311 (as above)
    return item


def whole():
    wf = Workflow()
    start = wf.add("Start", id="start", fields=[{"name": name, "kind": "any"} for name in ("xs", "run", "n")])
    with wf.add("ForEach", id="each", at_once=3) as body:
        given = body.add(
            "Start", id="given", fields=[{"name": name, "kind": "any"} for name in ("item", "run")]
        )
        steps = [body.add(wander, id="wander"), body.add(block, id="block"), body.add("End", id="end")]
        body.connect(given["item"], steps[0]["item"])
        body.connect(given["run"], steps[0]["run"])
        steps[0] >> steps[1] >> steps[2]
    with wf.add("Loop", id="loop", condition="round = n", limit=20) as body:
        given = body.add("Start", id="given", fields=[{"name": name, "kind": "any"} for name in ("xs", "n")])
        end = body.add("End", id="end", fields=["xs"])
        body.connect(given["xs"], body.add(block, id="block")["item"])
        body.connect(body["block"]["result"], end["xs"])
    check = wf.add("Condition", id="odd", expression="value % 2 = 1")
    left, right = wf.add("Delay", id="left", seconds=0.001), wf.add("Delay", id="right", seconds=0)
    merge = wf.add("Merge", id="merge")
    wf.connect(start["xs"], wf["each"]["items"])
    wf.connect(start["run"], wf["each"]["run"])
    wf.connect(start["xs"], wf["loop"]["xs"])
    wf.connect(start["n"], wf["loop"]["n"])
    wf.connect(start["n"], check["value"])
    for way, node in (("true", left), ("false", right)):
        wf.connect(check[way], node["value"])
        wf.connect(node["value"], merge["values"])
    return wf


@pytest.mark.parametrize("cache", [True, False])
def test_twenty_runs_at_once_keep_their_values_apart(cache):
    wf = whole()
    runs = [wf.start(xs=list(range(run, run + 6)), run=run, n=run % 5 + 1, cache=cache) for run in range(20)]
    for number, run in enumerate(runs):
        run.wait(60).raise_for_status()
        assert run["each"]["result"] == [[number, item] for item in range(number, number + 6)]
        assert run["loop"]["rounds"] == number % 5 + 1
        assert run["loop"]["xs"] == list(range(number, number + 6))
        assert run["merge"]["value"] == number % 5 + 1
        skipped = {event.node for event in run.events if event.type == "node.skipped"}
        assert skipped == {"right" if number % 5 % 2 == 0 else "left"}
        assert [event.seq for event in run.events] == list(range(len(run.events)))


def test_a_stop_reaches_every_round_and_tells_of_functions_that_go_on():
    free, began = threading.Event(), []

    def stuck(item: Any) -> Any:
        began.append(item)
        free.wait(30)
        return item

    wf = Workflow()
    start = wf.add("Start", fields=[{"name": "xs", "kind": "any"}])
    with wf.add("ForEach", id="each", at_once=2) as body:
        given = body.add("Start", fields=[{"name": "item", "kind": "any"}])
        given["item"] >> body.add(stuck, id="stuck") >> body.add("End")
    wf.connect(start["xs"], wf["each"]["items"])
    other = whole().start(xs=[1, 2], run=1, n=2)
    run = wf.start(xs=[1, 2, 3, 4])
    while len(began) < 2:
        time.sleep(0.001)
    run.cancel()
    try:
        assert run.wait(10).status == "cancelled"
    finally:
        free.set()
    reasons = {event.node: event.reason for event in run.events if event.type == "node.skipped"}
    assert "goes on in its thread until it returns" in reasons["each[0]/stuck"]
    assert reasons["each"] == "the run ended before it was done"
    assert sorted(began) == [1, 2]
    assert other.wait(20).status == "completed"
