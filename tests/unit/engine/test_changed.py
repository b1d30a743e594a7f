from __future__ import annotations

from copy import deepcopy

import pytest

from bpaz_lab.engine.changed import changes, code_of_types, demand_same
from bpaz_lab.errors import RunChanged
from bpaz_lab.nodes.function import node_class
from tests.support.flows import Flow, one, up

pytestmark = pytest.mark.unit


def node(kind="TextInput", **more):
    return {"type": kind, "version": 1, "settings": {}, **more}


REST = {"layout": {}, "notes": {}, "groups": {}}
INNER = {"nodes": {"c": node(), "d": node()}, "edges": [["c.text", "d.text"]], **REST}
OLD = {
    "bpaz": 1,
    "name": "x",
    "nodes": {"a": node(), "b": node(), "box": node("SubWorkflow", body=INNER)},
    "edges": [["a.text", "b.text"], ["b.text", "box.x"]],
    **REST,
}


def changed(edit):
    new = deepcopy(OLD)
    edit(new)
    return new


def put(*path, value):
    def edit(document):
        for key in path[:-1]:
            document = document[key]
        document[path[-1]] = value

    return edit


EDITS = {
    "nothing": (lambda _: None, set()),
    "the layout": (put("layout", "a", value=[1, 2]), set()),
    "the name": (put("name", value="y"), set()),
    "a title": (put("nodes", "a", "title", value="T"), set()),
    "more tries": (put("nodes", "a", "policy", value={"retries": 3, "timeout": 2}), set()),
    "a setting": (put("nodes", "a", "settings", value={"text": "t"}), {"a"}),
    "a type": (put("nodes", "b", "type", value="Other"), {"b"}),
    "a version": (put("nodes", "b", "version", value=2), {"b"}),
    "a policy": (put("nodes", "b", "policy", value={"on_error": "default"}), {"b"}),
    "a new node": (put("nodes", "new", value=node()), {"new"}),
    "a wire": (put("edges", 0, value=["a.other", "b.text"]), {"b"}),
    "a wire that is gone": (lambda document: document["edges"].pop(), {"box"}),
    "a node that is gone": (lambda document: document["nodes"].pop("a"), {"a"}),
    "inside": (put("nodes", "box", "body", "nodes", "d", "settings", value={"x": 1}), {"box", "box/d"}),
    "a body": (put("nodes", "box", "body", value=None), {"box"}),
}


@pytest.mark.parametrize(("edit", "expected"), EDITS.values(), ids=EDITS)
def test_which_nodes_changed(edit, expected):
    assert changes(OLD, changed(edit), {}, {}) == expected


def test_code_that_changed():
    assert changes(OLD, OLD, {"TextInput": "1"}, {"TextInput": "2"}) == {"a", "b", "box", "box/c", "box/d"}
    assert changes(OLD, OLD, {"TextInput": "1"}, {"TextInput": "1"}) == set()
    assert changes(OLD, OLD, {}, {"TextInput": "1"}) == set()
    assert changes(OLD, OLD, {"TextInput": "1"}, {"TextInput": ""}) == set()


def test_a_run_does_not_go_on_with_another_workflow():
    new = changed(EDITS["a setting"][0])
    demand_same(OLD, OLD, {}, {}, ["a"])
    for how in ("refuse", "continue"):
        with pytest.raises(RunChanged, match="a changed since") as caught:
            demand_same(OLD, new, {}, {}, ["", "a"], changed=how)
        assert "a: text" in caught.value.message
        assert caught.value.path == "nodes.a"


def test_what_has_not_begun_may_change_where_that_is_asked_for():
    new = changed(EDITS["inside"][0])
    demand_same(OLD, new, {}, {}, ["", "a", "box/c"], changed="continue")
    with pytest.raises(RunChanged, match="changed='continue'"):
        demand_same(OLD, new, {}, {}, ["", "a", "box/c"])
    with pytest.raises(RunChanged, match="box/d"):
        demand_same(OLD, new, {}, {}, ["box/d"], changed="continue")
    with pytest.raises(RunChanged):  # the container is done
        demand_same(OLD, new, {}, {}, ["box"], changed="continue")


def test_a_change_of_code_is_told():
    with pytest.raises(RunChanged, match="the code of TextInput changed"):
        demand_same(OLD, OLD, {"TextInput": "1"}, {"TextInput": "2"}, ["a"])


def test_the_code_of_the_notebooks_own_types():
    def plan(function):
        flow = Flow()
        flow.put(one, "a")
        flow.put(function, "b")
        flow.wire("a.result b.value")
        with flow.add("SubWorkflow", id="box") as inner:
            start = inner.add("Start", fields=[{"name": "x", "kind": "any"}])
            start >> inner.add(node_class(up, name="inner"), id="c") >> inner.add("End")
        flow.wire("a.result box.x")
        return code_of_types(flow.plan())

    def work(value):
        return value + 1

    first = plan(work)
    assert set(first) == {"one", "work", "inner"}
    assert plan(work) == first

    def work(value):
        return value + 2

    assert {name for name, code in plan(work).items() if code != first[name]} == {"work"}
