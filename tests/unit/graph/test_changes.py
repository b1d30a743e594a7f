"""Operations on a document: the fixtures that TypeScript shares, and properties of any batch."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpaz_lab.errors import PatchError, StaleChange
from bpaz_lab.graph.changes import apply, invert, same

FIXTURES = Path(__file__).parents[2] / "fixtures" / "changes.json"
CASES: list[dict[str, Any]] = json.loads(FIXTURES.read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_fixture(case: dict[str, Any]) -> None:
    document = deepcopy(case["document"])
    if "error" in case:
        with pytest.raises(PatchError) as caught:
            apply(document, case["operations"])
        assert caught.value.code == case["error"]
        assert same(document, case["document"])
    else:
        apply(document, case["operations"])
        assert same(document, case["result"])
        apply(document, invert(case["operations"]))
        assert same(document, case["document"])


def test_a_stale_change_says_where_what_and_what_next() -> None:
    document = {"nodes": {"a": {"settings": {"size": 5}}}, "edges": []}
    with pytest.raises(StaleChange, match="expects 200 but finds 5") as caught:
        apply(document, [{"path": ["nodes", "a", "settings", "size"], "old": 200, "new": 400}])
    assert caught.value.path == "nodes.a.settings.size"
    assert "repeat the change" in caught.value.hint


def test_a_document_does_not_share_what_an_operation_brings() -> None:
    document: dict[str, Any] = {"nodes": {}, "edges": []}
    entry = {"type": "T", "version": 1, "settings": {}}
    apply(document, [{"path": ["nodes", "a"], "new": entry}])
    apply(document, [{"path": ["nodes", "a", "settings", "size"], "new": 1}])
    assert entry["settings"] == {}


IDS = st.sampled_from(["a", "b", "c"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.5, 2.0]) | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)
PORTS = st.builds("{}.{}".format, IDS, st.sampled_from(["x", "y"]))
EDGES = st.tuples(PORTS, PORTS).map(list)
ENTRIES = st.fixed_dictionaries(
    {"type": st.just("T"), "version": st.just(1), "settings": st.dictionaries(IDS, VALUES, max_size=3)}
)
DOCUMENTS = st.fixed_dictionaries(
    {
        "bpaz": st.just(1),
        "name": st.text(max_size=3),
        "nodes": st.dictionaries(IDS, ENTRIES, max_size=3),
        "edges": st.lists(EDGES, max_size=5, unique_by=tuple).map(
            lambda edges: sorted(edges, key=lambda edge: edge[1])
        ),
        "layout": st.dictionaries(IDS, st.lists(st.integers(), min_size=2, max_size=2), max_size=3),
        "notes": st.just({}),
        "groups": st.just({}),
    }
)
PATHS = (
    st.tuples(st.just("nodes"), IDS, st.just("settings"), IDS)
    | st.tuples(st.sampled_from(["nodes", "layout", "notes"]), IDS)
    | st.tuples(st.just("name"))
).map(list)


def _fitting(draw: Any, document: dict[str, Any]) -> dict[str, Any]:
    """An operation whose ``old`` is what the document holds."""
    if draw(st.booleans()):
        edge = draw(EDGES)
        siblings = [other for other in document["edges"] if other[1] == edge[1]]
        old = {"old": siblings.index(edge)} if edge in siblings else {}
        room = len(siblings) - len(old)
        new = {"new": draw(st.integers(0, room))} if not old or draw(st.booleans()) else {}
        return {"edge": edge, **old, **new}
    path = draw(PATHS)
    place: Any = document
    for key in path[:-1]:
        place = place.get(key, {})
    old = {"old": deepcopy(place[path[-1]])} if path[-1] in place else {}
    value = draw(ENTRIES) if path[0] == "nodes" and len(path) == 2 else draw(VALUES)
    new = {"new": value} if not old or len(path) == 1 or draw(st.booleans()) else {}
    return {"path": path, **old, **new}


@given(st.data())
def test_any_batch_is_inverted(data: st.DataObject) -> None:
    document = data.draw(DOCUMENTS)
    before, now, batch = deepcopy(document), deepcopy(document), []
    for _ in range(data.draw(st.integers(1, 5))):
        operation = _fitting(data.draw, now)
        try:
            apply(now, [operation])
        except StaleChange:
            continue
        batch.append(operation)
    apply(document, batch)
    assert same(document, now)
    assert document["edges"] == sorted(document["edges"], key=lambda edge: edge[1])
    apply(document, invert(batch))
    assert same(document, before)


@given(st.data())
def test_a_failed_batch_leaves_the_document_untouched(data: st.DataObject) -> None:
    document = data.draw(DOCUMENTS)
    before, now, batch = deepcopy(document), deepcopy(document), []
    for _ in range(data.draw(st.integers(0, 4))):
        batch.append(operation := _fitting(data.draw, now))
        try:
            apply(now, [operation])
        except StaleChange:
            break
    batch.append({"path": ["name"], "old": [now["name"]], "new": ""})
    with pytest.raises(StaleChange):
        apply(document, batch)
    assert document == before


JUNK = st.dictionaries(
    st.sampled_from(["path", "edge", "old", "new"]),
    VALUES
    | st.lists(st.sampled_from(["nodes", "layout", "name", "a", "a.x", "b.y"]), max_size=4)
    | EDGES
    | PATHS,
)


@given(DOCUMENTS, st.lists(JUNK, max_size=4))
def test_junk_is_refused_or_inverted_and_never_crashes(document: dict[str, Any], batch: list[Any]) -> None:
    before = deepcopy(document)
    try:
        apply(document, batch)
    except PatchError:
        assert same(document, before)
    else:
        apply(document, invert(batch))
        assert same(document, before)


@given(VALUES, VALUES)
def test_same_is_equality_of_json(one: Any, other: Any) -> None:
    def canonical(value: Any) -> str:
        return json.dumps(value, sort_keys=True).replace("2.0", "2")

    assert same(one, other) == (canonical(one) == canonical(other))
