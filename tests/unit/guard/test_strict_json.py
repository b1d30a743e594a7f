from __future__ import annotations

import json
import math
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpaz_lab.errors import JsonError
from bpaz_lab.guard.strict_json import UNLIMITED, Limits, compact, dumps, loads

pytestmark = pytest.mark.unit

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=30)


@given(values)
def test_what_is_written_reads_as_the_same(value):
    assert loads(dumps(value)) == value
    assert loads(compact(value)) == value


@given(values)
def test_the_text_of_a_value_is_one(value):
    again = loads(dumps(value))
    assert dumps(again) == dumps(value)
    assert compact(again) == compact(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1, column 1"),
        ("{", "line 1, column 2"),
        ("{} {}", "Extra data"),
        ("{'a': 1}", "line 1, column 2"),
        ("[1,]", "line 1"),
        ("01", "Extra data"),
        ("\ufeff{}", "line 1, column 1"),
        ('"a\nb"', "control character"),
        ("NaN", "NaN is not JSON"),
        ("Infinity", "Infinity is not JSON"),
        ("-Infinity", "-Infinity is not JSON"),
        ("1e400", "larger than a double"),
        ("9" * 400, "larger than a double"),
        ("9" * 5000, "larger than a double"),
        ("1" + "0" * 309, "larger than a double"),
        ("9007199254740993", "not exact"),
        ('{"a": 1, "a": 1}', "'a' stands twice"),
        ('"\\u0000"', "NUL"),
        ('{"\\u0000": 1}', "NUL"),
        ('"\\ud800"', "surrogate"),
        ('{"\\udc00": 1}', "surrogate"),
        ("[" * 65 + "]" * 65, "deeper than 64"),
        ("[" * 100_000, "deeper than 64"),
        ('{"a":' * 65 + "1" + "}" * 65, "deeper than 64"),
    ],
)
def test_faults_are_refused(text, message):
    with pytest.raises(JsonError, match=message) as caught:
        loads(text)
    assert caught.value.hint


@pytest.mark.parametrize("data", [b"\xff", b'"\xed\xa0\x80"', b"\x00", "\ud800", b'"\xc0\xaf"'])
def test_bytes_that_are_no_utf8_text_are_refused(data):
    with pytest.raises(JsonError):
        loads(data)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"nodes": {"split": {"settings": {"size": NaN}}}}', "nodes.split.settings.size"),
        ('{"edges": [["a", "b"], {"a": 1, "a": 2}]}', "edges.1"),
        ('[0, [1, "\\ud800"]]', "1.1"),
    ],
)
def test_a_fault_says_where(text, path):
    with pytest.raises(JsonError) as caught:
        loads(text)
    assert caught.value.path == path


def test_caps_hold_at_their_edges():
    limits = Limits(size=20, string=5, depth=2)
    assert loads('["éé1", [1]]', limits=limits) == ["éé1", [1]]
    with pytest.raises(JsonError, match="more than the 5 accepted"):
        loads('["ééé"]', limits=limits)
    with pytest.raises(JsonError, match="more than the 5 accepted"):
        loads('{"123456": 1}', limits=limits)
    with pytest.raises(JsonError, match="more than the 20 accepted"):
        loads('["1", "2", "3", "4"] ', limits=limits)
    with pytest.raises(JsonError, match="deeper than 2"):
        loads("[[[]]]", limits=limits)


def test_the_defaults_bound_what_comes_over_a_wire_but_not_the_own_kernel():
    long = json.dumps("x" * (256 * 2**10 + 1))
    large = json.dumps(["x" * 200_000] * 30)
    for text in (long, large):
        with pytest.raises(JsonError, match="accepted"):
            loads(text)
        assert loads(text, limits=UNLIMITED) == json.loads(text)
    with pytest.raises(JsonError, match="deeper"):
        loads("[" * 65 + "]" * 65, limits=UNLIMITED)


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        2**53 + 1,
        10**400,
        {1: 2},
        {None: 1},
        object(),
        b"x",
        {1, 2},
        "\ud800",
        "\0",
    ],
)
def test_values_that_are_not_json_are_not_written(value):
    for write in (dumps, compact):
        with pytest.raises(JsonError) as caught:
            write({"a": [value]})
        assert caught.value.path == "a.0"


def test_a_value_that_contains_itself_is_not_written():
    ring: list = []
    ring.append(ring)
    with pytest.raises(JsonError, match="deeper than 64"):
        dumps(ring)


NUMBERS = {
    0.0: "0", 2.0: "2", -1.5: "-1.5", 0.1: "0.1", 1e21: "1e+21", 1e20: "100000000000000000000",
    123e-20: "1.23e-18", 1e-6: "0.000001", 1e-7: "1e-7", 5e-324: "5e-324", 2**60: "1152921504606847000",
    1.7976931348623157e308: "1.7976931348623157e+308", 333333333.33333329: "333333333.3333333",
    9007199254740992: "9007199254740992", 4.5: "4.5", 2e-3: "0.002", 1e30: "1e+30",
}  # fmt: skip


@pytest.mark.parametrize(("number", "text"), NUMBERS.items())
def test_numbers_are_written_as_rfc_8785_says(number, text):
    assert compact(number) == text
    assert loads(text) == number


def test_minus_zero_is_zero():
    assert compact(-0.0) == "0"


NODE = shutil.which("node")


@pytest.mark.skipif(NODE is None, reason="no Node here; the table above stands for it")
def test_numbers_and_key_order_are_those_of_javascript():
    numbers = [*NUMBERS, *(n * 1.1**k for n in (1.7e-8, -3.3e17) for k in range(60)), 2**53, -(2**53)]
    keys = ["b", "a", "é", "\U0001f600", "\ufb01", "", "10", "9"]
    value = {"numbers": numbers, "texts": ['\x7f\u2028\x1f"\\/\b\f\n\r\t', "é"]}
    script = (
        "const [v, k] = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
        "process.stdout.write(JSON.stringify(v) + JSON.stringify(k.sort()))"
    )
    node = subprocess.run(
        [NODE, "-e", script], input=json.dumps([value, keys]), capture_output=True, text=True, check=True
    )
    assert node.stdout == compact(value) + compact(list(loads(dumps(dict.fromkeys(keys, 1)))))


def test_moving_a_box_or_adding_an_edge_is_one_line():
    document = {"layout": {"a": [320, 80.0]}, "edges": [["a.x", "b.y"]], "notes": {}, "empty": []}
    assert dumps(document) == (
        '{\n  "edges": [\n    ["a.x", "b.y"]\n  ],\n  "empty": [],\n'
        '  "layout": {\n    "a": [320, 80]\n  },\n  "notes": {}\n}\n'
    )


def test_a_long_list_of_scalars_takes_a_line_each():
    assert dumps(["x" * 100, "y" * 100]).count("\n") == 4
    assert compact([1, {"a": (2, 3)}]) == '[1,{"a":[2,3]}]'
