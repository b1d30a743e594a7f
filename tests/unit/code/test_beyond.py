from __future__ import annotations

import pytest

from bpaz_lab.code.beyond import beyond, kept_policy
from bpaz_lab.graph.document import normal
from bpaz_lab.nodes.catalogue import catalogue

pytestmark = pytest.mark.unit


def found(**sections):
    return beyond(normal({"bpaz": 1, "name": "", **sections}), catalogue())


def node(type="TextInput", **more):
    return {"type": type, "version": 1, "settings": {}, **more}


def test_nothing_of_an_ordinary_workflow():
    assert not found(nodes={"a": node(), "b": node("ChatOutput")}, edges=[["a.text", "b.text"]])


@pytest.mark.parametrize(
    "entry",
    [
        node("Acme"),
        node(version=99),
        node(settings={"text": 3}),
        node(settings={"no name": 3}),
        node(title=""),
        node(policy={}),
        node(policy={"default": 1}),
        node(body={"nodes": {}}),
        node("ForEach"),
        node("ForEach", body={"nodes": {"a": node("Acme")}}),
        node("SubWorkflow", settings={"workflow": "x.bpaz"}, body={}),
    ],
)
def test_a_node_that_add_would_not_make(entry):
    assert found(nodes={"a": entry}).nodes == {"a"}


def test_edges_that_cannot_be_and_their_siblings():
    nodes = {"a": node(), "b": node(), "m": node("Merge"), "far": node("Acme"), "r": node("VectorRetriever")}
    assert found(nodes=nodes, edges=[["a.text", "b.text"], ["b.text", "a.text"]]).edges != []
    assert found(nodes=nodes, edges=[["a.text", "gone.x"], ["gone.x", "a.text"]]).edges != []
    assert found(nodes=nodes, edges=[["a.nope", "b.text"]]).edges == [["a.nope", "b.text"]]
    assert found(nodes=nodes, edges=[["a.text", "r.vectorstore"]]).edges == [["a.text", "r.vectorstore"]]
    both = [["a.text", "m.values"], ["far.x", "m.values"]]
    assert found(nodes=nodes, edges=both).edges == both
    twice = [["a.text", "r.query"], ["b.text", "r.query"]]
    assert found(nodes=nodes, edges=twice).edges == twice


def test_looks_that_no_method_gives():
    odd = found(
        nodes={"a": node()},
        layout={"gone": [1, 2]},
        notes={"n": {"text": "", "at": [0, 0], "color": "red"}, "m": {"text": "", "at": [0, 0]}},
        groups={"g": {"title": "", "nodes": ["gone"]}, "h": {"title": "", "nodes": ["a"]}},
    )
    assert (odd.layout, odd.notes, odd.groups) == ({"gone"}, {"n"}, {"g"})


def test_what_a_policy_keeps():
    assert kept_policy({"retries": 1, "timeout": None}) == {"retries": 1}
    assert kept_policy({"on_error": "default", "default": None}) == {"on_error": "default", "default": None}
    assert kept_policy({"on_error": "fail", "default": 1}) == {"on_error": "fail"}
