from __future__ import annotations

import pytest

from bpaz_lab.code.condition import _FUNCTIONS, _OPERATORS, compiled
from bpaz_lab.code.shake import Shaken
from bpaz_lab.errors import ExpressionError
from bpaz_lab.graph.expression import parse
from bpaz_lab.graph.operations import FUNCTIONS, OPERATORS

pytestmark = pytest.mark.unit
VALUES = {"a": 3, "b": "Text", "c": [1, "x"], "d": {"k": None, "e": [2]}, "z": 0}


def test_every_operator_and_function_is_known():
    assert _OPERATORS.keys() == OPERATORS.keys()
    assert _FUNCTIONS.keys() == FUNCTIONS.keys()


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "true and not false",
        "a > 2 and b contains 'ex' or z",
        "1 < a <= 3 != 4",
        "not (a = 3 and b = 'Text')",
        "a is not empty and d.k is empty",
        "d[\"e\"][0] = 2 and c[1] in c and 'q' not in b",
        "lower(b) starts with 't' and upper(b) ends with 'XT' and b matches '^T'",
        "length(c) * 2 - 1 = 3 and a / 2 > 1 and -a < 0 and a % 2 = 1 and a + 1 >= 4",
        "number('4') = 4 and text(a) = '3' and [1, 2] = [1, 2]",
        '\'\\u202e"\' = "\\u202e\\""',
        "z or none is empty",
        "b is 'Text' and a is not 4",
    ],
)
def test_it_means_the_same(text):
    shaken = Shaken()
    told = compiled(text, shaken)
    imports, definitions = shaken.text()
    names = {}
    exec("\n".join(["from __future__ import annotations", *imports, *definitions]), names)  # noqa: S102
    assert eval(told, names)(VALUES) is parse(text).holds(VALUES)  # noqa: S307
    assert "bpaz_lab" not in "".join(imports)


@pytest.mark.parametrize("text", ["a < b", "b + 1", "1 / z", "a and b > 1"])
def test_it_fails_alike(text):
    shaken = Shaken()
    told = compiled(text, shaken)
    imports, definitions = shaken.text()
    names = {}
    exec("\n".join(["from __future__ import annotations", *imports, *definitions]), names)  # noqa: S102
    with pytest.raises(names["ExpressionError"]):
        eval(told, names)(VALUES)  # noqa: S307
    with pytest.raises(ExpressionError):
        parse(text).holds(VALUES)
