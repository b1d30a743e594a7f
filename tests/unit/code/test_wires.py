from __future__ import annotations

import pytest

from bpaz_lab.code.wires import Wire, wires
from bpaz_lab.graph.document import normal
from bpaz_lab.nodes.catalogue import catalogue

pytestmark = pytest.mark.unit


def drawn(nodes, edges, there=(), room=80):
    told = {id: {"type": type, "settings": settings} for id, (type, settings) in nodes.items()}
    body = normal({"bpaz": 1, "name": "", "nodes": told, "edges": [edge.split() for edge in edges]})
    return wires(body, list(nodes), there, catalogue(), {id: id for id in nodes}, room)


TEXTS = {id: ("TextInput", {}) for id in "abcd"}


def test_a_chain_where_it_is_natural():
    edges = ["a.text b.text", "b.text c.text", "c.text d.text"]
    assert drawn(TEXTS, edges) == [Wire(("a", "b", "c", "d"))]
    assert drawn(TEXTS, edges, room=10) == [Wire(("a", "b")), Wire(("b", "c")), Wire(("c", "d"))]


def test_ports_are_named_where_several_fit():
    nodes = {"a": ("TextInput", {}), "p": ("PromptTemplate", {"template": "{x}{y}"})}
    assert drawn(nodes, ["a.text p.y"]) == [Wire(("a", "p"), ("text", "y"))]
    assert drawn(nodes, ["a.text p.x", "a.text p.y"]) == [Wire(("a", "p"), ("text", "x")), Wire(("a", "p"))]
    there = [["gone.x", "p.x"]]
    assert drawn(nodes, ["gone.x p.x", "a.text p.y"], there) == [Wire(("a", "p"))]


def test_the_order_into_a_list_is_kept():
    nodes = {**TEXTS, "m": ("Merge", {})}
    edges = ["d.text m.values", "a.text m.values", "c.text m.values"]
    assert [wire.nodes for wire in drawn(nodes, edges)] == [("d", "m"), ("a", "m"), ("c", "m")]
