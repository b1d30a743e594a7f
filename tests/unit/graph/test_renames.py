"""Nodes that got another id."""

from __future__ import annotations

import pytest

from bpaz_lab.graph.document import normal
from bpaz_lab.graph.renames import renamed, renames

pytestmark = pytest.mark.unit


def body(nodes, edges=()):
    return normal({"bpaz": 1, "name": "", "nodes": nodes, "edges": [list(edge) for edge in edges]})


T, U = {"type": "T"}, {"type": "U"}


def test_one_node_with_the_same_wires():
    one = body({"a": T, "b": U}, [("a.o", "b.i")])
    other = body({"x": T, "b": U}, [("x.o", "b.i")])
    assert renames(one, other) == {"a": "x"}


def test_neighbours_that_are_renamed_together():
    one = body({"a": T, "b": U}, [("a.o", "b.i")])
    other = body({"x": T, "y": U}, [("x.o", "y.i")])
    assert renames(one, other) == {"a": "x", "b": "y"}


@pytest.mark.parametrize(
    "other",
    [
        body({"x": U, "b": U}, [("x.o", "b.i")]),
        body({"x": T, "b": U}),
        body({"x": T, "y": T, "b": U}, [("x.o", "b.i")]),
        body({"a": T, "x": T, "b": U}, [("a.o", "b.i")]),
    ],
    ids=["another type", "another wire", "two candidates", "still there"],
)
def test_where_it_is_not_sure_there_is_none(other):
    assert renames(body({"a": T, "b": U}, [("a.o", "b.i")]), other) == {}


def test_a_body_with_other_ids():
    one = body({"a": T, "b": U}, [("a.o", "b.i")])
    one["layout"], one["groups"] = {"a": [1, 2]}, {"g": {"title": "G", "nodes": ["a", "b"]}}
    other = renamed(one, {"a": "x"})
    assert sorted(other["nodes"]) == ["b", "x"]
    assert other["edges"] == [["x.o", "b.i"]]
    assert other["layout"] == {"x": [1, 2]}
    assert other["groups"]["g"]["nodes"] == ["x", "b"]
    assert renamed(one, {}) == one
