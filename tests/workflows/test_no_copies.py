"""What travels over wires is the object itself, over as many nodes as you like."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from bpaz_lab import Workflow
from bpaz_lab.nodes.catalogue import Catalogue
from bpaz_lab.nodes.function import node_class
from tests.support.flows import Flow

pytestmark = pytest.mark.workflows
STEPS = 1_000


async def pass_on(value: Any) -> Any:
    """What came."""
    return value


def chain(function):
    """So many nodes in a row, as a file would have them."""
    types = Catalogue()
    types.register(node_class(function))
    nodes = {f"n{number}": {"type": function.__name__} for number in range(STEPS)}
    edges = [[f"n{number - 1}.result", f"n{number}.value"] for number in range(1, STEPS)]
    return Workflow.from_dict({"bpaz": 1, "name": "Chain", "nodes": nodes, "edges": edges}, types=types)


@pytest.mark.parametrize("cache", [False, True])
def test_a_table_is_the_same_object_after_a_thousand_nodes(cache):
    table = pd.DataFrame(np.ones((10_000, 10)))
    run = chain(pass_on).start(value=table, cache=cache).wait(60).raise_for_status()
    assert run.output is table
    assert all(value is table for value in run.outputs.values())
    assert cache or len(run.events) == 2 * STEPS + 2


def test_a_row_of_a_for_each_is_the_item_itself():
    items = [object() for _ in range(100)]
    flow = Flow()
    flow.add("Start", id="start", fields=[{"name": "xs", "kind": "any"}])
    with flow.add("ForEach", id="each") as body:
        start = body.add("Start", fields=[{"name": "item", "kind": "any"}])
        with body.add("SubWorkflow", id="part") as inner:
            inner.connect(
                inner.add("Start", fields=[{"name": "x", "kind": "any"}])["x"], inner.add("End")["result"]
            )
        body.connect(start["item"], body["part"]["x"])
        body.connect(body["part"]["result"], body.add("End")["result"])
    flow.wire("start.xs each.items")
    found = flow.run(xs=items).output
    assert all(one is other for one, other in zip(found, items, strict=True))
