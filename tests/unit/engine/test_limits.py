from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bpaz_lab import InputError
from bpaz_lab.engine.limits import Limit, Limits
from bpaz_lab.nodes.function import node_class
from tests.support.flows import Flow

pytestmark = pytest.mark.unit


class Counter:
    """Counts how many are inside at the same time."""

    def __init__(self):
        self.now = self.most = 0

    async def __call__(self):
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.005)
        self.now -= 1


def fan(count=8, **types):
    """So many nodes of each type, each of which tells its counter."""
    flow, counters = Flow(), {}
    for name in types or {"work": 0}:
        counter = counters[name] = Counter()
        for number in range(count):
            flow.add(_type(name, counter), id=f"{name}_{number}")
    return flow, counters


def _type(name, counter):
    async def run() -> Any:
        await counter()

    run.__name__ = name
    return _TYPES.setdefault((name, id(counter)), node_class(run))


_TYPES: dict = {}


@pytest.mark.parametrize(("told", "most"), [(3, 3), ({"run": 2}, 2), ({"work": 4}, 4), (None, 8)])
def test_so_many_nodes_work_at_once(told, most, through):
    flow, counters = fan()
    flow.go(through, limits=Limits(told)).wait(20).raise_for_status()
    assert counters["work"].most == most


def test_each_type_has_its_own_limit():
    flow, counters = fan(6, a=1, b=1)
    flow.go("direct", limits=Limits({"a": Limit(at_once=1), "run": 4})).wait(20).raise_for_status()
    assert counters["a"].most == 1
    assert 1 < counters["b"].most <= 4


def test_a_type_may_say_how_many_it_bears():
    flow, counters = fan(6)
    cls = flow.types.find("work")
    cls.concurrency = 2
    flow.go("direct").wait(20).raise_for_status()
    assert counters["work"].most == 2


def test_calls_are_spread_over_the_minute(monkeypatch):
    slept = []

    async def sleep(seconds):
        slept.append(round(seconds, 1))

    async def main():
        limits = Limits({"work": Limit(per_minute=60)})
        cls = _type("work", Counter())
        for _ in range(3):
            async with limits.place(cls):
                pass

    monkeypatch.setattr("bpaz_lab.engine.limits.asyncio.sleep", sleep)
    asyncio.run(main())
    assert slept == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("told", [0, -1, {"a": 0}, {"a": Limit()}, {"a": "many"}, {"a": True}, {"a": 1.5}])
def test_a_limit_is_a_number_above_zero(told):
    with pytest.raises(InputError):
        Limits(told)


def test_a_container_holds_no_place_while_its_body_works():
    flow = Flow()
    flow.add("Start", id="start", fields=[{"name": "xs", "kind": "any"}])
    counter = Counter()
    with flow.add("ForEach", id="each") as body:
        start = body.add("Start", fields=[{"name": "item", "kind": "any"}])
        with body.add("SubWorkflow", id="part") as inner:
            inner.add(_type("work", counter), id="work")
            inner.connect(
                inner.add("Start", id="s", fields=[{"name": "x", "kind": "any"}])["x"],
                inner.add("End", id="e")["result"],
            )
        body.connect(start["item"], body["part"]["x"])
        body.connect(body["part"]["result"], body.add("End", id="end")["result"])
    flow.wire("start.xs each.items")
    run = flow.go("direct", {"xs": [1, 2, 3]}, limits=Limits(1)).wait(20).raise_for_status()
    assert run.output == [1, 2, 3]
    assert counter.most == 1
