"""What differs between two workflows, as a person would tell it."""

from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpaz_lab.graph.difference import ABSENT, difference
from bpaz_lab.graph.document import dumps, equal, normal

pytestmark = pytest.mark.unit


def document(**more):
    nodes = {
        "load": {"type": "TextDataLoader", "settings": {"path": "*.md"}},
        "split": {"type": "RecursiveTextSplitter", "settings": {"chunk_size": 200}},
    }
    told = {"nodes": nodes, "edges": [["load.documents", "split.documents"]], **more}
    return normal({"bpaz": 1, "name": "Notes", **deepcopy(told)})


def kinds(found):
    return [(change.kind, change.path) for change in found.changes]


def test_nothing_differs():
    found = difference(document(), document())
    assert not found
    assert str(found) == "no difference"
    assert found.to_dict() == {"changes": [], "moved": []}


def test_a_setting():
    other = document()
    other["nodes"]["split"]["settings"] = {"chunk_size": 400, "chunk_overlap": 0}
    found = difference(document(), other)
    assert kinds(found) == [
        ("setting", "nodes.split.settings.chunk_size"),
        ("setting", "nodes.split.settings.chunk_overlap"),
    ]
    assert str(found) == "~ split: chunk_size 200 -> 400\n~ split: chunk_overlap nothing -> 0"
    assert found.to_dict()["changes"][1] == {
        "kind": "setting",
        "path": "nodes.split.settings.chunk_overlap",
        "sentence": "split: chunk_overlap nothing -> 0",
        "new": 0,
    }


def test_null_is_a_value():
    one, other = document(), document()
    one["nodes"]["split"]["settings"]["chunk_size"] = None
    assert "null -> 200" in str(difference(one, other))
    del one["nodes"]["split"]["settings"]["chunk_size"]
    (change,) = difference(one, other).changes
    assert change.old is ABSENT


def test_nodes_and_edges():
    other = document()
    other["nodes"]["chat"] = {"type": "LocalChat", "settings": {"max_tokens": 24}}
    del other["nodes"]["load"]
    other["edges"] = [["chat.text", "split.documents"]]
    assert str(difference(document(), other)).splitlines() == [
        "- load (TextDataLoader) is gone",
        "+ chat (LocalChat), with max_tokens 24",
        "- load.documents -> split.documents",
        "+ chat.text -> split.documents",
    ]


def test_a_new_id_is_one_change():
    text = dumps(document(layout={"split": [0, 0]}, groups={"g": {"title": "G", "nodes": ["split"]}}))
    other = normal(eval(text.replace('"split"', '"cut"').replace('"split.', '"cut.')))  # noqa: S307
    found = difference(
        document(layout={"split": [0, 0]}, groups={"g": {"title": "G", "nodes": ["split"]}}), other
    )
    assert kinds(found) == [("node.renamed", "nodes.split")]
    assert str(found) == "~ split is called cut"


def test_type_version_title_and_policy():
    other = document()
    entry = other["nodes"]["split"]
    entry |= {"type": "Cut", "version": 2, "title": "Pieces", "policy": {"retries": 3}}
    found = difference(document(), other)
    assert [change.path.removeprefix("nodes.split.") for change in found.changes] == [
        "type",
        "version",
        "title",
        "policy.retries",
    ]
    assert "split is a Cut, not a RecursiveTextSplitter" in str(found)


def test_the_name():
    assert 'called "Mine", not "Notes"' in str(difference(document(), {**document(), "name": "Mine"}))


def test_inside_of_a_container():
    one = document()
    one["nodes"]["each"] = {"type": "ForEach", "body": deepcopy(document())}
    del one["nodes"]["each"]["body"]["bpaz"], one["nodes"]["each"]["body"]["name"]
    other = deepcopy(one)
    other["nodes"]["each"]["body"]["nodes"]["split"]["settings"]["chunk_size"] = 7
    other["nodes"]["each"]["body"]["edges"] = []
    found = difference(one, other)
    assert kinds(found) == [
        ("setting", "nodes.each.body.nodes.split.settings.chunk_size"),
        ("edge.removed", "nodes.each.body.edges"),
    ]
    assert "each/split: chunk_size 200 -> 7" in str(found)
    assert "- each/load.documents -> split.documents" in str(found)
    assert repr(found) == str(found)
    del other["nodes"]["each"]["body"]
    assert ("body", "nodes.each.body") in kinds(difference(one, other))


def test_the_order_of_wires_into_one_port():
    edges = [["load.documents", "split.documents"], ["load.more", "split.documents"]]
    found = difference(document(edges=edges), document(edges=edges[::-1]))
    assert kinds(found) == [("edge.order", "edges")]
    assert "comes in the order load.more, load.documents" in str(found)


def test_a_text_of_lines_shows_its_lines():
    one, other = document(), document()
    one["nodes"]["split"]["settings"] = {"template": "Be kind.\nAnswer:\n{question}"}
    other["nodes"]["split"]["settings"] = {"template": "Be kind.\nAnswer briefly:\n{question}"}
    (change,) = difference(one, other).changes
    assert "-Answer:" in change.lines
    assert "+Answer briefly:" in change.lines
    assert "    +Answer briefly:" in str(difference(one, other)).splitlines()


def test_looks_are_told_apart():
    note = {"n": {"text": "Mind", "at": [0, 0]}}
    one = document(layout={"load": [0, 0], "split": [1, 1]}, notes=note)
    other = document(layout={"load": [5, 5], "split": [1, 1]}, notes={"n": {"text": "Mind", "at": [9, 9]}})
    found = difference(one, other)
    assert found
    assert found.changes == ()
    assert sorted(found.moved) == ["load", "n"]
    assert "moved on the canvas" in str(found)


def test_notes_and_groups():
    one = document(
        notes={"n": {"text": "Old", "at": [0, 0]}}, groups={"g": {"title": "G", "nodes": ["load"]}}
    )
    other = document(
        notes={"n": {"text": "New", "at": [0, 0]}, "m": {"text": "More", "at": [0, 0]}}, groups={}
    )
    assert str(difference(one, other)).splitlines() == [
        '~ note n: text "Old" -> "New"',
        '~ note m is new: "More"',
        '~ group g is gone: "G"',
    ]


def test_a_notebook_shows_it_without_its_markup():
    other = document()
    other["nodes"]["split"]["title"] = "<script>alert(1)</script>"
    page = difference(document(), other)._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


NODES = st.dictionaries(
    st.sampled_from("abc"),
    st.fixed_dictionaries(
        {"type": st.sampled_from("TU"), "settings": st.dictionaries(st.sampled_from("xy"), st.integers(0, 1))}
    ),
)
EDGES = st.lists(
    st.tuples(st.sampled_from(["a.o", "b.o"]), st.sampled_from(["b.i", "c.i"])).map(list),
    max_size=3,
    unique_by=tuple,
)
DOCUMENTS = st.builds(
    lambda nodes, edges: normal({"bpaz": 1, "name": "N", "nodes": nodes, "edges": edges}), NODES, EDGES
)


@given(DOCUMENTS, DOCUMENTS)
def test_there_is_a_difference_exactly_where_the_meaning_differs(one, other):
    assert bool(difference(one, other)) == (not equal(one, other))
    assert str(difference(one, other))
