from __future__ import annotations

import pytest

from bpaz_lab.engine.regions import compiled
from tests.support.flows import Gate, one, up

pytestmark = pytest.mark.unit


def test_one_langgraph_node_a_region_and_runs_share_the_graph():
    graph = compiled(3)
    assert compiled(3) is graph
    assert [name for name in graph.nodes if name.startswith("region")] == ["region_0", "region_1", "region_2"]


def test_more_regions_than_langgraphs_usual_recursion_limit(flow, through):
    flow.put(one, "n0")
    for number in range(1, 61):
        flow.put(Gate if number % 2 else up, f"n{number}")
        flow.wire(f"n{number - 1}.result n{number}.value")
    assert flow.plan().regions == 61
    assert flow.go(through).wait(60).raise_for_status().output == 31
