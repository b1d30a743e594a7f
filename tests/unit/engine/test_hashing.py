from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage
from PIL import Image
from pydantic import BaseModel

from bpaz_lab.engine.hashing import hashed

pytestmark = pytest.mark.unit


@dataclass
class Pair:
    one: object
    other: object


class Model(BaseModel):
    name: str
    parts: list[int] = []


class Colour(Enum):
    RED = 1
    BLUE = 2


class Words(list):
    """A list with a name."""

    def __init__(self, name, *words):
        super().__init__(words)
        self.name = name


class Point(NamedTuple):
    x: int
    y: int


@dataclass
class Square:
    side: int
    name: str = field(init=False)

    @cached_property
    def area(self):
        return self.side**2


def noted(frame, **notes):
    frame.attrs.update(notes)
    return frame


def picture(palette):
    image = Image.new("P", (2, 2))
    image.putpalette(palette)
    return image


DIFFERENT = [
    *(Words("a", 1, 2), Words("b", 1, 2), Point(1, 2), OrderedDict(a=1), Counter("a"), deque([1])),
    *(
        defaultdict(list, a=1),
        defaultdict(int, a=1),
        deque([1], 3),
        re.compile("a"),
        re.compile("a", re.IGNORECASE),
    ),
    *(AIMessage("b").text, pd.Timestamp(0), pd.Timestamp(1), pd.Timedelta(1), pd.NaT, pd.NA, 10**5000),
    *(np.ma.array([1, 2], mask=[0, 1]), np.ma.array([1, 2], mask=[1, 0]), np.rec.array([(1, 2)])),
    *(np.array(["a" * 50], dtype="T"), np.array(["b" * 50], dtype="T")),
    *(picture([0, 0, 0]), picture([0, 0, 1]), Image.new("RGB", (2, 2)), Image.new("L", (2, 6))),
    *(pd.DataFrame({1: [1]}), pd.DataFrame({"1": [1]}), noted(pd.DataFrame({1: [1]}), unit="m")),
    *(pd.Series([3], name=None), pd.Series([3], name=""), pd.Series([3], name=0), pd.Series([3], name="0")),
    *(
        pd.DataFrame([7], pd.Index([5], name=1)),
        pd.DataFrame([7], pd.Index([5], name="1")),
        pd.DataFrame([7], pd.Index([5])),
    ),
    *(pd.Series(pd.Categorical(["a"], ordered=True)), pd.Series(pd.Categorical(["a"]))),
    *(
        pd.Series([1, 1.0], dtype=object),
        pd.Series([1.0, 1.0], dtype=object),
        pd.Series([1, 1], dtype=object),
    ),
    *(pd.Series([(1, 2)]), pd.Series([[1, 2]]), pd.Series([{"a": 1, "b": None}]), pd.Series([{"a": 1}])),
    *(pd.Series([None, 1.0], dtype=object), pd.Series([float("nan"), 1.0], dtype=object)),
    *(pd.Series(pd.period_range("2026", periods=2, freq="M")), pd.Series(pd.interval_range(0, 2))),
    *(pd.Series(pd.arrays.SparseArray([0, 1])), pd.Series([1j]), pd.DataFrame([[1, 2]], columns=["a", "a"])),
    *(pa.array(["a" * 20, None], pa.string_view()), pa.array(["b" * 20, None], pa.string_view())),
    *(None, True, False, 0, 1, -1, 1.0, 1.5, float("nan"), 1j, "", "1", "a", b"", b"a", bytearray(b"a")),
    *([], [1], [[1]], [1, [2]], [[1, 2]], (1,), (), {1}, {1, 2}, frozenset({3}), {}, {"a": 1}, {"a": "1"}),
    *(["ab", "c"], ["a", "bc"], {"ab": "c"}, {"a": "bc"}, range(3), range(0, 4, 2)),
    *(date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC), Decimal("1.0"), UUID(int=1), Path("a"), Colour.RED),
    *(Colour.BLUE, Pair(1, 2), Pair(2, 1), Model(name="a"), Model(name="a", parts=[1])),
    *(
        Document(page_content="a"),
        Document(page_content="a", metadata={"x": 1}),
        HumanMessage("a"),
        AIMessage("a"),
    ),
    *(
        np.array([1, 2]),
        np.array([1.0, 2.0]),
        np.array([[1], [2]]),
        np.array(["a", "b"]),
        np.float64(1),
        np.int8(1),
    ),
    *(np.array([1, "a", None], dtype=object), pd.Series([1, 2]), pd.Series([1, 2], name="a")),
    *(pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"b": [1, 2]}), pd.DataFrame({"a": [1.0, 2.0]})),
    *(
        pd.DataFrame({"a": [1, 2]}, index=[1, 2]),
        pd.DataFrame({"a": [1, None]}),
        pd.DataFrame({"a": ["x", None]}),
    ),
    *(pd.DataFrame({"a": [True, False]}), pd.DataFrame({"a": pd.Categorical(["x", "y"])}), pd.DataFrame()),
    *(
        pd.DataFrame({"a": [{"k": 1}, [2]]}),
        pd.DataFrame({"a": pd.to_datetime(["2026-01-01"])}),
        pd.Index([1, 2]),
    ),
    *(pa.table({"a": [1, 2]}), pa.table({"b": [1, 2]}), pa.array([1, 2]), pa.array([1, None])),
]


def test_what_is_different_has_another_hash():
    digests = [hashed(value) for value in DIFFERENT]
    assert [told.why for told in digests if not told.digest] == []
    for (one, first), (other, second) in combinations(zip(DIFFERENT, digests, strict=True), 2):
        assert first.digest != second.digest, (one, other)


def test_the_same_has_the_same_hash_in_another_process():
    script = (
        "import pandas as pd; from bpaz_lab.engine.hashing import hashed as h;"
        "print(h([{'b': 1, 'a': {'x', 'y', 'z'}}, pd.DataFrame({'t': ['a', None], 'n': [1, 2]})]).digest)"
    )
    told = {
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    here = hashed([{"b": 1, "a": {"x", "y", "z"}}, pd.DataFrame({"t": ["a", None], "n": [1, 2]})]).digest
    assert told == {here + "\n"}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=4), inner, max_size=4)
        | st.tuples(inner, inner)
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(VALUES, VALUES)
def test_equal_contents_and_only_they_have_equal_hashes(one, other):
    assert hashed(one).digest
    assert (hashed(one).digest == hashed(other).digest) == (repr(one) == repr(other))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=5)), min_size=1, max_size=12), st.data())
def test_how_a_table_was_made_does_not_count(texts, data):
    whole = pd.DataFrame(
        {
            "t": pd.Series(texts, dtype="str"),
            "n": range(len(texts)),
            "b": [n % 2 == 0 for n in range(len(texts))],
        }
    )
    low = data.draw(st.integers(0, len(texts) - 1))
    high = data.draw(st.integers(low + 1, len(texts)))
    part = whole.iloc[low:high].reset_index(drop=True)
    made = pd.DataFrame({name: pd.Series(list(part[name]), dtype=part[name].dtype) for name in part.columns})
    assert hashed(part).digest == hashed(made).digest
    cut = pd.concat([whole.iloc[:low], whole.iloc[low:]])
    assert hashed(cut).digest == hashed(whole).digest


def test_chunks_and_strides_do_not_count():
    chunked = pa.chunked_array([[1, 2], [3]])
    assert hashed(pa.table({"a": chunked})).digest == hashed(pa.table({"a": [1, 2, 3]})).digest
    square = np.arange(9).reshape(3, 3)
    assert hashed(square.T).digest == hashed(np.ascontiguousarray(square.T)).digest
    assert hashed(square.T).digest != hashed(square).digest


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["aa", "b", None, "d"], pa.string()),
        (["aa", "b", "ccc", "d"], pa.large_string()),
        (["x" * 30, "y", "z" * 20, "w"], pa.string_view()),
        ([b"ab", b"cd", b"ef", b"gh"], pa.binary(2)),
        ([1, None, 3, None], pa.int64()),
        ([True, False, True, None], pa.bool_()),
        ([["a"], ["b", "c"], [], ["d"]], pa.large_list(pa.string())),
        ([[True], [None], [], [False]], pa.list_(pa.bool_())),
        ([[1, 2]] * 4, pa.list_(pa.int64(), 2)),
        ([{"a": 1, "b": "x"}] * 4, pa.struct([("a", pa.int32()), ("b", pa.string())])),
    ],
    ids=lambda value: str(value) if isinstance(value, pa.DataType) else "",
)
def test_a_slice_of_arrow_is_what_it_shows(values, kind):
    whole = pa.array(values, kind)
    for low, high in combinations(range(5), 2):
        made = hashed(pa.array(values[low:high], kind)).digest
        assert made == hashed(whole.slice(low, high - low)).digest != ""


def test_what_is_only_remembered_does_not_count():
    square = Square(2)
    before = hashed(square).digest
    assert square.area == 4
    assert hashed(square).digest == before
    square.more = 1
    assert hashed(square).digest != before


def test_the_classes_of_objects_are_told():
    assert hashed([1, {"a": (Square(1), Colour.RED)}, {Point(1, 2)}]).classes == (Square, Colour, Point)


def test_no_object_ends_a_run():
    class Broken(list):
        def __len__(self):
            raise RuntimeError("no length")

    assert hashed(Broken()).why == "a Broken cannot be read: no length"


def test_what_has_no_content_says_so():
    loop = []
    loop.append(loop)
    for value, why in (
        (object(), "object"),
        ([1, {"a": open}], "builtin_function"),
        (lambda: 1, "function"),
        (loop, "contains itself"),
        (pd.DataFrame({"a": [object()]}), "object"),
    ):
        told = hashed(value)
        assert told.digest == ""
        assert why in told.why


def test_a_table_without_pyarrow_says_what_helps(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert "pip install" in hashed(pd.DataFrame({"a": [1]})).why


def test_the_size_is_about_that_of_the_content():
    frame = pd.DataFrame({"a": np.random.default_rng(0).random(100_000)})
    assert 800_000 <= hashed(frame).size < 1_000_000
