from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from hypothesis import given

from bpaz_lab.code.pretty import WIDTH, Call, Text, chain, flat, literal, quoted, statement

sys.path.insert(0, str(Path(__file__).parent))
from workflows import json, texts

pytestmark = pytest.mark.unit


@given(texts)
def test_a_text_is_always_the_same_text(text):
    assert ast.literal_eval(quoted(text)) == text
    assert quoted(text).isprintable()
    for before in ("x = ", "x.title = "):
        assert ast.literal_eval(ast.parse(statement(before, Text(text))).body[0].value) == text


@given(json)
def test_a_value_is_always_the_same_value(value):
    told = statement("x = ", Call("f", [("", literal(value)), ("a", literal([value]))]), indent="")
    call = ast.parse(told).body[0].value
    if "bz.credential" not in told:
        assert ast.literal_eval(call.args[0]) == value
        assert ast.literal_eval(call.keywords[0].value) == [value]


def test_quotes_are_chosen_as_black_chooses_them():
    assert quoted("it's") == '"it\'s"'
    assert quoted('say "hi"') == "'say \"hi\"'"
    assert quoted("\"'") == '"\\"\'"'
    assert quoted("a\\b\n\u202e") == '"a\\\\b\\n\\u202e"'


def test_what_fits_stays_in_one_line():
    assert flat(literal({"a": [1, None, True], "b": {"$cred": "x"}})) == (
        '{"a": [1, None, True], "b": bz.credential("x")}'
    )
    assert chain(["a", "b"]) == "a >> b"
    assert chain(["a" * 60, "b" * 60]) == f"(\n    {'a' * 60}\n    >> {'b' * 60}\n)"


def test_what_does_not_fit_is_broken_and_stays_within_the_width():
    call = Call(
        "wf.add", [("", Text("Type")), ("text", Text("word " * 50)), ("more", literal(list(range(60))))]
    )
    lines = statement("x = ", call).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert lines[:4] == ["x = wf.add(", '    "Type",', "    text=(", f'        "{"word " * 15}"']
    assert (
        statement("x = ", Call("f", [("a", literal(1)), ("b", Text("x" * 80))])).splitlines()[1] == "    a=1,"
    )


def test_a_text_of_many_lines_stands_as_it_is():
    assert statement("x = ", Call("f", [("a", Text("one\ntwo\nthree"))])) == (
        'x = f(\n    a="""\\\none\ntwo\nthree""",\n)'
    )
    for odd in ("a\nb \nc", "a\nb\\\nc", 'a\nb\nc"', "a\nb\u202e\nc", 'a\n"""\nc', "a\nb"):
        assert len(statement("x = ", Call("f", [("a", Text(odd))])).splitlines()) == 1


def test_a_huge_text_is_written_at_once():
    text = "x y\u202e" * 50_000
    assert ast.literal_eval(ast.parse(statement("x = ", Text(text))).body[0].value) == text
