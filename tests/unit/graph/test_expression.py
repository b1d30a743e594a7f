from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpaz_lab.errors import ExpressionError
from bpaz_lab.graph.expression import LENGTH, parse

pytestmark = pytest.mark.unit

VALUES = {
    "x": 3,
    "name": "Ada",
    "empty": "  ",
    "words": ["a", "b"],
    "deep": {"key": {"n": [10, 20]}},
    "no": None,
}


def refused(text, values):
    """The error of an expression, or None."""
    try:
        parse(text).evaluate(values)
    except ExpressionError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("7 % 4 - -1", 4),
        ("1 / 4", 0.25),
        (".5 + 1e1", 10.5),
        ("x = 3 and name == 'Ada'", True),
        ("x != 3 or name starts with 'A'", True),
        ("name ends with 'a'", True),
        ("1 < x <= 3", True),
        ("1 < x < 3", False),
        ("x > 2 and x >= 3 and not (x < 3)", True),
        ("not x = 4", True),
        ("x in [1, 2, 3]", True),
        ("'c' not in words", True),
        ("words contains 'a'", True),
        ("name contains 'da'", True),
        ("deep contains 'key'", True),
        ("deep.key.n[1]", 20),
        ("deep['key']['n'][-1]", 20),
        ("deep.nothing", None),
        ("words[7]", None),
        ("empty is empty", True),
        ("words is not empty", True),
        ("no is none", True),
        ("x is not none", True),
        ("x is 3", True),
        ("length(name) = 3", True),
        ("lower(name) + upper('x')", "adaX"),
        ("number('3.0') + 1", 4),
        ("text(x) + '!'", "3!"),
        ("[1, 2] + [3]", [1, 2, 3]),
        ("name matches '^A.a$'", True),
        ("name matches 'b'", False),
        ("true or unknown", True),
        (r"'a\tb'", "a\tb"),
        ("orchid", "flower"),
        (r"'a\nb'", "a\nb"),
        (r"'it\'s'", "it's"),
        (r"'back\\slash'", "back\\slash"),
        (r"'room 12' matches '\d+'", True),
        (r"'a refund, please' matches '\brefund\b'", True),
        ("x = None or True", True),
        ("x != null and not False", True),
        ("x is empty", False),
        ("x is not empty", True),
        ("[1] + [2] contains 2", True),
        ("[true] contains 1", False),
        ("not\n  (x = 4)", True),
    ],
)
def test_what_it_says(text, value):
    assert parse(text).evaluate({**VALUES, "orchid": "flower"}) == value


def test_the_names_that_it_needs():
    assert parse("b > 1 and length(a) = c.length").names == ("a", "b", "c")
    assert parse("1 = 1").names == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x < name", "a number and a text cannot be ordered"),
        ("x = name", "a number and a text cannot be compared"),
        ("x + name", "a number and a text cannot be added"),
        ("name * 1000000", "cannot be multiplied"),
        ("true + 1", "cannot be added"),
        ("x / 0", "divided by 0"),
        ("10 * 1e300", "no number that can be worked with"),
        ("nothere > 1", "no value 'nothere'"),
        ("x contains 1", "holds nothing to search"),
        ("name contains 1", "searched in one another"),
        ("x matches 'a'", "compares texts"),
        ("name matches '(a'", "no regular expression"),
        (r"name matches '(a)\\1'", "no regular expression"),
        ("length(x) = 1", "has no length"),
        ("1e200 * 1e200", "no number that can be worked with"),
        ("name matches '(a{1000}){1000}'", "no regular expression"),
        ("name.upper", "has no part 'upper'"),
        ("words['a']", "has no part"),
        ("number(name)", "no number"),
        ("lower(x)", "no capital letters"),
        ("text(words)", "does not become a text"),
        ("length(name, name)", "takes one value, not 2"),
        ("-name", "cannot be subtracted"),
    ],
)
def test_what_cannot_be_taken_together_is_told(text, why):
    with pytest.raises(ExpressionError, match=why) as caught:
        parse(text).evaluate(VALUES)
    assert caught.value.hint
    assert text[:10] in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "x ==",
            "x = = 1",
            "(x",
            "x y",
            "lambda: 1",
            "x if y else z",
            "[x for x in y]",
            "x.y()",
            "a := 1",
        ),
        "__import__('os')",
        "eval('1')",
        "x; y",
        "f'{x}'",
        "x ** 9",
        "$",
        "'open",
        "x.1",
        "'it''s'",
        "x is",
        "1 2",
    ],
)
def test_what_is_no_expression_is_refused(text):
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "where", "hint"),
    [
        ("x >", "at its end", "Write for instance"),
        ("x > 1\nand > 2", "at character 11, '> 2'", "Write for instance"),
        ("x > 1 && name", "at character 7, '&& name'", "Write 'and' instead of '&&'"),
        ("not x || name", "at character 7, '|| name'", "Write 'or' instead of '||'"),
        ("!x", "at character 1, '!x'", "Write 'not' instead of '!'"),
        ("lenght(x)", "no function", "Did you mean length?"),
        ("exec(x)", "no function", "length, lower, upper, number, text"),
        ("x = 'a' or 'b'", "a condition of its own", "x in ['a', 'b']"),
        ("not 'a'", "a condition of its own", "x in ['a', 'b']"),
    ],
)
def test_an_error_says_where_and_what_to_write(text, where, hint):
    with pytest.raises(ExpressionError, match=re.escape(where)) as caught:
        parse(text)
    assert hint in caught.value.hint


def test_a_long_expression_is_not_shown_whole():
    with pytest.raises(ExpressionError) as caught:
        parse("x + " * 400)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("text", ["1+" * 900 + "1", "(" * 990 + "1" + ")" * 990, "not " * 400 + "x"])
def test_what_is_too_deep_ends_without_harm(text):
    error = refused(text, VALUES)
    assert error is None or "deep" in error.message


def test_an_expression_has_an_end():
    with pytest.raises(ExpressionError, match="at most 2,000 characters, not 2,001"):
        parse("x" * (LENGTH + 1))


@pytest.mark.parametrize("name", ["__class__", "__dict__", "__globals__", "mro", "f_back"])
def test_no_attribute_of_an_object_is_reached(name):
    for value in (object(), 3, "text", [1], parse, pd.DataFrame({"a": [1]})):
        with pytest.raises(ExpressionError, match="has no part"):
            parse(f"x.{name}").evaluate({"x": value})
    assert parse(f"x.{name}").evaluate({"x": {}}) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.int64(4), "x > 3 and x + 1 = 5"),
        (np.float32(0.5), "x < 1 and x = 0.5"),
        (np.bool_(True), "x and x = true"),
        (np.int8(100), "x + x = 200"),
        ({"n": np.int64(4)}, "x.n = 4"),
        ([np.int64(4)], "x contains 4 and x[0] = 4"),
        (float("nan"), "x is empty"),
    ],
)
def test_numbers_of_numpy_are_numbers(value, text):
    assert parse(text).holds({"x": value})


def test_half_a_character_matches_nothing():
    with pytest.raises(ExpressionError, match="half a character"):
        parse("x matches 'a'").holds({"x": "\ud800"})


def test_a_table_has_a_length_and_is_not_compared():
    table = pd.DataFrame({"a": [1, 2]})
    assert parse("length(x) = 2 and x is not empty").holds({"x": table})
    for text in ("x = x", "x > 1", "x"):
        with pytest.raises(ExpressionError):
            parse(text).holds({"x": table})


def test_a_malicious_pattern_takes_linear_time():
    assert not parse("x matches '^(a+)+$'").holds({"x": "a" * 100_000 + "!"})


def test_texts_do_not_grow_without_end():
    text = " + ".join(["x"] * 60)
    with pytest.raises(ExpressionError, match="262,144 parts"):
        parse(text).evaluate({"x": "a" * 100_000})


SAID = st.sampled_from(
    re.findall(
        r"\S+",
        """
        x name words no deep 1 2.5 1e308 9999999999 'a' "(a+)+$" true none null __class__ ( ) [ ] , .
        and or not in is empty contains matches starts with = == != < >= + - * / % length number text lower
        """,
    )
)
OPERATORS = ("=", "!=", "<", ">=", "in", "contains", "matches", "starts with", "+", "-", "*", "/", "%", "and")
GRAMMAR = st.recursive(
    st.sampled_from(["x", "y", "1", "0.5", "'a'", "[]", "[x, 1]", "none", "true", "'^a*$'"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(OPERATORS), inner).map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(
            st.sampled_from(["length", "text", "number", "upper", "not ", "-", "", ""]),
            inner,
            st.sampled_from(["", " is empty", ".a", "[0]", "['a']"]),
        ).map(lambda parts: f"{parts[0]}({parts[1]}){parts[2]}"),
    ),
    max_leaves=8,
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(SAID, max_size=14).map(" ".join)))
def test_any_text_is_an_expression_or_refused_and_ends(text):
    error = refused(text, VALUES)
    assert error is None or (error.message and error.hint)


@settings(max_examples=400, deadline=None)
@given(GRAMMAR, JSON, JSON)
def test_any_expression_over_any_values_ends(text, x, y):
    error = refused(text, {"x": x, "y": y})
    assert error is None or (error.message and error.hint)
