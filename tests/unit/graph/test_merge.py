"""Merging what two sides made of one workflow: cases one would draw on paper, and what holds for any."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpaz_lab.graph.changes import same
from bpaz_lab.graph.difference import ABSENT, difference
from bpaz_lab.graph.document import dumps, normal, shaped
from bpaz_lab.graph.merge import merge

pytestmark = pytest.mark.unit


def node(kind="T", **settings):
    return {"type": kind, "version": 1, "settings": settings}


def document(nodes=("a", "b", "c"), edges=(), **more):
    entries = nodes if isinstance(nodes, dict) else {name: node(size=1, lap=1) for name in nodes}
    return normal(
        {"bpaz": 1, "name": "Notes", "nodes": deepcopy(entries), "edges": [list(e) for e in edges], **more}
    )


def changed(base, **nodes):
    other = deepcopy(base)
    for name, settings in nodes.items():
        other["nodes"][name]["settings"] |= settings
    return other


def without(base, name):
    other = deepcopy(base)
    del other["nodes"][name]
    other["layout"].pop(name, None)
    other["edges"] = [edge for edge in base["edges"] if not any(end.startswith(f"{name}.") for end in edge)]
    for group in other["groups"].values():
        group["nodes"] = [each for each in group["nodes"] if each != name]
    return other


def renamed(base, old, new):
    return shaped(eval(repr(base).replace(f"'{old}'", f"'{new}'").replace(f"'{old}.", f"'{new}.")))  # noqa: S307


def paths(merged):
    return [conflict.path for conflict in merged.conflicts]


# ---- cases ----------------------------------------------------------------------------------------


def test_what_each_side_changed_is_there():
    base = document(edges=[("a.out", "b.in")])
    ours = changed(base, a={"size": 2})
    theirs = changed(base, a={"lap": 3}, b={"size": 4})
    theirs["nodes"]["d"] = node("Chat")
    theirs["edges"].append(["b.out", "d.in"])
    theirs["nodes"]["a"]["title"] = "First"
    theirs["nodes"]["a"]["policy"] = {"retries": 2}
    merged = merge(base, ours, theirs)
    assert merged.conflicts == ()
    assert merged.document["nodes"]["a"] == {
        **node(size=2, lap=3),
        "title": "First",
        "policy": {"retries": 2},
    }
    assert merged.document["nodes"]["b"] == node(size=4, lap=1)
    assert merged.document["edges"] == [["a.out", "b.in"], ["b.out", "d.in"]]


def test_what_both_changed_is_a_conflict_and_ours_stays():
    base = document()
    merged = merge(base, changed(base, a={"size": 2}), changed(base, a={"size": 3}))
    (conflict,) = merged.conflicts
    assert (conflict.path, conflict.base, conflict.ours, conflict.theirs) == (
        "nodes.a.settings.size",
        1,
        2,
        3,
    )
    assert str(conflict) == "nodes.a.settings.size: a: size was 1; ours has 2, theirs 3"
    assert conflict.to_dict() == {
        "path": "nodes.a.settings.size",
        "sentence": "a: size was 1; ours has 2, theirs 3",
        "base": 1,
        "ours": 2,
        "theirs": 3,
    }
    assert merged.document["nodes"]["a"]["settings"]["size"] == 2


def test_a_setting_is_one_value_however_deep_it_is():
    base = document({"a": node(cases={"x": 1, "y": 1})})
    merged = merge(
        base, changed(base, a={"cases": {"x": 2, "y": 1}}), changed(base, a={"cases": {"x": 1, "y": 2}})
    )
    assert paths(merged) == ["nodes.a.settings.cases"]


def test_a_node_that_one_side_removed_is_gone_with_its_wires():
    base = document(edges=[("a.out", "b.in"), ("b.out", "c.in")], layout={"b": [1, 1]})
    merged = merge(base, without(base, "b"), changed(base, a={"size": 2}))
    assert merged.conflicts == ()
    assert sorted(merged.document["nodes"]) == ["a", "c"]
    assert merged.document["edges"] == []
    assert merged.document["layout"] == {}


@pytest.mark.parametrize("touch", ["setting", "wire"])
@pytest.mark.parametrize("removes", ["ours", "theirs"])
def test_one_side_removes_what_the_other_changes(touch, removes):
    groups = {"g": {"title": "Both", "nodes": ["a", "b"]}}
    base = document(edges=[("a.out", "b.in"), ("b.out", "c.in")], layout={"b": [1, 1]}, groups=groups)
    gone, other = without(base, "b"), deepcopy(base)
    if touch == "setting":
        other = changed(base, b={"size": 2})
    else:
        other["edges"].append(["b.more", "c.other"])
    if removes == "ours":
        merged = merge(base, gone, other)
        assert dumps(merged.document) == dumps(gone)
    else:
        merged = merge(base, other, gone)
        assert dumps(merged.document) == dumps(other)
    assert paths(merged) == ["nodes.b"]
    assert merged.conflicts[0].sentence.startswith(f"{removes} removed b")


def test_a_wire_around_a_removed_node_does_not_crowd_a_port():
    base = document(edges=[("a.out", "b.in"), ("b.out", "c.in")])
    theirs = without(base, "b")
    theirs["edges"].append(["a.out", "c.in"])
    merged = merge(base, changed(base, b={"size": 2}), theirs)
    assert merged.document["edges"] == base["edges"]
    assert paths(merged) == ["nodes.b", "edges"]


def test_both_sides_add_a_node_of_one_id():
    base = document(["a"])
    ours, theirs = deepcopy(base), deepcopy(base)
    ours["nodes"]["chat"] = theirs["nodes"]["chat"] = node("Chat", heat=1)
    assert merge(base, ours, theirs).conflicts == ()
    theirs = changed(theirs, chat={"heat": 2})
    merged = merge(base, ours, theirs)
    assert paths(merged) == ["nodes.chat"]
    assert merged.conflicts[0].base is ABSENT
    assert merged.document["nodes"]["chat"]["settings"] == {"heat": 1}


def test_two_wires_into_one_port():
    base = document()
    ours, theirs = document(edges=[("a.out", "c.in")]), document(edges=[("b.out", "c.in")])
    merged = merge(base, ours, theirs)
    assert merged.document["edges"] == [["a.out", "c.in"]]
    assert paths(merged) == ["edges"]
    assert "a.out" in merged.conflicts[0].sentence
    assert "b.out" in merged.conflicts[0].sentence
    many = merge(base, ours, theirs, many=lambda entry, port: entry["type"] == "T" and port == "in")
    assert many.conflicts == ()
    assert many.document["edges"] == [["a.out", "c.in"], ["b.out", "c.in"]]


def test_a_port_with_several_wires_takes_those_of_both_sides():
    base = document("abcdet", edges=[("a.o", "t.in"), ("b.o", "t.in")])
    ours = document("abcdet", edges=[("b.o", "t.in"), ("a.o", "t.in"), ("c.o", "t.in")])
    theirs = document("abcdet", edges=[("a.o", "t.in"), ("b.o", "t.in"), ("d.o", "t.in")])
    merged = merge(base, ours, theirs)
    assert merged.conflicts == ()
    assert [source for source, _ in merged.document["edges"]] == ["b.o", "a.o", "c.o", "d.o"]


def test_two_orders_of_one_port_are_a_conflict():
    edges = [("a.o", "t.in"), ("b.o", "t.in"), ("c.o", "t.in")]
    base, ours, theirs = (
        document("abct", edges=[edges[n] for n in order]) for order in ((0, 1, 2), (1, 0, 2), (2, 1, 0))
    )
    merged = merge(base, ours, theirs)
    assert paths(merged) == ["edges"]
    assert merged.document["edges"] == ours["edges"]


def test_wires_of_both_sides_never_close_a_circle():
    base = document()
    ours, theirs = document(edges=[("a.o", "b.in")]), document(edges=[("b.o", "c.in"), ("c.o", "a.in")])
    merged = merge(base, ours, theirs)
    assert len(merged.conflicts) == 1
    assert "circle" in merged.conflicts[0].sentence
    assert len(merged.document["edges"]) == 2
    assert ["a.o", "b.in"] in merged.document["edges"]


def test_another_type_goes_with_its_settings():
    base = document()
    ours = deepcopy(base)
    ours["nodes"]["a"] = node("U", speed=9)
    merged = merge(base, ours, changed(base, a={"size": 5}, b={"size": 6}))
    assert paths(merged) == ["nodes.a"]
    assert merged.document["nodes"]["a"] == node("U", speed=9)
    assert merged.document["nodes"]["b"]["settings"]["size"] == 6


def test_a_new_id_is_followed():
    base = document(edges=[("a.out", "b.in")])
    ours, theirs = renamed(base, "a", "first"), changed(base, a={"size": 2})
    theirs["edges"].append(["a.out", "c.in"])
    for merged in (merge(base, ours, theirs), merge(base, theirs, ours)):
        assert merged.conflicts == ()
        assert merged.document["nodes"]["first"]["settings"]["size"] == 2
        assert merged.document["edges"] == [["first.out", "b.in"], ["first.out", "c.in"]]
        assert "a" not in merged.document["nodes"]


def test_two_new_ids_are_a_conflict():
    base = document({"a": node(size=1), "b": node("U")}, edges=[("a.out", "b.in")])
    merged = merge(base, renamed(base, "a", "x"), renamed(base, "a", "y"))
    assert paths(merged) == ["nodes.a"]
    assert dumps(merged.document) == dumps(renamed(base, "a", "x"))


def test_a_new_id_of_a_removed_node_is_a_conflict():
    base = document({"a": node(size=1), "b": node("U")})
    gone, new = without(base, "a"), renamed(base, "a", "x")
    assert paths(merge(base, new, gone)) == paths(merge(base, gone, new)) == ["nodes.x"]
    assert sorted(merge(base, new, gone).document["nodes"]) == ["b", "x"]
    assert sorted(merge(base, gone, new).document["nodes"]) == ["b"]


def test_bodies_merge_like_workflows():
    inside = {"nodes": {"x": node(size=1, lap=1), "y": node("U")}, "edges": [["x.o", "y.in"]]}
    base = document({"each": {**node("ForEach"), "body": inside}})
    ours, theirs = deepcopy(base), deepcopy(base)
    ours["nodes"]["each"]["body"]["nodes"]["x"]["settings"] |= {"size": 2, "new": 1}
    theirs["nodes"]["each"]["body"]["nodes"]["x"]["settings"] |= {"lap": 3, "new": 2}
    merged = merge(base, ours, theirs)
    assert paths(merged) == ["nodes.each.body.nodes.x.settings.new"]
    assert merged.conflicts[0].sentence.startswith("each/x: new was nothing")
    found = merged.document["nodes"]["each"]["body"]["nodes"]["x"]["settings"]
    assert found == {"size": 2, "lap": 3, "new": 1}


def test_looks_are_nothing_to_quarrel_over():
    note = {"text": "Mind the gap", "at": [0, 0]}
    base = document(layout={"a": [0, 0], "b": [0, 0]}, notes={"n": note})
    ours, theirs = deepcopy(base), deepcopy(base)
    ours["layout"] |= {"a": [1, 1]}
    theirs["layout"] |= {"a": [2, 2], "b": [3, 3]}
    ours["notes"]["n"]["at"], theirs["notes"]["n"]["at"] = [5, 5], [6, 6]
    merged = merge(base, ours, theirs)
    assert merged.conflicts == ()
    assert merged.document["layout"] == {"a": [1, 1], "b": [3, 3]}
    assert merged.document["notes"]["n"]["at"] == [5, 5]


def test_notes_and_groups():
    base = document(
        notes={"n": {"text": "Old", "at": [0, 0]}}, groups={"g": {"title": "Both", "nodes": ["a", "b"]}}
    )
    ours, theirs = deepcopy(base), deepcopy(base)
    ours["notes"]["n"]["text"], theirs["notes"]["n"]["text"] = "Mine", "Yours"
    ours["groups"]["g"]["nodes"] = ["b"]
    theirs["groups"]["g"]["nodes"] = ["a", "b", "c"]
    theirs["groups"]["g"]["color"] = "red"
    merged = merge(base, ours, theirs)
    assert paths(merged) == ["notes.n.text"]
    assert merged.document["groups"]["g"] == {"title": "Both", "nodes": ["b", "c"], "color": "red"}
    del theirs["notes"]["n"]
    assert paths(merge(base, ours, theirs)) == ["notes.n"]
    assert merge(base, ours, theirs).document["notes"]["n"]["text"] == "Mine"


def test_a_group_of_nodes_that_are_gone_is_gone():
    base = document(groups={"g": {"title": "Two", "nodes": ["a", "b"]}})
    merged = merge(base, without(base, "a"), without(base, "b"))
    assert merged.conflicts == ()
    assert merged.document["groups"] == {}


def test_what_is_given_is_not_changed():
    base = document(edges=[("a.out", "b.in")])
    ours, theirs = changed(base, a={"size": [1]}), without(base, "b")
    before = deepcopy((base, ours, theirs))
    merged = merge(base, ours, theirs)
    merged.document["nodes"]["a"]["settings"]["size"].append(2)
    assert (base, ours, theirs) == before


# ---- what holds for any three documents -----------------------------------------------------------

IDS = st.sampled_from("abcd")
VALUES = st.integers(0, 2) | st.just([1]) | st.none()
SETTINGS = st.dictionaries(st.sampled_from(["size", "lap"]), VALUES, max_size=2)


def entries(depth):
    plain = st.fixed_dictionaries(
        {"type": st.sampled_from("TU"), "version": st.just(1), "settings": SETTINGS},
        optional={
            "title": st.sampled_from("xy"),
            "policy": st.fixed_dictionaries({}, optional={"retries": st.integers(0, 2)}),
        },
    )
    if not depth:
        return plain
    return plain | st.fixed_dictionaries(
        {"type": st.just("Each"), "version": st.just(1), "settings": SETTINGS, "body": bodies(depth - 1)}
    )


@st.composite
def bodies(draw, depth=1):
    nodes = draw(st.dictionaries(IDS, entries(depth), max_size=4))
    ports = st.builds("{}.{}".format, st.sampled_from(sorted(nodes) or ["a"]), st.sampled_from("xy"))
    drawn = draw(st.lists(st.tuples(ports, ports).map(list), max_size=4, unique_by=tuple)) if nodes else []
    return {
        "nodes": nodes,
        "edges": [edge for edge in drawn if edge[0][0] < edge[1][0]],
        "layout": {name: [draw(st.integers(0, 1)), 0] for name in nodes},
        "notes": draw(
            st.dictionaries(
                st.just("n"), st.fixed_dictionaries({"text": st.sampled_from("xy"), "at": st.just([0, 0])})
            )
        ),
        "groups": {"g": {"title": "G", "nodes": sorted(nodes)[:2]}} if nodes and draw(st.booleans()) else {},
    }


DOCUMENTS = bodies().map(lambda body: normal({"bpaz": 1, "name": "N", **body}))


@st.composite
def sides(draw, base):
    """What somebody made of a document: some edits, or another document altogether."""
    if draw(st.integers(0, 9)) == 0:
        return draw(DOCUMENTS)
    side = deepcopy(base)
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.sampled_from(list(all_bodies(side))))
        draw(st.sampled_from([add, put, put, remove, wire, cut, move]))(
            draw, place, sorted(place["nodes"]) or ["a"]
        )
    return normal(side)


def add(draw, place, _names):
    place["nodes"].setdefault(draw(st.sampled_from("abcdef")), draw(entries(0)))


def put(draw, place, names):
    entry = place["nodes"].get(draw(st.sampled_from(names)), {})
    key = draw(st.sampled_from(["size", "lap", "title", "retries"]))
    value = draw(st.integers(0, 2))
    if key == "title":
        entry["title"] = f"title {value}"
    else:
        entry.setdefault("policy" if key == "retries" else "settings", {})[key] = value


def remove(draw, place, names):
    if place["nodes"]:
        place |= without(place, draw(st.sampled_from(names)))


def wire(draw, place, names):
    edge = [
        f"{draw(st.sampled_from(names))}.x",
        f"{draw(st.sampled_from(names))}.{draw(st.sampled_from('xy'))}",
    ]
    if edge[0][0] < edge[1][0] and edge not in place["edges"]:
        place["edges"].append(edge)


def cut(draw, place, _names):
    if place["edges"]:
        place["edges"].remove(draw(st.sampled_from(place["edges"])))


def move(draw, place, names):
    if place["nodes"]:
        place["layout"][draw(st.sampled_from(names))] = [draw(st.integers(0, 3)), 1]


@st.composite
def triples(draw):
    base = draw(DOCUMENTS)
    return base, draw(sides(base)), draw(sides(base))


@given(triples())
def test_a_side_that_did_nothing_changes_nothing(triple):
    base, one, _ = triple
    for ours, theirs in ((one, one), (base, one), (one, base)):
        merged = merge(base, ours, theirs)
        assert merged.conflicts == ()
        assert dumps(merged.document) == dumps(one)


@given(triples())
def test_the_result_can_be_loaded_and_no_wire_leads_nowhere(triple):
    merged = merge(*triple).document
    assert same(shaped(deepcopy(merged)), merged)
    for body in all_bodies(merged):
        for edge in body["edges"]:
            assert all(end.partition(".")[0] in body["nodes"] for end in edge)
        for name in [
            *body["layout"],
            *(each for group in body["groups"].values() for each in group["nodes"]),
        ]:
            assert name in body["nodes"]


def all_bodies(body):
    yield body
    for entry in body["nodes"].values():
        if "body" in entry:
            yield from all_bodies(entry["body"])


@given(triples())
def test_the_two_sides_are_equal_but_for_conflicts(triple):
    base, ours, theirs = triple
    one, other = merge(base, ours, theirs), merge(base, theirs, ours)
    assert bool(one.conflicts) == bool(other.conflicts)  # one clash may bring another, on one side only
    if not one.conflicts:
        assert same(in_no_order(one.document), in_no_order(other.document))


def in_no_order(value: Any) -> Any:
    if not isinstance(value, dict) or "nodes" not in value:
        return value
    return {
        **value,
        "nodes": {
            name: {**e, **({"body": in_no_order(e["body"])} if "body" in e else {})}
            for name, e in value["nodes"].items()
        },
        "edges": sorted(value["edges"]),
        "layout": {},
        "groups": {id: {**group, "nodes": sorted(group["nodes"])} for id, group in value["groups"].items()},
    }


@given(triples())
def test_nothing_is_lost_without_a_word(triple):
    """Every setting that a side changed is in the result, or told as a conflict."""
    base, ours, theirs = triple
    merged = merge(base, ours, theirs)
    told = tuple(paths(merged))
    for side in (ours, theirs):
        for change in difference(base, side).changes:
            if change.kind != "setting" or change.path.startswith(told):
                continue
            if any(
                each.kind == "node.renamed"
                for other in (ours, theirs)
                for each in difference(base, other).changes
            ):
                continue
            assert at(merged.document, change.path) == change.new


def at(document, path):
    for key in path.split("."):
        document = document.get(key, {}) if isinstance(document, dict) else ABSENT
    return document if document != {} else ABSENT


@given(triples(), st.data())
def test_edits_of_different_things_never_clash(triple, data):
    base, *_ = triple
    places = [(number, name) for number, body in enumerate(all_bodies(base)) for name in body["nodes"]]
    things = [(*place, key) for place in places for key in ("size", "lap", "title", "layout")]
    ours, theirs, both = deepcopy(base), deepcopy(base), deepcopy(base)
    for thing in things:
        side = data.draw(st.sampled_from([None, ours, theirs]))
        if side is not None:
            for each in (side, both):
                edit(each, *thing)
    merged = merge(base, ours, theirs)
    assert merged.conflicts == ()
    assert dumps(merged.document) == dumps(both)


def edit(document, number, name, key):
    body = list(all_bodies(document))[number]
    if key == "layout":
        body["layout"][name] = [77, 77]
    elif key == "title":
        body["nodes"][name]["title"] = "new"
    else:
        body["nodes"][name]["settings"][key] = "new"
