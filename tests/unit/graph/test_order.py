from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpaz_lab.graph.order import circle, demanded, leads_to, ordered, predecessors, split
from bpaz_lab.graph.spec import Ports, PortSpec

pytestmark = pytest.mark.unit


def body(*edges, nodes=""):
    names = [*nodes, *(split(end)[0] for edge in edges for end in edge)]
    return {"nodes": {name: {} for name in names}, "edges": [list(edge) for edge in edges]}


def plain(_node):
    return Ports(
        inputs=(PortSpec(name="x", tag="any"), PortSpec(name="y", tag="any")),
        outputs=(PortSpec(name="o", tag="any", main=True, needs=("x", "y")),),
    )


GRAPHS = st.dictionaries(st.integers(0, 8), st.sets(st.integers(0, 8), max_size=3), max_size=9)


@given(GRAPHS)
def test_every_node_comes_after_what_feeds_it_or_is_stuck(graph):
    feeding = {node: {each for each in before if each in graph} for node, before in graph.items()}
    order, stuck = ordered(feeding)
    assert sorted([*order, *stuck]) == sorted(feeding)
    for place, node in enumerate(order):
        assert feeding[node] <= set(order[:place])
    for node in stuck:
        assert feeding[node] & set(stuck)


@given(GRAPHS)
def test_a_circle_follows_the_edges_and_closes(graph):
    feeding = {node: {each for each in before if each in graph} for node, before in graph.items()}
    _, stuck = ordered(feeding)
    if stuck:
        found = circle(feeding, stuck)
        assert len(set(found)) == len(found) > 0
        for before, after in zip(found, [*found[1:], found[0]], strict=True):
            assert before in feeding[after]


def test_order_is_stable():
    feeding = {"c": set(), "a": set(), "b": {"a", "c"}}
    assert ordered(feeding) == (["c", "a", "b"], [])


def test_edges_of_missing_nodes_do_not_count():
    found = {"nodes": {"a": {}}, "edges": [["a.o", "gone.x"], ["gone.o", "a.x"]]}
    assert predecessors(found) == {"a": set()}


def test_leads_to():
    graph = body(("a.o", "b.x"), ("b.o", "c.x"), ("a.o", "c.y"))
    assert leads_to(graph, "a", "c")
    assert leads_to(graph, "a", "a")
    assert not leads_to(graph, "c", "a")


def test_all_sinks_are_demanded():
    graph = body(("a.o", "b.x"), nodes="c")
    assert demanded(graph, plain) == {"a": {"o"}, "b": {"o"}, "c": {"o"}}


def test_a_target_demands_what_it_needs():
    graph = body(("a.o", "b.x"), ("b.o", "c.x"))
    assert demanded(graph, plain, ["b"]) == {"a": {"o"}, "b": {"o"}}
    assert demanded(graph, plain, ["a.o"]) == {"a": {"o"}}


def test_demand_goes_back_through_needed_inputs_alone():
    def ports(node):
        if node != "m":
            return plain(node)
        return Ports(
            inputs=(PortSpec(name="x", tag="any"), PortSpec(name="y", tag="any")),
            outputs=(
                PortSpec(name="model", tag="model", needs=()),
                PortSpec(name="text", tag="text", main=True, needs=("x",)),
            ),
        )

    graph = body(("a.o", "m.x"), ("b.o", "m.y"), ("m.model", "end.x"))
    found = demanded(graph, ports, ["end"])
    assert found["m"] == {"model"}
    assert "a" not in found
    # y is named by no output (**inputs), so that every output takes it
    assert demanded(graph, ports, ["m.text"]).keys() == {"m", "a", "b"}


def test_a_node_without_outputs_takes_all_its_inputs():
    def ports(node):
        return Ports(inputs=plain(node).inputs) if node == "sink" else plain(node)

    assert demanded(body(("a.o", "sink.x")), ports) == {"sink": set(), "a": {"o"}}


def test_two_edges_between_the_same_nodes_count_once():
    feeding = {"end": ["each", "each", "slow"], "each": [], "between": ["each"], "slow": ["between"]}
    order, stuck = ordered(feeding)
    assert order.index("slow") < order.index("end")
    assert stuck == []
