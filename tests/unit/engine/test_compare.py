from __future__ import annotations

import pytest

from bpaz_lab.engine.compare import compare
from bpaz_lab.engine.events import Preview, as_json
from bpaz_lab.engine.values import content, pack
from bpaz_lab.nodes.context import Context  # noqa: TC001 (ports are read from hints)
from bpaz_lab.nodes.function import node_class
from tests.support.flows import Flow, add

pytestmark = pytest.mark.unit


def source(context: Context, value: int = 1) -> int:
    """A source that costs something."""
    context.usage(10 * value, 5, "gpt-4o")
    return value


def told(flow, values=None, **inputs):
    run = flow.go("direct", inputs).wait(20)
    return {"document": flow.to_dict(), "events": [as_json(event) for event in run.events], "values": values}


@pytest.fixture
def flow():
    flow = Flow()
    flow.add(node_class(source), id="a")
    flow.add(node_class(source, name="other"), id="b")
    flow.put(add, "c")
    flow.wire("a.result c.left", "b.result c.right")
    return flow


def by_place(found):
    return {each.place: each for each in found}


def test_two_runs_that_are_the_same(flow):
    found = compare(told(flow), told(flow))
    assert [(each.place, each.kind, each.same) for each in found] == [
        ("a", "same", None),
        ("b", "same", None),
        ("c", "same", None),
    ]
    assert found[0].one.tokens == 15
    assert found[0].one.cost > 0
    assert found[2].one.cost is None


def test_settings_and_values_that_differ(flow):
    before = told(flow)
    flow["a"].set(value=4)
    found = by_place(compare(before, told(flow)))
    assert [each.kind for each in found.values()] == ["changed", "same", "changed"]
    assert found["a"].settings == "~ a: value nothing -> 4"
    assert found["c"].settings == ""
    assert (found["c"].one.outputs, found["c"].other.outputs) == (
        {"result": Preview("int", "2")},
        {"result": Preview("int", "5")},
    )
    assert (found["a"].one.tokens, found["a"].other.tokens) == (15, 45)


def test_nodes_that_are_in_one_alone(flow):
    before = told(flow)
    flow.put(add, "new")
    flow.wire("a.result new.left", "b.result new.right")
    flow.remove("c")
    found = by_place(compare(before, told(flow)))
    assert {place: each.kind for place, each in found.items()} == {
        "a": "same",
        "b": "same",
        "new": "added",
        "c": "removed",
    }
    assert found["new"].one is None
    assert found["c"].other is None


def test_wires_are_told_at_the_node_that_they_enter(flow):
    before = told(flow)
    flow.disconnect(flow["a"]["result"], flow["c"]["left"])
    flow.wire("b.result c.left")
    found = by_place(compare(before, told(flow)))
    assert found["c"].settings.splitlines() == ["- a.result -> c.left", "+ b.result -> c.left"]
    assert found["a"].settings == found["b"].settings == ""


def test_values_decide_where_they_are_known(flow):
    digest = content(pack({"result": 1}).data)
    one, other = told(flow, {"a": digest, "b": digest}), told(flow, {"a": digest, "b": "other"})
    found = by_place(compare(one, other))
    assert [(each.kind, each.same) for each in found.values()] == [
        ("same", True),
        ("changed", False),
        ("same", None),
    ]


def test_what_became_of_a_node(flow):
    def fails(value):
        if value > 1:
            raise ValueError("too much")
        return value

    flow.put(fails, "last")
    flow.wire("c.result last.value")
    found = by_place(compare(told(flow), told(flow)))
    assert found["last"].one.status == "failed"
    assert found["last"].kind == "same"
    flow["a"].set(value=0)
    other = by_place(compare(told(flow), {**told(flow), "events": []}))
    assert (other["last"].one.status, other["last"].other.status) == ("finished", "not computed")
    assert other["last"].kind == "changed"


def test_rounds_count_together():
    flow = Flow()
    flow.add("Start", id="start", fields=[{"name": "xs", "kind": "any"}])
    with flow.add("ForEach", id="each") as body:
        start = body.add("Start", fields=[{"name": "item", "kind": "any"}])
        call = body.add(node_class(source), id="call")
        body.connect(start["item"], call["value"])
        body.connect(call["result"], body.add("End")["result"])
    flow.wire("start.xs each.items")
    one, other = told(flow, xs=[1, 2]), told(flow, xs=[1, 3])
    one["values"] = {"each[0]/call": "1", "each[1]/call": "2"}
    other["values"] = {"each[0]/call": "1", "each[1]/call": "3"}
    found = by_place(compare(one, other))
    assert (found["each/call"].one.tokens, found["each/call"].other.tokens) == (40, 50)
    assert found["each/call"].same is False


def test_what_is_told_again_counts_once(flow):
    one = told(flow)
    again = [
        {**event, "duration": 0.0, "cached": True}
        for event in one["events"]
        if event["type"] == "node.finished"
    ]
    found = compare(one, {**one, "events": [*one["events"], *again]})
    assert [each.kind for each in found] == ["same"] * 3
    assert [each.one.tokens for each in found] == [each.other.tokens for each in found]
    assert [each.one.seconds for each in found] == [each.other.seconds for each in found]
