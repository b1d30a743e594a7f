from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpaz_lab import Workflow
from bpaz_lab.errors import DocumentError, FormatError, JsonError
from bpaz_lab.graph.document import (
    FORMAT,
    check_section,
    dumps,
    equal,
    is_id,
    new,
    normal,
    normal_body,
    parse,
    shaped,
)

pytestmark = pytest.mark.unit

RELEASED = Path(__file__).parents[2] / "fixtures" / "documents"

IDS = st.sampled_from(["a", "b", "load", "Split_2", "_x"])
PORTS = st.builds("{}.{}".format, IDS, st.sampled_from(["x", "y", "documents"]))
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
POINTS = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=2)
ENTRIES = st.fixed_dictionaries(
    {"type": TEXTS.filter(bool)},
    optional={
        "version": st.integers(1, 99),
        "settings": st.dictionaries(TEXTS, VALUES, max_size=3),
        "title": TEXTS,
        "policy": st.fixed_dictionaries(
            {}, optional={"retries": st.integers(0, 9), "disabled": st.booleans()}
        ),
    },
)
DOCUMENTS = st.fixed_dictionaries(
    {"bpaz": st.just(FORMAT), "name": TEXTS},
    optional={
        "nodes": st.dictionaries(IDS, ENTRIES, max_size=4),
        "edges": st.lists(st.tuples(PORTS, PORTS).map(list), max_size=6),
        "layout": st.dictionaries(IDS, POINTS, max_size=3),
        "notes": st.dictionaries(IDS, st.fixed_dictionaries({"text": TEXTS, "at": POINTS}), max_size=2),
        "groups": st.dictionaries(
            IDS, st.fixed_dictionaries({"title": TEXTS, "nodes": st.lists(IDS, max_size=3)}), max_size=2
        ),
    },
)


@given(DOCUMENTS)
@settings(max_examples=150, deadline=None)
def test_writing_and_reading_lose_nothing(document):
    text = dumps(document)
    read = parse(text)
    assert dumps(read) == text
    assert equal(read, document)
    assert dumps(shaped(document)) == text


@given(DOCUMENTS, st.randoms())
@settings(max_examples=100, deadline=None)
def test_the_order_of_keys_does_not_show(document, random):
    def shuffled(value):
        if not isinstance(value, dict):
            return value
        keys = list(value)
        random.shuffle(keys)
        return {key: shuffled(value[key]) for key in keys}

    assert dumps(shuffled(document)) == dumps(document)


@given(DOCUMENTS)
@settings(max_examples=100, deadline=None)
def test_the_text_is_sorted_and_ends_with_a_newline(document):
    text = dumps(document)
    assert text.endswith("}\n")
    assert list(json.loads(text)) == sorted(normal(document))


def test_moving_a_box_is_a_change_of_one_line():
    one = parse((RELEASED / "format_1.bpaz").read_bytes())
    other = deepcopy(one)
    other["layout"]["ask"] = [5, 40]
    lines = zip(dumps(one).splitlines(), dumps(other).splitlines(), strict=True)
    assert [(a, b) for a, b in lines if a != b] == [('    "ask": [0, 40],', '    "ask": [5, 40],')]


def test_edges_into_one_port_keep_their_order():
    edges = [["b.x", "z.many"], ["a.x", "z.many"], ["c.x", "a.one"]]
    assert normal({**new(), "edges": edges})["edges"] == [edges[2], edges[0], edges[1]]


def test_layout_and_notes_do_not_count_in_equality():
    one = parse((RELEASED / "format_1.bpaz").read_bytes())
    other = {**deepcopy(one), "layout": {}, "notes": {}}
    assert equal(one, other)
    assert not equal(one, {**one, "name": "x"})
    other["nodes"]["ask"]["settings"]["name"] = "x"
    assert not equal(one, other)


# ---- every released format opens for ever --------------------------------------------------------


def test_there_is_a_file_of_every_released_format():
    assert {path.name for path in RELEASED.iterdir()} == {f"format_{n}.bpaz" for n in range(1, FORMAT + 1)}


def whole(entry):
    """The entry with every section of its body, apart from where its boxes lie."""
    return {**entry, "body": {**normal_body(entry["body"]), "layout": {}}} if "body" in entry else entry


@pytest.mark.parametrize("path", sorted(RELEASED.glob("*.bpaz")), ids=lambda path: path.name)
def test_a_released_format_opens_and_loses_nothing(path):
    kept = json.loads(path.read_text(encoding="utf-8"))
    document = parse(path.read_bytes())
    workflow = Workflow.load(path)
    for read in (document, workflow.to_dict()):
        assert read["nodes"].keys() == kept["nodes"].keys()
        for id, entry in kept["nodes"].items():
            assert whole({key: read["nodes"][id][key] for key in entry}) == whole(entry)
        assert sorted(read["edges"]) == sorted(kept["edges"])
        for section in ("name", "notes", "groups"):
            assert read[section] == kept[section]
        assert kept["layout"].items() <= read["layout"].items()


def test_a_placeholder_loses_nothing():
    entry = json.loads((RELEASED / "format_1.bpaz").read_text(encoding="utf-8"))["nodes"]["extra"]
    document = {"bpaz": 1, "name": "x", "nodes": {"extra": entry}}
    once = Workflow.from_dict(document)
    twice = Workflow.from_json(once.to_json())
    assert whole(twice.to_dict()["nodes"]["extra"]) == whole(entry)
    assert [problem.code for problem in twice.validate()] == ["unknown_node_type"]
    assert "pip install some_package" in twice.validate()[0].hint


# ---- what is no document -------------------------------------------------------------------------


def test_a_newer_format_says_how_to_read_it():
    with pytest.raises(FormatError, match="format 2") as caught:
        parse('{"bpaz": 2, "name": "x", "unheard": "of"}')
    assert caught.value.path == "bpaz"
    assert "pip install --upgrade" in caught.value.hint


def test_all_problems_at_once_with_their_paths():
    with pytest.raises(DocumentError) as caught:
        shaped(
            {
                "bpaz": 1,
                "name": "x" * 256,
                "nodes": {"a": {"type": ""}, "b": {"type": "T", "colour": 1}, "1bad": {"type": "T"}, "c": {}},
                "edges": [["a.x", "b"], ["a.x"]],
                "layout": {"a": [1]},
                "extra": 1,
            }
        )
    paths = [problem.path for problem in caught.value.problems]
    assert sorted(paths) == [
        "edges.0.1",
        "edges.1",
        "extra",
        "layout.a",
        "name",
        "nodes.1bad",
        "nodes.a.type",
        "nodes.b.colour",
        "nodes.c.type",
    ]
    assert all(type(problem) is FormatError for problem in caught.value.problems)
    assert f"{len(paths)} problems" in str(caught.value)
    hints = {problem.path: problem.hint for problem in caught.value.problems}
    assert "spelling" in hints["extra"]
    assert "node.port" in hints["edges.0.1"]
    assert "identifier" in hints["nodes.1bad"]


@pytest.mark.parametrize(
    "value", [None, [], "x", 1, {}, {"name": "x"}, {"bpaz": 0, "name": "x"}, {"bpaz": 1}]
)
def test_what_is_no_document(value):
    with pytest.raises(DocumentError) as caught:
        shaped(value)
    assert all(isinstance(problem, FormatError) for problem in caught.value.problems)


@pytest.mark.parametrize("text", ["", "{", "NaN", '{"bpaz": 1, "bpaz": 1, "name": ""}', b"\xff"])
def test_what_is_no_json(text):
    with pytest.raises(JsonError):
        parse(text)


def test_a_duplicate_id_is_told_by_its_name():
    with pytest.raises(JsonError, match="a"):
        parse('{"bpaz": 1, "name": "x", "nodes": {"a": {"type": "T"}, "a": {"type": "T"}}}')


@pytest.mark.parametrize(
    ("name", "fits"), [("a", True), ("_a1", True), ("1a", False), ("a b", False), ("é", False)]
)
def test_ids(name, fits):
    assert is_id(name) is fits


def test_an_id_ends_where_it_ends():
    assert not is_id("a\n")
    with pytest.raises(DocumentError):
        shaped({"bpaz": 1, "name": "x", "nodes": {"a\n": {"type": "T"}}})


def test_one_section_is_checked_after_an_edit():
    document = {**new("x"), "layout": {"a": [1]}, "notes": {"n": {"text": "x", "at": [0, 0]}}}
    check_section(document, "notes", "n")
    check_section(document, "notes", "gone")
    check_section(document, "name", "")
    with pytest.raises(FormatError) as caught:
        check_section(document, "layout", "a")
    assert caught.value.path == "layout.a"
