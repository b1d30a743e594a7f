from __future__ import annotations

from collections.abc import Iterator  # noqa: TC003 (hints are read)
from functools import partial

import pandas as pd
import pytest

from bpaz_lab.errors import NodeTypeError
from bpaz_lab.nodes.context import Context  # noqa: TC001 (hints are read)
from bpaz_lab.nodes.function import node_class

pytestmark = pytest.mark.unit


def longest(words: list[str], count: int = 1) -> list[str]:
    """The longest words.

    With ties in the order they came.
    """
    return sorted(words, key=len)[-count:]


def bare(df, column="x"):
    return df[column]


def stream(text: str, context: Context) -> Iterator[str]:
    for piece in text:
        context.emit("", "result")
        yield piece


async def doubled(number: int) -> int:
    return number * 2


def test_a_function_says_what_its_node_looks_like():
    spec = node_class(longest).spec()
    assert (spec.type, spec.title, spec.category, spec.package) == ("longest", "Longest", "cell", "cell")
    assert spec.summary == "The longest words."
    assert spec.help.endswith("they came.")
    assert [(port.name, port.tag, port.required) for port in spec.ports.inputs] == [
        ("words", "list[text]", True),
        ("count", "data", False),
    ]
    assert [(port.name, port.tag) for port in spec.ports.outputs] == [("result", "list[text]")]
    assert [(field.name, field.kind, field.default) for field in spec.fields] == [("count", "integer", 1)]


async def test_it_runs_with_settings_and_inputs():
    node = node_class(longest).of({"count": 2})
    assert await node.execute({"words": ["a", "ccc", "bb"]}) == {"result": ["bb", "ccc"]}


async def test_without_hints_and_docstring():
    cls = node_class(bare)
    df = pd.DataFrame({"x": [1]})
    found = await cls().execute({"df": df})
    assert found["result"] is df["x"] or found["result"].equals(df["x"])
    assert cls.spec().summary == "The function bare of this notebook."
    assert [port.tag for port in cls.spec().ports.inputs] == ["any", "any"]


async def test_streams_and_coroutines():
    assert await node_class(stream)().execute({"text": "abc"}) == {"result": "abc"}
    assert await node_class(doubled)().execute({"number": 4}) == {"result": 8}


def test_what_is_asked_for_in_words():
    cls = node_class(longest, name="Best", category="words", effect="once", inline=True, label="The best")
    spec = cls.spec()
    assert (spec.type, spec.category, spec.effect, spec.title) == ("Best", "words", "once", "The best")
    assert cls.inline
    assert node_class(longest).effect == "undeclared"


def test_the_users_own_function_stays_as_it_is():
    before = dict(vars(longest))
    node_class(longest)
    assert vars(longest) == before
    assert longest(["a", "bb"]) == ["bb"]


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x: x, "needs a name"),
        (partial(longest, count=2), "needs a name"),
        (print, r"\*args"),
    ],
)
def test_what_cannot_be_a_node(function, said):
    with pytest.raises(NodeTypeError, match=said):
        node_class(function)
