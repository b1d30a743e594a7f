from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpaz_lab.graph.document import new
from bpaz_lab.graph.layout import COLUMN, HEAD, ROW, next_place, places

pytestmark = pytest.mark.unit

WIDTH = 220


def body(count, edges, layout=()):
    return {
        **new(),
        "nodes": {f"n{number}": {"type": "T"} for number in range(count)},
        "edges": [[f"n{one}.x", f"n{other}.y"] for one, other in edges],
        "layout": dict(layout),
    }


def overlapping(found, rows):
    for (one, a), (other, b) in combinations(found.items(), 2):
        apart = abs(a[0] - b[0]) >= WIDTH
        above, below = sorted([(a[1], one), (b[1], other)])
        if not apart and below[0] < above[0] + HEAD + ROW * rows(above[1]):
            yield one, other


BODIES = st.integers(1, 14).flatmap(
    lambda count: st.tuples(
        st.just(count),
        st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=20),
    )
)


@given(BODIES)
@settings(deadline=None)
def test_no_boxes_overlap_and_the_same_comes_out_again(graph):
    document = body(*graph)  # circles too: what is broken is drawn all the same

    def rows(node):
        return 1 + int(node[1:]) % 5

    found = places(document, rows)
    assert found.keys() == document["nodes"].keys()
    assert not list(overlapping(found, rows))
    assert places(document, rows) == found


@given(BODIES, st.integers(1, 5))
@settings(deadline=None)
def test_what_lies_somewhere_stays_and_the_rest_comes_below(graph, placed):
    count, edges = graph
    layout = {f"n{number}": [number * 400.0, number * 10.0] for number in range(min(placed, count))}
    document = body(count, edges, layout)
    found = places(document, lambda node: 2)
    assert found.keys() == document["nodes"].keys() - layout.keys()
    assert not list(overlapping({**layout, **found}, lambda node: 2))


def test_what_is_fed_lies_to_the_right_unless_the_row_folds():
    found = places(body(9, [(n, n + 1) for n in range(8)]), lambda node: 1)
    for number in range(8):
        (x, y), (next_x, next_y) = found[f"n{number}"], found[f"n{number + 1}"]
        assert (next_x > x and next_y == y) or (next_x == 0 and next_y > y)


def test_a_long_chain_folds():
    found = places(body(60, [(n, n + 1) for n in range(59)]), lambda node: 1)
    width = max(x for x, _ in found.values())
    height = max(y for _, y in found.values())
    assert width < 60 * 300 / 3
    assert height > 0


def test_nothing_to_place():
    assert places(new(), lambda node: 1) == {}
    assert places(body(1, [], {"n0": [1.0, 2.0]}), lambda node: 1) == {}


def test_the_next_place_is_beside_the_last_node_then_in_a_new_row():
    flow = body(0, [])
    at = []
    for number in range(6):
        at.append(next_place(flow, lambda node: 2))
        flow["nodes"][f"n{number}"] = {"type": "T"}
        flow["layout"][f"n{number}"] = at[-1]
    rows = sorted({y for _, y in at})
    assert [[x // COLUMN, rows.index(y)] for x, y in at] == [[0, 0], [1, 0], [2, 0], [3, 0], [0, 1], [1, 1]]


def test_the_next_place_is_not_on_another_node():
    flow = {**new(), "nodes": {"b": {}, "a": {}}, "layout": {"a": [0, 0], "b": [COLUMN, 10]}}
    assert next_place(flow, lambda node: 2)[1] > 10
